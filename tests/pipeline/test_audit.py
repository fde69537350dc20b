"""Who did what stays as it was written."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from pipeline.audit import FIRST, Audit, Tampered


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    made = Audit(tmp_path / "home" / "audit.jsonl")
    for n in range(4):
        made.record(who="sari", act="keys link", what=f"a_{n}", why=f"perkara {n}", platform="x")
    return made


def test_entries_come_back_in_order_with_who_what_and_why(audit: Audit) -> None:
    found = list(audit.entries())
    assert [(e.number, e.who, e.act, e.what, e.why) for e in found] == [
        (n + 1, "sari", "keys link", f"a_{n}", f"perkara {n}") for n in range(4)
    ]
    assert found[0].before == FIRST
    assert found[3].details == {"platform": "x"}
    assert audit.verify() == (4, found[3].hash)
    assert audit.path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_written_without_a_name_and_a_reason(audit: Audit) -> None:
    for who, why in (("", "x"), ("sari", "  ")):
        with pytest.raises(ValueError, match="name"):
            audit.record(who=who, act="x", what="y", why=why)
    assert audit.verify()[0] == 4


def test_a_changed_removed_or_moved_line_is_told(audit: Audit) -> None:
    lines = audit.path.read_bytes().splitlines(keepends=True)
    changed = [lines[0].replace(b"sari", b"budi"), *lines[1:]]
    for broken in (
        changed,
        lines[1:],
        [*lines[:1], *lines[2:]],
        [lines[1], lines[0], *lines[2:]],
        [lines[0], b"x\n", *lines[2:]],
    ):
        audit.path.write_bytes(b"".join(broken))
        with pytest.raises(Tampered, match=r"audit\.jsonl:\d"):
            audit.verify()
        with pytest.raises(Tampered):
            audit.record(who="sari", act="x", what="y", why="z")


def test_a_line_cut_by_a_power_failure_hinders_nobody(audit: Audit) -> None:
    whole = audit.path.read_bytes()
    audit.path.write_bytes(whole + b'{"number":5,"who":"sa')
    assert audit.record(who="sari", act="x", what="y", why="z").number == 5
    assert audit.verify()[0] == 5


def test_many_at_once_make_one_chain(audit: Audit) -> None:
    def write(n: int) -> None:
        for i in range(20):
            Audit(audit.path).record(who=f"w{n}", act="x", what=str(i), why="z")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit.verify()[0] == 84
    assert all(json.loads(line) for line in audit.path.read_text().splitlines())


def test_a_file_that_is_not_there_has_no_entries(tmp_path: Path) -> None:
    assert Audit(tmp_path / "x").verify() == (0, FIRST)
