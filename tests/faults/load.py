"""A fixed mixed load: what comes in an evening, small, with everything in it that a crash could lose, double or leave half done."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from pipeline.contracts import Claim, Gap, Post, pack
from pipeline.ports import Record
from pipeline.topology import CLAIMS, GAPS, POSTS_RAW
from tests.pipeline.house import AT, a_post
from tests.scorer import POISON

SEED = 20241127
STORIES = 5
"""Claims of which stories are told; the other claims are told by nobody."""
CLAIM_COUNT = 20

Step = tuple[float, Record]
"""A record and when it comes, 0 to 1."""

_PLACES = ("Kalisari", "Sukamaju", "Wonosari", "Tanjungpura", "Cikole", "Banyuurip", "Muaralama")
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "ji", "ka", "lo", "mu", "na", "pe", "ra", "si", "to", "wu", "ya")


def records() -> list[Record]:
    """All of it in the order of its coming: the same at each call."""
    chance = random.Random(SEED)
    steps = [
        *_claims(chance),
        *_stories(chance),
        *_calls(chance),
        *_bridged(chance),
        *_edits(chance),
        *_ordinary(chance),
        *_bad(chance),
    ]
    return [record for _, record in sorted(steps, key=lambda step: step[0])]


def small() -> list[Record]:
    """Few posts with every kind of change to a story, for runs that try each moment: claims before, between and after their posts."""
    chance = random.Random(SEED + 1)
    steps: list[Step] = []
    for n in (0, 1):
        steps.append((0.45 + n / 10, _record(_claim(n))))
        steps += [_post(chance.random(), f"s{n}.{i}", _told(n) + "!" * i, likes=i) for i in range(3)]
        steps.append(_post(chance.random(), f"n{n}", _nearly(n), likes=7))
        steps.append(_post(chance.random(), f"c{n}", "HOAKS: " + _told(n)))
    steps += _bridged(chance)
    steps += _changed(chance, "e1", _told(0), "maaf kabar tadi keliru sudah saya hapus semuanya")
    steps += _changed(chance, "e2", "selamat sore dari beranda rumah kami", _told(1))
    # Away from its story and back again: the last word counts.
    steps += _changed(chance, "e3", _told(0) + " ya", "tidak jadi saya bagikan lagi kabar itu", _told(0) + " ya")
    steps += _seen_again(chance, "s0.0", _told(0), likes=40)
    steps += _seen_again(chance, "v0.0", _call(0), first=True, likes=60)
    steps += [(chance.random(), Record(POSTS_RAW, b"{", b"k")), _post(chance.random(), "p1", f"ini {POISON}")]
    return [record for _, record in sorted(steps, key=lambda step: step[0])]


def _record(one: Post | Claim | Gap) -> Record:
    if isinstance(one, Claim):
        return Record(CLAIMS, pack("claim", one), one.claim_id.encode())
    if isinstance(one, Gap):
        return Record(GAPS, pack("gap", one), one.source.encode())
    return Record(POSTS_RAW, pack("post", one), one.id.encode())


def _post(when: float, native_id: str, text: str, likes: int = 0, again: int = 0) -> Step:
    """`again`: seen so many hours after its first time."""
    fields = {"author": f"a-{native_id}", "counts": {"likes": likes}, "fetched_at": AT + timedelta(hours=again)}
    return when, _record(a_post(native_id, text, **fields))


def _words(chance: random.Random, count: int) -> str:
    return " ".join("".join(chance.choices(_SYLLABLES, k=4)) for _ in range(count))


# ---------------------------------------------------------------- stories


def _claim_words(n: int) -> list[str]:
    return [*_words(random.Random(f"claim {n}"), 6).split(), _PLACES[n % len(_PLACES)]]


def _claim(n: int) -> Claim:
    return Claim(claim_id=f"k{n}", text=" ".join(_claim_words(n)), publisher="Cek Kabar", rating="Salah")


def _tail(n: int) -> str:
    return _words(random.Random(f"tail {n}"), 30)


def _told(n: int) -> str:
    return f"{' '.join(_claim_words(n))} {_tail(n)}"


def _nearly(n: int) -> str:
    """A near copy in which too little of the claim is left to match it by itself."""
    return f"{' '.join(_claim_words(n)[3:])} {_tail(n)}"


def _call(n: int) -> str:
    return f"ayo bakar kantor {_PLACES[n % len(_PLACES)]} {_words(random.Random(f'call {n}'), 30)}"


def _claims(chance: random.Random) -> Iterator[Step]:
    for n in range(CLAIM_COUNT):
        yield chance.random(), _record(_claim(n))
    for n in range(4):
        yield chance.random(), _record(Gap(source=f"situs {n}", began_at=AT, cause="tidak menjawab"))


def _stories(chance: random.Random) -> Iterator[Step]:
    for n in range(STORIES):
        words = _claim_words(n)
        for i in range(12):
            yield _post(chance.random(), f"s{n}.{i}", _told(n) + "!" * i, likes=i)
        for i in range(4):
            chance.shuffle(words)
            yield _post(chance.random(), f"r{n}.{i}", f"{' '.join(words)} {_words(chance, 12)}", likes=i)
        for i in range(4):
            yield _post(chance.random(), f"n{n}.{i}", _nearly(n) + "?" * i, likes=1)
        for i in range(3):
            yield _post(chance.random(), f"c{n}.{i}", f"HOAKS: {_told(n)}" + "." * i, likes=90)
        yield _post(chance.random(), f"q{n}", f"benarkah {_told(n)}?", likes=90)
        yield from _seen_again(chance, f"s{n}.0", _told(n), likes=30 + n)


def _calls(chance: random.Random) -> Iterator[Step]:
    for n in range(3):
        for i in range(3 + n):
            yield _post(chance.random(), f"v{n}.{i}", _call(10 + n) + "!" * i, likes=i)
    # Too small for an alert, until one of it is seen again with many likes.
    yield _post(chance.random(), "v9.1", _call(19) + "!", likes=1)
    yield from _seen_again(chance, "v9.0", _call(19), first=True, likes=80)
    yield _post(chance.random(), "v8.0", _call(18), likes=1)
    for i in range(4):
        yield _post(chance.random(), f"h{i}", f"kami benci {_words(random.Random('hate'), 20)}" + "!" * i, likes=i)


def _bridged(chance: random.Random) -> Iterator[Step]:
    """Two stories without a claim that have no band in common, and a text between them that makes them one."""
    for at in range(3):
        for i in range(2):
            text = bridge()[at] + "!" * i
            # The one between comes last, when both stories have their alerts.
            when = chance.uniform(0.8, 1.0) if at == 1 else chance.uniform(0.0, 0.6)
            yield _post(when, f"b{at}.{i}", text, likes=55)


def bridge() -> tuple[str, str, str]:
    """Texts of which the middle one is a near copy of both others, and they none of each other (the test of the load holds that)."""
    words = f"ayo bakar gudang {_words(random.Random('bridge 17'), 36)}".split()
    left, right = words.copy(), words.copy()
    left[4:8] = ["paginya", "sekali", "semuanya", "bergerak"]
    right[30:34] = ["malamnya", "nanti", "bersama", "kawan"]
    return " ".join(left), " ".join(words), " ".join(right)


# ---------------------------------------------------------------- changes


def _seen_again(chance: random.Random, native_id: str, text: str, *, likes: int, first: bool = False) -> Iterator[Step]:
    when = chance.uniform(0.7, 1.0)
    if first:
        yield _post(when / 2, native_id, text, likes=1)
    yield _post(when, native_id, text, likes=likes, again=20)


def _changed(chance: random.Random, native_id: str, *texts: str) -> Iterator[Step]:
    times = sorted(chance.random() for _ in texts)
    for again, (when, text) in enumerate(zip(times, texts, strict=True)):
        yield _post(when, native_id, text, likes=5, again=again)


def _edits(chance: random.Random) -> Iterator[Step]:
    for n in range(STORIES):
        yield from _changed(chance, f"e{n}.0", _told(n) + " ", _words(chance, 12))
        yield from _changed(chance, f"e{n}.1", _words(chance, 12), _told(n) + " !")
        yield from _changed(chance, f"e{n}.2", _told(n) + " ,", _words(chance, 12), _told(n) + " ,")
        yield from _changed(chance, f"e{n}.3", _told(n) + " ;", _told((n + 1) % STORIES) + " ;")
    # A call to violence that is taken back: from three posts to two, so that its alert has to go.
    for i in range(2):
        yield _post(chance.random(), f"w{i}", _call(17) + "!" * i, likes=2)
    yield from _changed(chance, "w2", _call(17) + "!!", _words(chance, 12))


def _ordinary(chance: random.Random) -> Iterator[Step]:
    for i in range(90):
        text = _words(chance, 14)
        when = chance.random()
        yield _post(when, f"o{i}", text)
        if i % 4 == 0:  # the same once more, from another crawl
            yield _post(chance.uniform(when, 1.0), f"o{i}", text)


def _bad(chance: random.Random) -> Iterator[Step]:
    good = pack("post", a_post("bad", "teks"))
    for value in (
        b"{",
        b"[1]",
        b"\xff\xfe\x00",
        b'{"schema":"post","version":99,"body":{}}',
        good.replace(b'"text"', b'"tekst"'),
        good.replace(b"2026-11-20", b"0001-01-01", 1),
        good.replace(b"teks", b"\\u0000"),
    ):
        yield chance.random(), Record(POSTS_RAW, value, b"k")
    for i in range(5):
        yield _post(chance.random(), f"p{i}", f"ini {POISON} {i}")
    yield chance.random(), Record(CLAIMS, b'{"schema":"claim","version":1,"body":{}}', b"k")
