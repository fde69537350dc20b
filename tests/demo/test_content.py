"""The texts of the small web are many, unlike each other, and name nobody real."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter

import pytest

from demo.compose import compose
from demo.copying import near_copy
from demo.library import CONTENT, NotebookError, notebook

# Real parties by name; public figures only by the start of the SHA-256 of one word of their name, so that no
# real person's name stands in this repository, not even here.
REAL_PARTIES = (
    *(
        "pdip",
        "pdi-p",
        "golkar",
        "gerindra",
        "nasdem",
        "pkb",
        "pks",
        "ppp",
        "perindo",
        "psi",
        "hanura",
        "gelora",
    ),
    *("partai demokrat", "partai buruh", "partai garuda", "partai ummat", "partai amanat", "bulan bintang"),
    *("kebangkitan nusantara", "kebangkitan bangsa", "keadilan sejahtera", "persatuan pembangunan"),
)
REAL_FIGURES = {
    *("5a0bf18a", "752b42cc", "09e632b3", "db5da878", "aabc56f6", "5adde876", "0482aaf4", "b3129fa6"),
    *("36e13a13", "5d930776", "4929f8ce", "01046b70", "0b30b208", "b1245eb5", "dea1423b", "191914da"),
    *("3d525911", "cfca5329"),
}


def everything_written() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(CONTENT.iterdir())).lower()


def ordinary_texts() -> list[str]:
    world = compose()
    texts = [s.text for s in world.statuses if s.meaning.kind == "ordinary" and not s.reblog]
    return texts + [c.text for topic in world.topics for c in topic.comments if c.meaning.kind == "ordinary"]


def test_no_real_party_and_no_known_public_figure_is_named() -> None:
    text = everything_written()
    for name in REAL_PARTIES:
        assert not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text), name
    words = set(re.findall(r"[a-z]+", text))
    assert not [word for word in words if hashlib.sha256(word.encode()).hexdigest()[:8] in REAL_FIGURES]


def test_every_address_in_the_texts_is_an_invented_one() -> None:
    hosts = set(re.findall(r"https?://([^/\s]+)", everything_written()))
    assert hosts
    assert all(host.endswith(".example") for host in hosts)
    assert not re.search(r"\b08\d{8,}\b|\b\d{16}\b", everything_written()), "a phone or identity number"


def test_ordinary_talk_is_hardly_ever_the_same_twice() -> None:
    texts = [re.sub(r"^@\S+ ", "", text).lower() for text in ordinary_texts()]
    assert len(texts) > 700
    repeated = sum(count for count in Counter(texts).values() if count > 1)
    assert repeated / len(texts) < 0.02


def test_ordinary_talk_is_not_one_template_with_swapped_words() -> None:
    """Of the openings (first three words) and of the four-word runs, nearly all occur once."""
    long_texts = [text.lower().split() for text in ordinary_texts() if len(text.split()) >= 6]
    openings = Counter(tuple(words[:3]) for words in long_texts)
    assert max(openings.values()) <= 4
    assert sum(count for count in openings.values() if count > 1) / len(long_texts) < 0.05
    runs = Counter(run for words in long_texts for run in {tuple(words[i : i + 4]) for i in range(len(words) - 3)})
    assert sum(count == 1 for count in runs.values()) / len(runs) > 0.97


def test_vocabulary_is_that_of_many_people() -> None:
    words = [word for text in ordinary_texts() for word in re.findall(r"[a-z]{3,}", text.lower())]
    assert len(set(words)) > 2500
    assert len(set(words)) / len(words) > 0.3


def test_ordinary_talk_uses_the_words_of_alarm_without_alarm() -> None:
    text = "\n".join(ordinary_texts()).lower()
    for word in (
        "bakar",
        "serang",
        "racun",
        "bunuh",
        "bom",
        "kepung",
        "hajar",
        "meninggal",
        "parang",
        "bensin",
        "babi",
    ):
        assert word in text, word


def test_every_region_of_the_stories_has_somebody_who_lives_there() -> None:
    homes = {account.region for account in compose().accounts}
    regions = {entry.columns[-1] for name in ("stories", "rumours", "heat") for entry in notebook(name)}
    assert regions - homes <= {"Nasional"}


def test_copies_are_exact_near_and_reworded() -> None:
    for story in notebook("stories"):
        written = {line.text for line in story.parts["spread"]}
        said = [s.text for s in compose().statuses if s.meaning.narrative == story.head and s.meaning.kind == "hoax"]
        assert written & set(said)
        assert [text for text in said if text and text not in written], story.head
        assert len(written & set(said)) >= 3, story.head


def test_a_near_copy_is_never_the_text_itself_and_keeps_most_of_its_letters() -> None:
    rng = random.Random(1)
    text = "Tinta pemilu di Banyumas mengandung racun, sudah 12 petugas TPS masuk rumah sakit"
    for _ in range(300):
        copy = near_copy(text, "Kabupaten Banyumas", rng)
        assert copy != text
        shared = Counter(copy.lower()) & Counter(text.lower())
        assert shared.total() / len(text) > 0.8


def test_alarming_posts_reach_more_people_than_lonely_insults() -> None:
    reach = {
        kind: max(s.favourites + s.reblogs for s in compose().statuses if s.meaning.kind == kind)
        for kind in ("provocation", "hate", "hoax", "abusive")
    }
    assert reach["abusive"] <= 10 < min(reach["provocation"], reach["hate"], reach["hoax"])


def test_a_line_that_means_nothing_is_an_error_with_file_and_line(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("demo.library.CONTENT", tmp_path)
    (tmp_path / "wrong-one.md").write_text("# kepala\n- baris\nbukan apa-apa\n")
    with pytest.raises(NotebookError, match=r"wrong-one\.md:3: neither"):
        notebook("wrong-one")
    (tmp_path / "wrong-two.md").write_text("# kepala\n> jawaban\n")
    with pytest.raises(NotebookError, match=r"wrong-two\.md:2: a reply to nothing"):
        notebook("wrong-two")
