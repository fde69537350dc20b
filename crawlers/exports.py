"""`jaga ingest`: posts from files that people have, NDJSON and CSV, row by row, whatever the size of the file.

A row that cannot be a post is told on stderr with file, line and field, and counted; all others go to the log. Ids are the row's own, or
made from its content, so that an import which broke off can simply be run again: what is there already counts as a duplicate.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import logging
import re
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from pipeline.contracts import MAX_TEXT_CHARS, Post, Refused, digest, explain, unpack
from pipeline.ports import Broker, Record
from pipeline.settings import Settings
from pipeline.topology import TOPICS

from . import pseudonym
from .pages import dates
from .pages.export import of_line
from .pages.items import PostItem
from .pages.page import Page, Pseudonym
from .pages.problems import Notes
from .publish import as_post, patiently, post_record

log = logging.getLogger("jaga.ingest")

BATCH_ROWS = 500
MAX_LINE_BYTES = 64_000_000
"""A longer line is damage, not a post: no row needs more than a text of 5 MB, and memory must stay bounded."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "text": (
        "text",
        "full_text",
        "content",
        "body",
        "tweet",
        "message",
        "caption",
        "post",
        "description",
        "teks",
        "isi",
        "title",
        "judul",
    ),
    "native_id": ("native_id", "id", "id_str", "post_id", "tweet_id", "status_id"),
    "published_at": ("published_at", "created_at", "date", "timestamp", "datetime", "time", "tanggal", "waktu"),
    "edited_at": ("edited_at",),
    "author": ("author", "user", "username", "screen_name", "account", "akun"),
    "url": ("url", "link", "permalink"),
    "platform": ("platform",),
    "reply_to": ("reply_to", "in_reply_to_id", "in_reply_to_status_id"),
    "repost_of": ("repost_of",),
    "likes": ("likes", "like_count", "favorite_count", "favourites_count", "digg_count"),
    "reposts": ("reposts", "retweet_count", "reblogs_count", "shares", "share_count"),
    "replies": ("replies", "reply_count", "comments", "comment_count"),
    "views": ("views", "view_count", "views_count", "play_count"),
}
"""Field -> names of columns that are taken for it without being told, the likeliest first."""

_COUNTS = ("likes", "reposts", "replies", "views")
FIELDS = tuple(ALIASES)
_OURS = frozenset(Post.model_fields)
_END = "\ue000jaga-end\ue000"
"""A line put behind a file's last: if it turns up inside a field, that field's quotes were never closed."""
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


class Unusable(Exception):
    """A file from which nothing can be read; names file, line and column where there is one."""


class Rejected(Exception):
    """A row that can be no post; names the field."""


@dataclass
class Totals:
    read: int = 0
    published: int = 0
    rejected: int = 0
    unusable: int = 0

    def as_dict(self) -> dict[str, int]:
        return {"read": self.read, "published": self.published, "rejected": self.rejected}


Row = tuple[int, "Mapping[str, Any] | Rejected"]
"""(first line of the row, its fields or why there are none)"""


def ingest_files(options: argparse.Namespace, settings: Settings, open_broker: Callable[[], Broker]) -> int:
    """Exit code: 0 all published, 1 some rows rejected, 2 a file or option that cannot be used, 130 stopped."""
    try:
        columns = _columns(options.column)
        if not re.fullmatch(r"[a-z0-9_]{1,32}", options.platform):
            raise Unusable(f"--platform {options.platform!r}: lower-case letters, digits and _ only, at most 32")
    except Unusable as error:
        print(f"jaga: {error}", file=sys.stderr)
        return 2
    totals = Totals()
    with suppress(ValueError):  # not the main thread: the caller handles signals
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    stopped = False
    try:
        maker = pseudonym.maker(pseudonym.key(settings))
        broker = patiently(open_broker, "log", max_pause_s=settings.retry_max_s)
        try:
            patiently(lambda: broker.ensure(TOPICS), "log", max_pause_s=settings.retry_max_s)
            importer = Importer(broker, totals, maker, options.platform, columns, settings.retry_max_s)
            for path in options.file:
                try:
                    importer.file(path)
                except Unusable as error:
                    totals.unusable += 1
                    print(f"jaga: {error}", file=sys.stderr)
        finally:
            broker.close()
    except KeyboardInterrupt:
        stopped = True
        print("jaga: stopped; run it again to go on: what is published already counts as duplicate", file=sys.stderr)
    except OSError as error:
        print(f"jaga: JAGA_HOME {settings.home}: {error}", file=sys.stderr)
        totals.unusable += 1
    print(f"{totals.read} rows read, {totals.published} published, {totals.rejected} rejected", file=sys.stderr)
    if options.json:
        print(json.dumps(totals.as_dict()), flush=True)
    if stopped:
        return 130
    return 2 if totals.unusable else 1 if totals.rejected else 0


