"""Defects that the fault runs found, each as the shortest way to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.contracts import Claim, unpack
from pipeline.documents import post_write
from pipeline.ports import Filter, Kind, Write, Written
from pipeline.runner import Step
from pipeline.topology import ALERTS
from tests.faults import load
from tests.faults.result import result_of
from tests.pipeline.house import AT, TestHouse, a_post

CLAIM = Claim(claim_id="k1", text="Surat suara sudah tercoblos di gudang Kalisari")
STORY = "Surat suara sudah tercoblos di gudang Kalisari sebarkan"
CALL = "ayo bakar kantor kecamatan malam ini juga kawan"
LATER = AT + timedelta(hours=1)


class Death(BaseException):
    pass


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    house = TestHouse(tmp_path)
    yield house
    result_of(house)
    house.close()


def die(house: TestHouse, worker: str, at: Step) -> None:
    def observe(step: Step) -> None:
        if step == at:
            raise Death

    with pytest.raises(Death):
        house.runner(worker, observe=observe).run(until_drained=True)


def told(house: TestHouse) -> list[tuple[str, int, str]]:
    alerts = [unpack("alert", message.value) for message in house.broker.read(ALERTS)]
    return [(one.id, one.version, one.status) for one in alerts]


@pytest.mark.parametrize("step", ["processed", "stored", "settled", "published"])
def test_a_claim_finds_its_earlier_posts_even_if_the_register_dies_before_telling(house: TestHouse, step: Step) -> None:
    house.publish(a_post("s1", STORY))
    house.drain()
    house.know(CLAIM)
    die(house, "register", step)
    house.drain()
    (alert,) = house.alerts()
    assert alert.rule == "hoax"


@pytest.mark.parametrize("step", ["stored", "settled", "published", "noted"])
def test_a_withdrawal_is_told_even_if_the_worker_dies_before_telling(house: TestHouse, step: Step) -> None:
    house.publish(*(a_post(f"v{n}", CALL, author=f"x{n}") for n in range(3)))
    house.drain()
    (alert,) = house.alerts()
    house.publish(a_post("v2", "maaf, tadi salah kirim, sudah saya hapus ya", fetched_at=LATER))
    house.drain(["judge"])
    die(house, "alert", step)
    house.drain()
    assert house.alerts() == []
    assert (alert.id, alert.version + 1, "withdrawn") in told(house)


def test_a_post_that_went_back_to_its_first_words_is_told_as_it_stands(house: TestHouse) -> None:
    house.know(CLAIM)
    for hours, text in enumerate((STORY, "maaf, kabar tadi saya hapus", STORY)):
        house.publish(a_post("s1", text, fetched_at=AT + timedelta(hours=hours)))
        house.drain()
    (alert,) = house.alerts()
    assert alert.posts == 1
    assert house.counts()["duplicate"] == 1


def test_new_counts_do_not_put_an_older_verdict_back(house: TestHouse) -> None:
    house.publish(a_post("s1", STORY, counts={"likes": 1}))
    house.drain()
    # Seen again before the alert worker has taken up what the claim says of it.
    house.know(CLAIM)
    house.drain(["register"])
    house.publish(a_post("s1", STORY, counts={"likes": 30}, fetched_at=LATER))
    house.drain(["judge", "alert"])
    (alert,) = house.alerts()
    assert (alert.rule, alert.reach) == ("hoax", 30)


def test_a_claim_does_not_put_older_words_or_counts_back(house: TestHouse) -> None:
    house.publish(a_post("s1", STORY), a_post("s2", STORY, counts={"likes": 1}))
    house.drain()
    # The claim is matched against the first words, while the new ones already wait behind.
    house.publish(
        a_post("s1", "maaf, kabar tadi saya hapus", fetched_at=LATER),
        a_post("s2", STORY, counts={"likes": 9}, fetched_at=LATER),
    )
    house.drain(["judge"])
    house.know(CLAIM)
    house.drain(["register", "alert"])
    (alert,) = house.alerts()
    assert (alert.posts, alert.reach) == (1, 9)
    (hit,) = house.store.search("posts", Filter(equals={"labels": ["hoax"]}), sort="seen_at")
    assert hit.document["post"]["native_id"] == "s2"


def test_counts_that_grow_while_an_edit_is_on_its_way_are_not_lost(house: TestHouse) -> None:
    house.know(CLAIM)
    house.publish(a_post("s1", "selamat pagi"))
    house.drain()
    house.publish(a_post("s1", STORY, fetched_at=LATER))
    house.drain(["judge"])
    house.publish(a_post("s1", STORY, counts={"likes": 30}, fetched_at=LATER + timedelta(hours=1)))
    house.drain(["alert", "judge", "alert"])
    (alert,) = house.alerts()
    assert alert.reach == 30


def test_words_that_came_back_count_even_if_the_store_was_a_step_behind_when_they_did(house: TestHouse) -> None:
    house.know(CLAIM)
    house.publish(a_post("s1", STORY))
    house.drain()
    (first,) = house.store.scan("posts", Filter())
    house.publish(a_post("s1", "maaf, kabar tadi saya hapus", fetched_at=LATER))
    house.drain(["judge"])
    # The alert worker, with the first words in hand, stores them after the judge has stored the second.
    assert [one.outcome for one in house.store.put([post_write(first.document)])] == ["older"]
    house.publish(a_post("s1", STORY, fetched_at=LATER + timedelta(hours=1)))
    house.drain(["judge", "alert"])
    (alert,) = house.alerts()
    assert alert.posts == 1


class HalfStore(SqliteStore):
    """Dies once, in the next write of this kind, of which the part is then there that was chosen."""

    dies_at: Kind | None = None
    part: Callable[[Write], bool] = staticmethod(lambda write: False)

    def put(self, writes: Sequence[Write]) -> list[Written]:
        if any(write.kind == self.dies_at for write in writes):
            super().put([write for write in writes if write.kind == self.dies_at and self.part(write)])
            self.dies_at = None
            raise Death
        return super().put(writes)


def test_a_band_never_leads_to_a_story_that_was_not_stored(tmp_path: Path) -> None:
    store = HalfStore(tmp_path / "store.db")
    house = TestHouse(tmp_path, store=store)
    left, between, right = load.bridge()
    # All three in one batch, in this order: a story begins and is taken into another at once.
    for n, text in enumerate((left, right, between)):
        house.publish(a_post(str(n), text, counts={"likes": 60}))
        house.drain(["judge"])
    store.dies_at, store.part = "bands", lambda write: not write.id.startswith("post.")
    with pytest.raises(Death):
        house.drain(["alert"])
    house.drain(["alert"])
    (alert,) = house.alerts()
    assert alert.posts == 3
    assert result_of(house).dead == frozenset()
    house.close()


def test_a_story_may_name_another_that_was_not_stored(tmp_path: Path) -> None:
    store = HalfStore(tmp_path / "store.db")
    house = TestHouse(tmp_path, store=store)
    house.know(CLAIM)
    house.drain(["register"])
    tail = "katanya besok pagi semua warga diminta datang melihat sendiri ke sana dan merekam videonya lalu sebarkan ke grup"
    # A story of near copies that match no claim by themselves; then another copy of it and, behind that, the post that does.
    house.publish(a_post("0", f"di gudang Kalisari {tail}"))
    house.drain(["judge", "alert"])
    for n, text in enumerate((f"di gudang Kalisari {tail} ya", f"{CLAIM.text} {tail}"), start=1):
        house.publish(a_post(str(n), text))
        house.drain(["judge"])
    store.dies_at, store.part = "narratives", lambda write: write.document["claim_id"] is None
    with pytest.raises(Death):
        house.drain(["alert"])
    (stored,) = store.scan("narratives", Filter())
    assert stored.document["near"], "it names no other"
    house.drain(["alert"], batch=1)
    (alert,) = house.alerts()
    assert alert.posts == 3
    assert result_of(house).dead == frozenset()
    house.close()
