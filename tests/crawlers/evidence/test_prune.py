"""What is past its retention is really gone, what is on hold stays, and the chain tells of both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlers.evidence.chain import Chain
from crawlers.evidence.prune import prune
from crawlers.evidence.records import scan, uuid_of
from crawlers.evidence.seal import seal
from pipeline.contracts import Post

from .steps import PATH
from .world import World, files_under, three_days

TWO_DAYS = {"JAGA_EVIDENCE_DAYS": "2"}


def uuid(post: Post) -> str:
    assert post.evidence is not None
    return uuid_of(post.evidence.record_id) or ""


def there(world: World) -> set[str]:
    """UUIDs of every record that any file of the archive still holds."""
    found = set()
    for file in (world.home / "warc").iterdir():
        with file.open("rb") as opened:
            found |= {record.id for record in scan(opened)}
    return found


def test_only_what_is_past_its_retention_goes_and_the_chain_tells_by_whom_and_which_rule(world: World) -> None:
    world.jaga("seal")
    ran = world.jaga("prune", "--by", "sari", "--json", **TWO_DAYS)
    assert (ran.code, ran.json["removed"], ran.json["files"]) == (0, 3, 1)
    assert not {uuid(post) for post in world.posts[:2]} & there(world)
    assert {uuid(post) for post in world.posts[2:]} <= there(world)
    entry = Chain(world.home).entry(4)
    assert (entry.kind, entry.about["by"], entry.about["rule"]) == ("removal", "sari", "retention of 2 days")
    report = world.verify()
    assert (report["ok"], report["removed"]) == (True, 3)
    (note,) = [note for note in report["notes"] if "removed" in note]
    assert "by sari, retention of 2 days (evidence/000004.txt)" in note


def test_the_removed_words_are_nowhere_in_the_home_but_in_the_store(world: World) -> None:
    marked = world.keep(70, 5, text="katakuncirahasia")
    world.keep(71, 5)
    world.jaga("hold", "add", world.posts[-1].id, "--why", "perkara")
    world.jaga("prune", **TWO_DAYS)
    assert uuid(marked) not in there(world)
    for file in files_under(world.home):
        if file.name.startswith("store.db"):
            continue
        assert b"katakuncirahasia" not in file.read_bytes()


def test_everything_is_kept_unless_a_rule_is_set(world: World) -> None:
    before = there(world)
    ran = world.jaga("prune")
    assert ran.code == 2
    assert "JAGA_EVIDENCE_DAYS is 0: everything is kept" in ran.err
    assert there(world) == before


def test_a_dry_run_says_what_would_go_and_changes_nothing(world: World) -> None:
    world.jaga("seal")
    before = {path: path.read_bytes() for path in files_under(world.home) if path.name != "lock"}
    ran = world.jaga("prune", "--dry-run", **TWO_DAYS)
    assert "3 records would be removed: 1 files whole, 0 in part; 0 on hold stay" in ran.out
    assert {path: path.read_bytes() for path in files_under(world.home) if path.name != "lock"} == before


def test_what_is_on_hold_stays_byte_by_byte_while_its_neighbours_go(world: World) -> None:
    held, other = world.posts[0], world.posts[1]
    assert held.evidence is not None
    whole = (world.home / "warc" / held.evidence.warc).read_bytes()
    assert world.jaga("hold", "add", held.id, "--why", "perkara 12", "--by", "sari").code == 0
    ran = world.jaga("prune", "--json", **TWO_DAYS)
    assert (ran.json["removed"], ran.json["rewritten"], ran.json["held"]) == (2, 1, 1)
    assert uuid(held) in there(world)
    assert uuid(other) not in there(world)
    assert (world.home / "warc" / held.evidence.warc).read_bytes() in whole
    report = world.verify()
    assert report["ok"]
    assert report["removed"] == 2
    ran = subprocess.run(
        ["warcio", "check", "-v", str(world.home / "warc" / held.evidence.warc)],
        capture_output=True,
        text=True,
        env={"PATH": PATH},
    )
    assert (ran.returncode, ran.stdout.count("digest pass")) == (0, 1)


def test_a_held_post_can_still_be_handed_over_and_a_removed_one_says_so(world: World, tmp_path: Path) -> None:
    held, gone = world.posts[0], world.posts[1]
    world.jaga("hold", "add", held.id, "--why", "perkara 12")
    world.jaga("prune", **TWO_DAYS)
    assert world.jaga("export", held.id, "--to", tmp_path / "x").code == 0
    assert world.verify(tmp_path / "x")["ok"]
    assert not list((tmp_path / "x" / "evidence").glob("holds*"))
    assert "perkara 12" not in "".join(path.read_bytes().decode("latin-1") for path in files_under(tmp_path / "x"))
    ran = world.jaga("export", gone.id, "--to", tmp_path / "y")
    assert ran.code == 2
    assert "removed by rule, as the chain tells" in ran.err


def test_each_kind_of_source_is_kept_as_long_as_its_own_rule_says_and_a_hold_is_above_all(world: World) -> None:
    feed, held, telegram, other = (
        world.keep(80 + n, 5, kind=kind) for n, kind in enumerate(("feed", "feed", "telegram", "forum"))
    )
    young = world.keep(90, 1, kind="feed")
    world.jaga("hold", "add", held.id, "--why", "perkara 12")
    ran = world.jaga(
        "prune",
        "--json",
        "--keep",
        "feed=2d",
        "--keep",
        "import=0",
        JAGA_EVIDENCE_DAYS="4",
        JAGA_EVIDENCE_KEEP="telegram=365d",
    )
    assert (ran.json["removed"], ran.json["held"]) == (2, 1)
    left = there(world)
    assert {uuid(feed), uuid(other)}.isdisjoint(left)
    assert {uuid(held), uuid(telegram), uuid(young)} <= left
    (rule,) = [entry.about["rule"] for entry in Chain(world.home).entries() if entry.kind == "removal"]
    assert rule == "retention of 4 days (feed 2 days, import for good, telegram 365 days)"
    assert world.verify()["ok"]
    ran = world.jaga("prune", "--json", "--keep", "feed=2d", JAGA_EVIDENCE_DAYS="4", JAGA_EVIDENCE_KEEP="telegram=365d")
    assert ran.json["removed"] == 0, "a second run finds nothing more"


def test_a_rule_for_a_kind_alone_leaves_all_others(world: World) -> None:
    before = there(world)
    feed = world.keep(80, 5, kind="feed")
    ran = world.jaga("prune", "--json", JAGA_EVIDENCE_KEEP="feed=2d")
    assert (ran.code, ran.json["removed"]) == (0, 1)
    assert uuid(feed) not in there(world)
    assert before <= there(world)


def test_rows_of_files_are_a_kind_of_their_own(world: World) -> None:
    ran = world.jaga("prune", "--json", "--keep", "import=2d")
    assert (ran.json["removed"], ran.json["rewritten"]) == (1, 1)
    assert {uuid(post) for post in world.posts} <= there(world)


@pytest.mark.parametrize("rule", ["feed", "feed=", "feed=x", "feed=-1d", "radio=9d", "feed=1.5d"])
def test_a_rule_that_is_none_removes_nothing(world: World, rule: str) -> None:
    before = there(world)
    ran = world.jaga("prune", "--keep", rule, **TWO_DAYS)
    assert ran.code == 2
    assert f"keep {rule!r}" in ran.err
    assert there(world) == before


def test_a_hold_that_ended_no_longer_keeps_anything(world: World) -> None:
    held = world.posts[0]
    world.jaga("hold", "add", held.id, "--why", "perkara 12")
    world.jaga("prune", **TWO_DAYS)
    world.jaga("hold", "remove", held.id, "--why", "perkara selesai")
    ran = world.jaga("prune", "--json", **TWO_DAYS)
    assert (ran.json["removed"], ran.json["files"]) == (1, 1)
    assert uuid(held) not in there(world)
    assert world.verify()["ok"]
    assert world.verify()["removed"] == 3


def test_a_hold_on_an_alert_holds_its_posts_also_those_that_come_later(world: World) -> None:
    world.alert()
    world.jaga("hold", "add", "a0001", "--why", "perkara 12")
    late = world.keep(88, 4)
    ran = world.jaga("prune", "--json", **TWO_DAYS)
    assert {uuid(post) for post in world.posts} <= there(world)
    assert uuid(late) in there(world)
    assert (ran.json["removed"], ran.json["held"]) == (1, 3)


def test_a_hold_keeps_its_records_also_when_the_store_has_lost_the_post(world: World) -> None:
    held = world.posts[0]
    world.jaga("hold", "add", held.id, "--why", "perkara 12")
    (world.home / "store.db").unlink()
    assert world.jaga("prune", **TWO_DAYS).code == 0
    assert uuid(held) in there(world)


def test_nothing_is_removed_while_the_store_that_knows_what_is_held_is_away(world: World) -> None:
    world.jaga("hold", "add", world.posts[0].id, "--why", "perkara 12")
    before = there(world)
    ran = world.jaga("prune", JAGA_STORE="elasticsearch://127.0.0.1:9", **TWO_DAYS)
    assert ran.code == 1
    assert there(world) == before


def test_who_when_and_why_of_every_hold_is_kept_and_cannot_be_changed_unseen(world: World) -> None:
    name = world.posts[0].id
    world.jaga("hold", "add", name, "--why", "perkara 12", "--by", "sari")
    world.jaga("hold", "remove", name, "--why", "selesai", "--by", "budi")
    events = [json.loads(line) for line in world.jaga("hold", "list", "--all", "--json").out.splitlines()]
    assert [(e["act"], e["who"], e["why"], e["id"]) for e in events] == [
        ("add", "sari", "perkara 12", name),
        ("remove", "budi", "selesai", name),
    ]
    assert all(e["at"].endswith("Z") for e in events)
    assert world.jaga("hold", "list").out == ""
    world.jaga("seal")
    file = min((world.home / "evidence" / "holds").iterdir())
    file.write_text(file.read_text().replace("sari", "tono"))
    assert [p["file"] for p in world.verify()["problems"]] == [f"evidence/holds/{file.name}"]
    ran = world.jaga("hold", "list")
    assert ran.code == 1
    assert f"evidence/holds/{file.name}: is not what evidence/000001.txt says" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hold", "add", "p404", "--why", "x"), "no post and no alert has the id 'p404'"),
        (("hold", "add", "POST", "--why", " "), "--why: a hold, and its end, need a reason"),
        (("hold", "add", "POST"), "--why"),
        (("hold", "remove", "POST", "--why", "x"), "is not on hold"),
        (("hold", "add", "HELD", "--why", "x"), "is on hold already"),
    ],
)
def test_a_mistaken_hold_is_told(world: World, words: tuple[str, ...], said: str) -> None:
    world.jaga("hold", "add", world.posts[1].id, "--why", "perkara")
    named = {"POST": world.posts[0].id, "HELD": world.posts[1].id}
    ran = world.jaga(*(named.get(word, word) for word in words))
    assert ran.code == 2
    assert said in ran.err


def test_a_held_record_that_cannot_be_read_stops_the_removal(world: World) -> None:
    held = world.posts[1]
    world.jaga("seal")
    world.jaga("hold", "add", held.id, "--why", "perkara")
    assert held.evidence is not None
    file = world.home / "warc" / held.evidence.warc
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    ran = world.jaga("prune", **TWO_DAYS)
    assert ran.code == 2
    assert f"warc/{file.name}" in ran.err
    assert file.read_bytes() == data


# ---------------------------------------------------------------- killed

STEPS = ("fsync", "replace", "unlink")


def killed_at(step: int, act: Callable[[], Any]) -> bool:
    """Run it in a process that is killed as by `kill -9` before its `step`-th call that changes the disk; False if it came through."""
    child = os.fork()
    if child == 0:
        left = step

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **named: Any) -> Any:
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return real(*args, **named)

            return call

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            act()
        except BaseException as error:
            print(error, file=sys.__stderr__)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_killed_at_any_step_a_removal_is_finished_by_the_next_and_keeps_what_is_held(tmp_path: Path) -> None:
    step, kills = 0, 0
    while True:
        world = three_days(tmp_path / f"home{step}")
        world.keep(40, 6)
        world.jaga("seal")
        held = world.posts[0]
        world.jaga("hold", "add", held.id, "--why", "perkara")
        was_killed = killed_at(step, lambda world=world: prune(world.home, 2, "sari"))  # type: ignore[misc]
        report = world.verify()
        unfinished = [p for p in report["problems"] if "a removal that was broken off" in p["what"]]
        assert report["ok"] or unfinished == report["problems"], report["problems"]
        assert uuid(held) in there(world)
        ran = world.jaga("prune", **TWO_DAYS)
        assert ran.code == 0, ran.err
        assert world.verify()["ok"]
        assert world.verify()["removed"] == 3
        assert there(world) == {uuid(post) for post in world.posts[2:6]} | {uuid(held)} | rows(world)
        assert not [path for path in files_under(world.home) if path.name.endswith((".HEAD.part", ".left"))]
        if not was_killed:
            break
        kills += 1
        step += 1
    assert kills >= 10


def rows(world: World) -> set[str]:
    """The imported rows of the days that stay."""
    found = set()
    for file in (world.home / "warc").iterdir():
        with file.open("rb") as opened:
            found |= {record.id for record in scan(opened) if record.kind == "resource"}
    return found


def test_killed_at_any_step_a_seal_loses_nothing(tmp_path: Path) -> None:
    step = 0
    while True:
        world = three_days(tmp_path / f"home{step}")
        was_killed = killed_at(step, lambda world=world: seal(world.home))  # type: ignore[misc]
        assert world.jaga("seal").code == 0
        report = world.verify()
        assert report["ok"], report["problems"]
        assert report["records"] == 9
        assert len(Chain(world.home).numbers()) == 3
        if not was_killed:
            break
        step += 1
    assert step >= 10