def _columns(told: list[str]) -> dict[str, str]:
    found = {}
    for entry in told:
        field, equals, name = entry.partition("=")
        field = {"id": "native_id", "date": "published_at"}.get(field, field)
        if not equals or not name or field not in FIELDS:
            raise Unusable(f"--column {entry}: FIELD=NAME with FIELD one of {', '.join(FIELDS)}")
        found[field] = name
    return found


class Importer:
    """Reads files and publishes their rows in batches. Memory does not grow with the file."""

    def __init__(
        self,
        broker: Broker,
        totals: Totals,
        maker: Pseudonym,
        platform: str,
        columns: Mapping[str, str],
        max_pause_s: float,
    ) -> None:
        self.broker, self.totals, self.maker = broker, totals, maker
        self.platform, self.columns, self.max_pause_s = platform, columns, max_pause_s

    def file(self, path: Path) -> None:
        """Import one file. Raises Unusable."""
        try:
            if path.is_dir():
                raise Unusable(f"{path}: is a folder")
            size = path.stat().st_size
            file = path.open("rb")
        except OSError as error:
            raise Unusable(f"{path}: {error.strerror or error}") from error
        with file, _progress(path, size) as advance:
            batch: list[Record] = []
            repeats = _Repeats(path)
            try:
                for line, row in _rows(path, file, self.columns):
                    for made in self._posts(row, path):
                        if isinstance(made, Rejected):
                            self.totals.rejected += 1
                            print(f"{path}:{line}: {made}", file=sys.stderr)
                            continue
                        try:
                            batch.append(post_record(made))
                        except ValidationError as error:
                            self.totals.rejected += 1
                            print(f"{path}:{line}: masked, {explain(error)}", file=sys.stderr)
                            continue
                        repeats.note(line, made)
                        if len(batch) >= BATCH_ROWS:
                            self._publish(batch)
                            advance(file.tell())
                            batch = []
            finally:
                # Also when the rest of the file turns out to be unreadable: what was read is published.
                self._publish(batch)
                repeats.close()

    def _publish(self, batch: list[Record]) -> None:
        if batch:
            patiently(lambda: self.broker.publish(batch), "log", max_pause_s=self.max_pause_s)
            self.totals.published += len(batch)

    def _posts(self, row: Mapping[str, Any] | Rejected, path: Path) -> Iterator[Post | Rejected]:
        """What a row gives: one post as a rule, several from a page of an API, each counted as read."""
        if isinstance(row, Rejected):
            self.totals.read += 1
            yield row
        elif _is_export(row):
            yield from self._exported(row, path)
        else:
            self.totals.read += 1
            try:
                yield self._post(row, path)
            except Rejected as error:
                yield error

    def _exported(self, row: Mapping[str, Any], path: Path) -> Iterator[Post | Rejected]:
        page = Page(b"", "https://export.example/", pseudonym=self.maker)
        notes = Notes(page)
        for item in of_line(row, page, notes, "line"):
            self.totals.read += 1
            try:
                if isinstance(item, PostItem):
                    yield as_post(item, fetched_at=page.fetched_at, source=_source(path), region=None, evidence=None)
            except ValidationError as error:
                yield Rejected(explain(error))
        for problem in notes.drain():
            if "date" in problem.what:
                # The post came in without its time; everything else in it is the platform's own.
                print(f"{path}: note: {problem.where}: {problem.what}", file=sys.stderr)
                continue
            self.totals.read += 1
            yield Rejected(f"{problem.where}: {problem.what}")

    def _post(self, row: Mapping[str, Any], path: Path) -> Post:
        """Raises Rejected with the field and the cause."""
        try:
            if {"schema", "version", "body"} <= row.keys():
                post = unpack("post", json.dumps(row).encode())
                return self._ours(post.model_dump(exclude_unset=True), path)
            if "native_id" in row and "platform" in row and "\0mapped" not in row:
                return self._ours(row, path)
            return self._theirs(row, path)
        except Refused as error:
            raise Rejected(str(error)) from error
        except ValidationError as error:
            raise Rejected(explain(error)) from error

    def _ours(self, row: Mapping[str, Any], path: Path) -> Post:
        told = {name: value for name, value in row.items() if name != "type"}
        if row.get("type", "post") != "post":
            raise Rejected(f"type: {row['type']!r} is no post")
        unknown = sorted(told.keys() - _OURS)
        if unknown:
            raise Rejected(f"{unknown[0]}: unknown field")
        told.setdefault("fetched_at", datetime.now(UTC))
        if told.get("source") is None:
            told["source"] = _source(path)
        author = told.get("author")
        if isinstance(author, str) and not pseudonym.MADE.match(author):
            told["author"] = self.maker(str(told["platform"]), author)
        if not str(told.get("text") or "").strip() and not told.get("media") and not told.get("repost_of"):
            raise Rejected("text: empty")
        for name in ("links", "media"):
            if told.get(name) is None:
                told.pop(name, None)
        if told.get("counts") is None:
            told.pop("counts", None)
        return Post.model_validate(told)

    def _theirs(self, row: Mapping[str, Any], path: Path) -> Post:
        fields = {name: row.get(name) for name in FIELDS} if "\0mapped" in row else _by_alias(row, self.columns)
        text = fields["text"]
        if text is not None and not isinstance(text, str):
            raise Rejected(f"text: {type(text).__name__} instead of words")
        if not text or not text.strip():
            raise Rejected("text: empty")
        if len(text) > MAX_TEXT_CHARS:
            raise Rejected(f"text: {len(text)} characters, at most {MAX_TEXT_CHARS} are taken")
        platform = str(fields["platform"] or self.platform).strip().lower()
        now = datetime.now(UTC)
        times = {}
        for name in ("published_at", "edited_at"):
            try:
                times[name] = dates.instant(fields[name], now)
            except dates.BadDate as error:
                raise Rejected(f"{name}: {error}") from error
        author = _word("author", fields["author"])
        native = _word("id", fields["native_id"])
        url = _word("url", fields["url"])
        if native is None:
            told = times["published_at"]
            native = "row-" + digest(platform, author or "", told.isoformat() if told else "", url or "", text)[:24]
        return Post.model_validate(
            {
                "platform": platform,
                "native_id": native,
                "text": text,
                "fetched_at": now,
                "url": url,
                "author": author if author is None or pseudonym.MADE.match(author) else self.maker(platform, author),
                **times,
                "reply_to": _word("reply_to", fields["reply_to"]),
                "repost_of": _word("repost_of", fields["repost_of"]),
                "counts": {name: _count(name, fields[name]) for name in _COUNTS if fields[name] not in (None, "")},
                "source": _source(path),
            }
        )


