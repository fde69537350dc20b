"""Whether a folder that somebody handed over is what its chain says. Nothing in it is trusted: no link is followed, no path leads out,
memory stays bounded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from pydantic import ValidationError

from pipeline.contracts import Post, explain

from .chain import BadChain, Entry, dict_of, lines_of, read_small
from .chain_check import check_chain, check_stamps, differs
from .records import Damaged, scan, uuid_of
from .report import Report
from .seal import MAX_LIST_BYTES

MAX_FILES = 200_000
MAX_POSTS_BYTES = 500_000_000


def verify_folder(folder: Path, trusted: list[x509.Certificate] | None = None, head: str = "") -> Report:
    """A folder made by `jaga evidence export`. One with links in it is not looked at any further."""
    report = Report()
    files = _walk(folder, report)
    if not report.ok:
        return report
    _sums(folder, files, report)
    entries = check_chain(folder, report, head)
    if not entries:
        report.wrong("evidence", "holds no chain")
    check_stamps(folder, entries, report, trusted or [])
    lists = _lists(folder, files, entries, report)
    payloads = _single_records(folder, files, lists, report)
    _posts(folder, payloads, report)
    return report


def _walk(folder: Path, report: Report) -> list[str]:
    """Every plain file, as a path from the folder. Links and other things are problems and are not followed."""
    found: list[str] = []
    left = [folder]
    while left and len(found) < MAX_FILES:
        with os.scandir(left.pop()) as there:
            for entry in there:
                path = Path(entry.path).relative_to(folder).as_posix()
                if entry.is_symlink():
                    report.wrong(path, "is a link")
                elif entry.is_dir(follow_symlinks=False):
                    left.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found.append(path)
                else:
                    report.wrong(path, "is no plain file")
    if len(found) >= MAX_FILES:
        report.wrong(".", f"more than {MAX_FILES} files")
    return sorted(found)


def _sums(folder: Path, files: list[str], report: Report) -> None:
    try:
        text = read_small(folder, "SHA256SUMS", MAX_LIST_BYTES).decode("utf-8", "replace")
        told = dict_of("SHA256SUMS", text)
    except BadChain as bad:
        report.wrong(bad.file, bad.what)
        return
    if text != lines_of(told):
        report.wrong("SHA256SUMS", "is not in the order in which it was made")
    there = set(files) - {"SHA256SUMS"}
    for path in sorted(there - told.keys()):
        report.wrong(path, "is not named in SHA256SUMS")
    for path in sorted(told.keys() - there):
        report.wrong(path, "is missing")
    for path in sorted(told.keys() & there):
        report.files += 1
        if (why := differs(folder, path, told[path])) is not None:
            report.wrong(path, why.replace("the chain says", "SHA256SUMS says"))


def _lists(folder: Path, files: list[str], entries: Mapping[int, Entry], report: Report) -> dict[str, str]:
    """UUID.warc.gz -> SHA-256 from the lists that a manifest vouches for."""
    vouched = {
        path: sha256 for entry in entries.values() if entry.kind == "day" for path, sha256 in entry.digests.items()
    }
    found: dict[str, str] = {}
    for path in files:
        if not path.startswith("evidence/records/"):
            continue
        why = "is in no manifest" if path not in vouched else differs(folder, path, vouched[path])
        if why is not None:
            report.wrong(path, why)
            continue
        try:
            found |= dict_of(path, read_small(folder, path, MAX_LIST_BYTES).decode("ascii", "replace"))
        except BadChain as bad:
            report.wrong(bad.file, bad.what)
    return found


def _single_records(folder: Path, files: list[str], lists: Mapping[str, str], report: Report) -> dict[str, str]:
    """UUID -> SHA-256 of the body that was fetched, of every record in the folder."""
    found: dict[str, str] = {}
    for path in files:
        if not path.startswith("warc/"):
            continue
        name = path.removeprefix("warc/")
        uuid = name.removesuffix(".warc.gz")
        known = len(report.problems)
        try:
            with (folder / path).open("rb") as opened:
                for record in scan(opened):
                    report.records += 1
                    found[record.id] = record.payload_sha256
                    if record.id != uuid:
                        report.wrong(path, "is another record than its name says", record.id)
                    elif record.problem:
                        report.wrong(path, record.problem, uuid)
                    elif lists.get(name) != record.sha256:
                        what = (
                            "is in no list of records" if name not in lists else "its bytes are not those of the list"
                        )
                        report.wrong(path, what, uuid)
        except Damaged as damage:
            report.wrong(path, str(damage), uuid)
        except OSError as error:
            report.wrong(path, f"cannot be read: {error.strerror}")
        if uuid not in found and len(report.problems) == known:
            report.wrong(path, "holds no record")
    return found


def _posts(folder: Path, payloads: Mapping[str, str], report: Report) -> None:
    try:
        told = json.loads(read_small(folder, "posts.json", MAX_POSTS_BYTES))
        shown = list(_shown(told))
    except BadChain as bad:
        report.wrong(bad.file, bad.what)
        return
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        report.wrong("posts.json", f"cannot be read: {str(error)[:200]}")
        return
    named = set()
    for post_id, post, records in shown:
        if post.id != post_id:
            report.wrong("posts.json", f"post {post_id[:60]} is not the one that its id says")
        for record in records:
            uuid = uuid_of(str(record["record_id"])) or ""
            named.add(uuid)
            if record.get("missing"):
                report.notes.append(
                    f"post {post_id}: record {uuid} is not in the folder: {str(record['missing'])[:300]}"
                )
            elif uuid not in payloads:
                report.wrong(f"warc/{uuid}.warc.gz", f"is missing; post {post_id} was read from it", uuid)
            elif payloads[uuid] != record["sha256"]:
                report.wrong(
                    f"warc/{uuid}.warc.gz", f"its body is not the one from which post {post_id} was read", uuid
                )
    for uuid in sorted(payloads.keys() - named):
        report.wrong(f"warc/{uuid}.warc.gz", "no post of posts.json was read from it", uuid)


def _shown(told: Any) -> Iterator[tuple[str, Post, list[dict[str, Any]]]]:
    """Raises ValueError, KeyError, TypeError, AttributeError."""
    for one in told["posts"]:
        try:
            yield str(one["id"]), Post.model_validate(one["post"]), [dict(record) for record in one["records"]]
        except ValidationError as error:
            raise ValueError(explain(error)) from error
