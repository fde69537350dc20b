"""A folder to hand over: the records of some posts, the chain that vouches for them, a page to read, and how to check it without us."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from pipeline.contracts import Evidence

from ..archive import list_of
from .chain import BadEvidence, Chain, lines_of, sha256_of, sync_folder, told_at, write_whole
from .find import Asked, Found
from .records import Record, uuid_of
from .removals import removed_of
from .screenshot import find_browser, photograph
from .seal import listed, locate, seal, sealed_names

PAPERS = Path(__file__).with_name("papers")


@dataclass
class Exported:
    folder: Path
    posts: int = 0
    records: int = 0
    missing: list[str] = field(default_factory=list)
    """What could not be handed over, and why."""
    notes: list[str] = field(default_factory=list)
    head: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "folder": str(self.folder)}


@dataclass
class _Shown:
    """A record as the page and posts.json tell of it."""

    evidence: Evidence
    uuid: str
    record: Record | None = None
    missing: str = ""

    def as_dict(self) -> dict[str, Any]:
        told = {**self.evidence.model_dump(), "file": f"warc/{self.uuid}.warc.gz"}
        if self.record is None:
            return {**told, "missing": self.missing}
        return {**told, "url": self.record.url, "fetched_at": self.record.date}


def export(
    home: Path,
    asked: Asked,
    folder: Path,
    *,
    who: str,
    why: str = "",
    screenshot: bool = False,
    now: datetime | None = None,
) -> Exported:
    """Write `folder`, whole or not at all. Raises BadEvidence if it exists, or if there is nothing to hand over; BadChain, OSError."""
    now = now or datetime.now(UTC)
    if screenshot:
        find_browser()
    if os.path.lexists(folder):
        raise BadEvidence(f"{folder}: exists already; nothing was written")
    done = Exported(folder, posts=len(asked.posts))
    shown = _locate(home, asked, now, done)
    if not any(one.record for records in shown.values() for one in records):
        why = f": {done.missing[0]}" if done.missing else " (posts from files of earlier versions came without bytes)"
        raise BadEvidence(f"{asked.id}: no record of it is in the archive{why}")
    _note_opening(home, asked, shown, who, why, now)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    part.mkdir()
    try:
        _fill(home, asked, shown, part, now, done)
        if screenshot:
            done.notes += photograph(part)
        sums = {path.relative_to(part).as_posix(): sha256_of(path) for path in part.rglob("*") if path.is_file()}
        _write(part / "SHA256SUMS", lines_of(sums).encode())
        # Fails where somebody made the folder meanwhile, unless it is empty.
        os.rename(part, folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return done


def _note_opening(home: Path, asked: Asked, shown: dict[str, list[_Shown]], who: str, why: str, now: datetime) -> None:
    """Nobody takes raw bytes out unseen: who, when, what and why lie in a file that an entry of the chain names."""
    chain = Chain(home)
    with chain.locked():
        last = chain.last()
        number = last.number + 1 if last else 1
        path = f"evidence/openings/{number:06d}.json"
        records = sorted(one.uuid for told in shown.values() for one in told if one.record)
        told = {"id": asked.id, "who": who, "why": why, "at": told_at(now), "records": records, "entry": number}
        write_whole(home / path, json.dumps(told, ensure_ascii=False).encode())
        chain.append("opening", {}, {path: sha256_of(home / path)}, at=now)


def _locate(home: Path, asked: Asked, now: datetime, done: Exported) -> dict[str, list[_Shown]]:
    """Post id -> its records; those that are in no manifest yet are sealed first."""
    shown: dict[str, list[_Shown]] = {}
    by_file: defaultdict[str, list[_Shown]] = defaultdict(list)
    for found in asked.posts:
        shown[found.post.id] = []
        for evidence in found.records:
            uuid = uuid_of(evidence.record_id)
            if uuid is None:
                done.missing.append(f"post {found.post.id}: {evidence.record_id[:100]!r} is no record id of ours")
                continue
            one = _Shown(evidence, uuid.lower())
            shown[found.post.id].append(one)
            by_file[evidence.warc].append(one)
        if not found.records:
            done.missing.append(f"post {found.post.id}: came without bytes")
    chain = Chain(home)
    if by_file.keys() - sealed_names(chain):
        done.notes += seal(home, only=by_file, now=now).notes
    sealed = sealed_names(chain)
    gone = removed_of(home, chain.entries())
    for name, wanted in by_file.items():
        there = locate(home, name, {one.uuid for one in wanted})
        lines = listed(home, name) if name in sealed else {}
        for one in wanted:
            one.record = there.get(one.uuid)
            one.missing = "removed by rule, as the chain tells" if one.uuid in gone.get(name, ()) else _flaw(one, lines)
            if one.missing:
                one.record = None
                done.missing.append(f"record {one.uuid}: {one.missing}")
    return shown


def _flaw(one: _Shown, lines: Mapping[str, str]) -> str:
    """Why a record proves nothing of its post; empty if it does."""
    where, record = f"warc/{one.evidence.warc}", one.record
    if record is None:
        return f"is not in {where}"
    if one.uuid not in lines:
        return f"is in no list of a sealed file ({where})"
    if lines[one.uuid] != record.sha256 or record.problem:
        return f"was changed since it was sealed ({where}): `jaga evidence verify` says more"
    if one.evidence.sha256 != record.payload_sha256:
        return f"holds another body than the post names ({where})"
    return ""


def _fill(home: Path, asked: Asked, shown: dict[str, list[_Shown]], part: Path, now: datetime, done: Exported) -> None:
    (part / "warc").mkdir()
    (part / "evidence" / "records").mkdir(parents=True)
    used = {(one.evidence.warc, one.uuid): one.record for told in shown.values() for one in told if one.record}
    for (warc, uuid), record in used.items():
        with (home / "warc" / warc).open("rb") as file:
            file.seek(record.offset)
            _write(part / "warc" / f"{uuid}.warc.gz", file.read(record.length))
    done.records = len(used)
    chain = Chain(home)
    with chain.locked():
        for warc in {warc for warc, _ in used}:
            records = list_of(Path("evidence/records"), warc)
            _write(part / records, (home / records).read_bytes())
        for path in (*(e.path for e in chain.entries()), "evidence/HEAD", *_stamps(home)):
            _write(part / path, (home / path).read_bytes())
        head = chain.head()
    done.head = head.sha256
    posts = [_as_told(found, shown[found.post.id]) for found in asked.posts]
    told = {
        "asked_for": asked.id,
        "made_at": told_at(now),
        "head": head.sha256,
        "alert": asked.alert.model_dump(mode="json") if asked.alert else None,
        "posts": posts,
    }
    _write(part / "posts.json", json.dumps(told, ensure_ascii=False, indent=1).encode())
    pages = Environment(loader=FileSystemLoader(PAPERS), autoescape=True, keep_trailing_newline=True)
    papers = Environment(loader=FileSystemLoader(PAPERS), autoescape=False, keep_trailing_newline=True)  # noqa: S701 - plain text
    words = {**told, "stamps": _stamps(part), "entries": head.number}
    _write(part / "index.html", pages.get_template("index.html").render(words).encode())
    for name in ("VERIFY.md", "CARA-VERIFIKASI.md"):
        _write(part / name, papers.get_template(name).render(words).encode())


def _as_told(found: Found, records: list[_Shown]) -> dict[str, Any]:
    return {
        "id": found.post.id,
        "post": found.post.model_dump(mode="json"),
        "records": [one.as_dict() for one in records],
        "deleted": found.deleted,
    }


def _stamps(home: Path) -> list[str]:
    return sorted(f"evidence/{path.name}" for path in (home / "evidence").glob("*.tsr"))


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