def _is_export(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("data"), (dict, list)) and (
        "source_platform" in row or "includes" in row or "__twarc" in row
    )


def _source(path: Path) -> str:
    return f"file:{path.name}"[:200].encode("utf-8", "replace").decode()


def _word(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, (dict, list)):
        for inner in ("username", "screen_name", "name", "id"):
            if isinstance(value, dict) and isinstance(value.get(inner), (str, int)):
                return str(value[inner])
        raise Rejected(f"{name}: {type(value).__name__} instead of a word")
    return str(value).strip() or None


def _count(name: str, value: Any) -> int:
    try:
        number = int(float(str(value).replace(",", "")))
    except (ValueError, OverflowError) as error:
        raise Rejected(f"{name}: {str(value)[:40]!r} is no number") from error
    if number < 0:
        raise Rejected(f"{name}: {number} is below 0")
    return number


def _by_alias(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    mapping = _mapping(row.keys(), columns)
    return {field: row.get(mapping[field]) if field in mapping else None for field in FIELDS}


def _mapping(names: Any, columns: Mapping[str, str]) -> dict[str, str]:
    """Field -> column. A column is taken once; those told come first."""
    by_lower = {str(name).strip().lower(): name for name in names}
    mapping = dict(columns)
    for field, aliases in ALIASES.items():
        if field not in mapping:
            found = next((by_lower[a] for a in aliases if a in by_lower and by_lower[a] not in mapping.values()), None)
            if found is not None:
                mapping[field] = found
    return mapping


# ---------------------------------------------------------------- reading


def _rows(path: Path, file: BinaryIO, columns: Mapping[str, str]) -> Iterator[Row]:
    start = file.read(4096)
    file.seek(0)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Unusable(f"{path}: line 1: UTF-16; save it as UTF-8")
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not bare:
        raise Unusable(f"{path}: empty file" if len(start) < 4096 else f"{path}: line 1: nothing but blanks")
    if bare[:1] == b"{":
        return _ndjson(path, file)
    if bare[:1] == b"[":
        raise Unusable(f"{path}: line 1: a JSON list; one object a line is needed (NDJSON)")
    if b"\0" in bare and not path.suffix.lower() == ".csv":
        raise Unusable(f"{path}: line 1: neither text nor JSON")
    return _csv(path, file, columns)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """(number, line); None for one that is too long to be held."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, line


def _ndjson(path: Path, file: BinaryIO) -> Iterator[Row]:
    noted = False
    for number, raw in _lines(file):
        if raw is None:
            yield number, Rejected(f"line: longer than {MAX_LINE_BYTES} bytes")
            continue
        raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if not raw.strip():
            continue
        try:
            row = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            yield number, Rejected(f"line: not UTF-8, byte {error.start + 1}")
            continue
        except RecursionError:
            yield number, Rejected("line: JSON nested too deep")
            continue
        except ValueError as error:
            cut = "" if raw.endswith(b"\n") else " (the file ends in half a line)"
            yield number, Rejected(f"line: not JSON: {error}{cut}")
            continue
        if not isinstance(row, dict):
            yield number, Rejected(f"line: {type(row).__name__} instead of an object")
            continue
        if not noted and not {"native_id", "platform"} <= row.keys() and "schema" not in row and not _is_export(row):
            noted = True
            _note_unused(path, row.keys(), _mapping(row.keys(), {}))
        yield number, row


def _csv(path: Path, file: BinaryIO, columns: Mapping[str, str]) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE_BYTES)
    first = file.readline(MAX_LINE_BYTES).decode("utf-8-sig", "surrogateescape")
    delimiter = max(",;\t|", key=first.count)
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")

    def lines() -> Iterator[str]:
        while line := text.readline(MAX_LINE_BYTES):
            yield line
        yield _END

    reader = csv.reader(lines(), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise Unusable(f"{path}: line 1: {error}") from error
    mapping = _mapping(header, columns)
    for field, name in columns.items():
        if name not in header:
            raise Unusable(f"{path}: line 1: no column {name!r} for {field}; there are {', '.join(header)[:500]}")
    if "text" not in mapping:
        raise Unusable(
            f"{path}: line 1: no column for text among {', '.join(header)[:500]}; name one with --column text=NAME"
        )
    doubled = next((name for name in header if header.count(name) > 1 and name in mapping.values()), None)
    if doubled:
        raise Unusable(f"{path}: line 1: column {doubled!r} is there twice")
    _note_unused(path, header, mapping)
    places = {field: header.index(name) for field, name in mapping.items()}
    began = reader.line_num + 1
    try:
        yield from _csv_rows(reader, header, places, began)
    finally:
        text.detach()  # the file is closed by who opened it


def _csv_rows(reader: Any, header: list[str], places: Mapping[str, int], began: int) -> Iterator[Row]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield began, Rejected(f"row: {error}")
            began = reader.line_num + 1
            continue
        line, began = began, reader.line_num + 1
        if cells == [_END] or not cells or cells == [""]:
            continue
        if cells[-1].endswith(_END) or any(_END in cell for cell in cells):
            column = header[min(len(cells), len(header)) - 1]
            yield line, Rejected(f"{column}: the file ends inside quotes")
            continue
        if len(cells) != len(header):
            column = header[len(cells)] if len(cells) < len(header) else header[-1]
            yield line, Rejected(f"{column}: the row has {len(cells)} columns, the header {len(header)}")
            continue
        broken = next((n for n, cell in enumerate(cells) if _NOT_UTF8.search(cell)), None)
        if broken is not None:
            before = cells[broken][: _NOT_UTF8.search(cells[broken]).start()]  # type: ignore[union-attr]
            yield (
                line,
                Rejected(
                    f"{header[broken]}: not UTF-8, byte {len(before.encode('utf-8', 'surrogateescape')) + 1} of the field"
                ),
            )
            continue
        yield line, {"\0mapped": True, **{field: cells[place] for field, place in places.items()}}


def _note_unused(path: Path, names: Any, mapping: Mapping[str, str]) -> None:
    unused = [str(name) for name in names if name not in mapping.values()]
    if unused:
        used = ", ".join(f"{field}={name}" for field, name in mapping.items())
        print(f"{path}:1: note: columns not used: {', '.join(unused)[:500]} (used: {used})", file=sys.stderr)


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
