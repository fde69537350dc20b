"""`jaga ingest`: posts from files that people have, whatever the export and whatever its size, row by row to the log.

A row that cannot be a post is told on stderr with file, line and field, and counted; all others go to the log, each with the row as it stood
in the file kept as evidence. Ids are the row's own, or made from its content, so that an import which broke off can simply be run
again: what is there already counts as a duplicate.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from crawlers import pseudonym
from crawlers.archive import Archive
from crawlers.mask import Masked, masked_post
from crawlers.pages.items import PostItem
from crawlers.pages.page import Page, Pseudonym
from crawlers.publish import as_post, patiently, post_record
from pipeline.contracts import Evidence, Post, explain
from pipeline.ports import Broker, Record
from pipeline.settings import Settings
from pipeline.topology import TOPICS

from .read import Found, Told, read_file
from .row import Unusable
from .tables import FIELDS

log = logging.getLogger("jaga.ingest")

BATCH_ROWS = 500


class Rejected(Exception):
    """A row that can be no post; names the field."""


@dataclass
class Totals:
    read: int = 0
    published: int = 0
    rejected: int = 0
    unusable: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, int]:
        return {"read": self.read, "published": self.published, "rejected": self.rejected}


def ingest_files(options: argparse.Namespace, settings: Settings, open_broker: Callable[[], Broker]) -> int:
    """Exit code: 0 all published, 1 some rows rejected, 2 a file or option that cannot be used, 130 stopped."""
    try:
        told = told_of(options.column, options.platform)
    except Unusable as error:
        print(f"jaga: {error}", file=sys.stderr)
        return 2
    totals = Totals()
    with suppress(ValueError):  # not the main thread: the caller handles signals
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    stopped = False
    try:
        maker = pseudonym.maker(pseudonym.key(settings))
        archive = Archive(settings.home / "warc")
        broker = patiently(open_broker, "log", max_pause_s=settings.retry_max_s)
        try:
            patiently(lambda: broker.ensure(TOPICS), "log", max_pause_s=settings.retry_max_s)
            importer = Importer(broker, archive, totals, maker, told, settings.retry_max_s)
            for path in options.file:
                try:
                    importer.file(path)
                except Unusable as error:
                    totals.unusable += 1
                    print(f"jaga: {error}", file=sys.stderr)
        finally:
            broker.close()
            archive.close()
    except KeyboardInterrupt:
        stopped = True
        print("jaga: stopped; run it again to go on: what is published already counts as duplicate", file=sys.stderr)
    except OSError as error:
        print(f"jaga: JAGA_HOME {settings.home}: {error}", file=sys.stderr)
        totals.unusable += 1
    for why, n in totals.skipped.items():
        print(f"{n} left out: {why}", file=sys.stderr)
    print(f"{totals.read} rows read, {totals.published} published, {totals.rejected} rejected", file=sys.stderr)
    if options.json:
        print(json.dumps(totals.as_dict()), flush=True)
    if stopped:
        return 130
    return 2 if totals.unusable else 1 if totals.rejected else 0


def told_of(columns: Iterable[str], platform: str) -> Told:
    """What --column and --platform say. Raises Unusable."""
    if not re.fullmatch(r"[a-z0-9_]{1,32}", platform):
        raise Unusable(f"--platform {platform!r}: lower-case letters, digits and _ only, at most 32")
    found = {}
    for entry in columns:
        ours, equals, name = entry.partition("=")
        ours = {"id": "native_id", "date": "published_at"}.get(ours, ours)
        if not equals or not name or ours not in FIELDS:
            raise Unusable(f"--column {entry}: FIELD=NAME with FIELD one of {', '.join(FIELDS)}")
        found[ours] = name
    return Told(found, platform)


@dataclass
class _Waiting:
    """A post on its way to the log, masked."""

    found: Found
    post: Post


class Importer:
    """Reads files and publishes their rows in batches. Memory does not grow with the file."""

    def __init__(
        self, broker: Broker, archive: Archive, totals: Totals, maker: Pseudonym, told: Told, max_pause_s: float
    ) -> None:
        self.broker, self.archive, self.totals, self.maker = broker, archive, totals, maker
        self.told, self.max_pause_s = told, max_pause_s
        self._row: tuple[str, Evidence] | None = None
        """The row archived last, and where: several posts may come out of one."""

    def file(self, path: Path) -> None:
        """Import one file. Raises Unusable."""
        try:
            if path.is_dir():
                raise Unusable(f"{path}: is a folder")
            size = path.stat().st_size
            file = path.open("rb")
        except OSError as error:
            raise Unusable(f"{path}: {error.strerror or error}") from error
        page = Page(b"", "", pseudonym=self.maker)
        before, left_out = self.totals.read, self.totals.skipped.total()
        with file, _progress(path, size) as advance:
            batch: list[_Waiting] = []
            repeats = _Repeats(path)
            try:
                for found in read_file(file, str(path), page, self.told, _say):
                    if found.skipped:
                        self.totals.skipped[found.skipped] += 1
                        continue
                    self.totals.read += 1
                    try:
                        post = self._masked(found, path)
                    except Rejected as error:
                        self.totals.rejected += 1
                        _say(f"{found.name}:{found.line}: {error}")
                        continue
                    for what, where in found.problems:
                        _say(f"{found.name}:{found.line}: note: {where}: {what}")
                    repeats.note(found.line, post)
                    batch.append(_Waiting(found, post))
                    if len(batch) >= BATCH_ROWS:
                        self._publish(batch)
                        advance(file.tell())
                        batch = []
            finally:
                # Also when the rest of the file turns out to be unreadable: what was read is published.
                self._publish(batch)
                repeats.close()
        if self.totals.read == before and self.totals.skipped.total() > left_out:
            raise Unusable(f"{path}: no posts in it that may be read; why, is told at the end")

    def _publish(self, batch: list[_Waiting]) -> None:
        if batch:
            records: list[Record] = patiently(lambda: self._kept(batch), "archive", max_pause_s=self.max_pause_s)
            patiently(lambda: self.broker.publish(records), "log", max_pause_s=self.max_pause_s)
            self.totals.published += len(batch)

    def _kept(self, batch: list[_Waiting]) -> list[Record]:
        """The posts with their rows archived; posts of one row share its record. Raises OSError, and can be done again."""
        records = []
        for waiting in batch:
            if waiting.post.evidence is None:
                waiting.post = waiting.post.model_copy(update={"evidence": self._evidence(waiting.found)})
            records.append(post_record(Masked(waiting.post)))
        self.archive.sync()
        return records

    def _evidence(self, found: Found) -> Evidence:
        if self._row is None or self._row[0] is not found.raw:
            name = quote(os.path.basename(found.name).encode("utf-8", "replace"))
            kind = "application/json" if found.raw.lstrip()[:1] in ("{", "[") else "text/csv"
            body = found.raw.encode("utf-8", "surrogateescape")
            kept = self.archive.keep_row(f"file:{name}#line={found.line}", body, kind, datetime.now(UTC))
            self._row = found.raw, kept
        return self._row[1]

    def _masked(self, found: Found, path: Path) -> Post:
        """The post as it goes on the log: before its row is archived it is known whether it can be. Raises Rejected."""
        post = self._post(found, path)
        try:
            return masked_post(post)
        except ValidationError as error:
            raise Rejected(
                f"{found.place}: masked, {explain(error)}" if found.place else f"masked, {explain(error)}"
            ) from error

    def _post(self, found: Found, path: Path) -> Post:
        """Raises Rejected with the field and the cause."""
        place = f"{found.place}: " if found.place else ""
        if found.item is None:
            raise Rejected(place + found.why)
        source = f"file:{path.name}"[:200].encode("utf-8", "replace").decode()
        if isinstance(found.item, PostItem):
            try:
                return as_post(found.item, fetched_at=datetime.now(UTC), source=source, region=None, evidence=None)
            except ValidationError as error:
                raise Rejected(place + explain(error)) from error
        return found.item if found.item.source else found.item.model_copy(update={"source": source})


def _say(message: str) -> None:
    print(message, file=sys.stderr)


class _Repeats:
    """Tells when an id comes again with other content. Kept on disk, so that memory does not grow with the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect("")
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("CREATE TABLE seen (id INTEGER PRIMARY KEY, line INTEGER, revision TEXT)")

    def note(self, line: int, post: Post) -> None:
        key = int(post.id[1:16], 16)
        row = self._db.execute("SELECT line, revision FROM seen WHERE id = ?", (key,)).fetchone()
        if row is None:
            self._db.execute("INSERT INTO seen VALUES (?, ?, ?)", (key, line, post.revision))
        elif row[1] != post.revision:
            print(
                f"{self.path}:{line}: warning: id {post.native_id[:80]} has other content than on line {row[0]}; both are published as revisions",
                file=sys.stderr,
            )

    def close(self) -> None:
        self._db.close()


class _progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size
        self._bar: Any = None

    def __enter__(self) -> Callable[[int], None]:
        if not sys.stderr.isatty():
            return lambda position: None
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        task = self._bar.add_task(self._path.name, total=self._size)
        bar = self._bar
        return lambda position: bar.update(task, completed=position)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
