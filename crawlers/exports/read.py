"""A file of whatever export, row by row: what each row gave, and what became of those that gave nothing.

Nothing of a file is held but the row in hand. A row that is damaged is told with its line, and the next one is read.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any, BinaryIO

from crawlers.pages.items import Item, PostItem, ProblemItem
from crawlers.pages.page import Page
from crawlers.pages.text import MOST_LINKS
from pipeline.contracts import MAX_TEXT_CHARS, Post

from . import csv_rows, json_rows, meta, opening, tables, telegram_desktop
from .recognise import LOOKED_FOR, Kind, kind_of, single, table_kind
from .row import NoPost, Row, Skipped, Unusable

Say = Callable[[str], None]
MAX_ID_CHARS = 1000
"""As the contract of a post has it."""
MOST_UNKNOWN = 20
"""So many rows of no known kind at the beginning are a file of no known kind; behind known ones each is a row of its own."""
WEAK_TEXTS = {"title", "judul", "description"}
"""Behind rows of a known export these alone make no post: notices of streams have them too."""
MOST_ABOVE = 20
"""So many lines may stand above a table's header."""
MOST_SHAPES = 1000
"""Sets of keys that are remembered with what they are; a file made to keep us busy has a new one in each row."""
_BY_VALUE = {"_type", "type"}
"""Keys whose value says what an object is."""
_POST_FIELDS = tuple(f.name for f in fields(PostItem) if f.name != "public")


@dataclass(slots=True)
class Found:
    """One post out of a row, or why there is none."""

    name: str
    """The file; within a zip, the member."""
    line: int
    """The line on which the row begins."""
    raw: str
    """The row's characters as they stand in the file; of a table the header's line before it."""
    item: PostItem | Post | None = None
    why: str = ""
    place: str = ""
    """Where in the row, if it holds several."""
    cut: bool = False
    skipped: str = ""
    """Why a row that was never meant as a post is left out."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """(what, field): the post comes without it."""

    @property
    def where(self) -> str:
        return f"line {self.line}" + (f", {self.place}" if self.place else "")


@dataclass(frozen=True)
class Told:
    """What a person said of a file: which column is which, and the platform of rows that name none."""

    columns: Mapping[str, str] = field(default_factory=dict)
    platform: str = "import"


def read_file(file: BinaryIO, name: str, page: Page, told: Told, say: Say) -> Iterator[Found]:
    """What the rows of a file give. `say` hears what the file was taken for. Raises Unusable, also after rows were read."""
    read, unusable = 0, None
    for inner, stream in opening.unpacked(file, name):
        try:
            yield from _Reading(inner, page, told, say).rows(stream)
            read += 1
        except Unusable as error:
            if inner == name:
                raise
            unusable = error  # of a zip, the other members are read all the same
            say(f"{error} (left out)")
    if unusable is not None and not read:
        raise unusable


class _Reading:
    """One file, or one member of a zip."""

    def __init__(self, name: str, page: Page, told: Told, say: Say) -> None:
        self.name, self.page, self.told, self._say = name, page, told, say
        self._named: set[str] = set()
        self._kinds: dict[tuple[str, ...], Kind | None] = {}
        self._line = 0

    def rows(self, stream: io.BufferedReader) -> Iterator[Found]:
        start = opening.start_of(stream, self.name)
        encoding = opening.encoding_of(start)
        known = start.decode(encoding, "replace")
        bare = known.lstrip("\ufeff \t\r\n\0")
        if not bare:
            whole = len(start) < opening.PEEK_BYTES
            raise Unusable(f"{self.name}: empty file" if whole else f"{self.name}: line 1: nothing but blanks")
        if bare.startswith(("window.YTD.deleted", "window.YTD.direct_message")):
            raise Unusable(f"{self.name}: line 1: not public: deleted posts or direct messages of X's archive")
        as_json = bare.startswith(("{", "[", "window.YTD"))
        if not as_json and _binary(bare):
            raise Unusable(f"{self.name}: line 1: neither text nor JSON")
        text = opening.as_text(stream, encoding, "\n" if as_json else "")
        try:
            yield from self._json(text, known) if as_json else self._table(text, known)
        except opening.DAMAGE as error:
            raise Unusable(
                f"{self.name}: damaged after line {self._line}: {error}; what came before was read"
            ) from error
        finally:
            text.detach()  # the file is closed by who opened it

    def _taken_for(self, line: int, what: str) -> None:
        if what not in self._named:
            self._named.add(what)
            self._say(f"{self.name}:{line}: taken for: {what}")

    # ------------------------------------------------------------ JSON

    def _json(self, text: io.TextIOWrapper, start: str) -> Iterator[Found]:
        plain: dict[str, str] | None = None
        unknown: list[tuple[Found, Unusable]] = []
        for found in json_rows.rows(text, start):
            self._line = found.line
            if found.why:
                yield Found(self.name, found.line, found.raw, why=found.why, cut=found.cut)
                continue
            for nth, value in _values(found.value):
                place = f"item {nth}" if nth else ""
                if not isinstance(value, dict):
                    why = f"line: {type(value).__name__} instead of an object"
                    yield Found(self.name, found.line, found.raw, why=why, place=place)
                    continue
                kind = self._kind_of(value, found.chat)
                if kind is None:
                    try:
                        plain = plain or self._plain_json(value, found.line)
                    except Unusable as error:
                        why = "line: of no known export, and no field for text"
                        unknown.append((Found(self.name, found.line, found.raw, why=why, place=place), error))
                        if not self._named and len(unknown) > MOST_UNKNOWN:
                            raise unknown[0][1] from None
                        if self._named:
                            yield unknown.pop()[0]
                        continue
                    kind = self._plain_kind(plain)
                self._taken_for(found.line, kind.name)
                yield from (row for row, _ in unknown)
                unknown.clear()
                yield from self._of(kind, value, found.line, found.raw, place)
        if unknown:
            raise unknown[0][1]

    def _kind_of(self, value: dict[str, Any], chat: dict[str, Any] | None) -> Kind | None:
        if chat is not None:
            return single("Telegram Desktop", lambda told, row: telegram_desktop.message(told, row, chat))
        if self.told.columns:
            return None
        if any(isinstance(inner, (dict, list)) for inner in value.values()) or not _BY_VALUE.isdisjoint(value):
            return kind_of(value)
        # A flat object is known by its keys alone, and a file holds many with the same.
        keys = tuple(value)
        if keys not in self._kinds:
            if len(self._kinds) > MOST_SHAPES:
                self._kinds.clear()
            self._kinds[keys] = kind_of(value)
        return self._kinds[keys]

    def _plain_json(self, value: dict[str, Any], line: int) -> dict[str, str]:
        mapping = tables.mapping(value.keys(), self.told.columns)
        for ours, column in self.told.columns.items():
            if tables.picked(value, column) is None:
                message = f"{self.name}: line {line}: no field {column!r} for {ours}; there are {', '.join(map(str, value))[:500]}"
                if ours == "text":
                    raise Unusable(message)
                self._say(f"note: {message}")
        weak = mapping.get("text", "").lower() in WEAK_TEXTS or "native_id" not in mapping
        if "text" not in mapping or (weak and self._named and not self.told.columns):
            raise Unusable(_unknown(f"{self.name}: line {line}", list(map(str, value))))
        self._unused(line, list(map(str, value)), mapping)
        return mapping

    def _plain_kind(self, mapping: Mapping[str, str]) -> Kind:
        def post(told: dict[str, Any], row: Row) -> PostItem:
            # A row that has other fields than the first one is looked through by itself.
            mine = mapping if mapping["text"] in told or self.told.columns else tables.mapping(told.keys(), {})
            picked = {ours: tables.picked(told, column) for ours, column in mine.items()}
            return tables.plain(picked, row, self.told.platform)

        return single("a table", post)

    # ------------------------------------------------------------ tables

    def _table(self, text: io.TextIOWrapper, start: str) -> Iterator[Found]:
        delimiter, told = csv_rows.delimiter_of(start)
        if told:
            text.readline()
        rows = csv_rows.rows(text, delimiter)
        head = next(rows, None)
        if head is None or head.why:
            raise Unusable(f"{self.name}: line 1: {head.why if head else 'no table'}")
        extra = 1 if told else 0
        if head.cells[0].startswith("Link:"):
            yield from self._link_checker(head, rows)
            return
        head, rows = self._below_preamble(head, rows)
        header = [name.strip() for name in head.cells]
        if head.unclosed:
            raise Unusable(f"{self.name}: line 1: the file ends inside quotes")
        kind, places = self._table_kind(header, head.line + extra)
        first_line = head.raw if head.raw.endswith("\n") else head.raw + "\n"
        self._taken_for(head.line + extra, kind.name)
        for row in rows:
            self._line = line = row.line + extra
            raw = first_line + row.raw
            if [cell.strip() for cell in row.cells] == header:
                # Files that were put behind each other.
                yield Found(self.name, line, raw, skipped="the table's header once more")
                continue
            why = row.why or csv_rows.misshapen(row, header)
            if why:
                yield Found(self.name, line, raw, why=why, cut=True)
                continue
            cells: dict[str, Any] = {ours: row.cells[at] for ours, at in places.items()}
            yield from self._of(kind, cells, line, raw, "")

    def _below_preamble(
        self, head: csv_rows.TableRow, rows: Iterator[csv_rows.TableRow]
    ) -> tuple[csv_rows.TableRow, Iterator[csv_rows.TableRow]]:
        """The header and the rows below it: tools of many reports write a few lines about the report first."""
        above = [head]
        while not self._may_be_header(above[-1].cells, len(above)) and len(above) < MOST_ABOVE:
            if (row := next(rows, None)) is None:
                break
            above.append(row)
        if len(above) > 1 and self._may_be_header(above[-1].cells, len(above)):
            self._say(f"{self.name}:{head.line}: note: {len(above) - 1} lines above the header were left out")
            return above[-1], rows
        return head, chain(above[1:], rows)

    def _may_be_header(self, cells: list[str], nth: int) -> bool:
        """Below the first row one name is not enough: a cell may say "post" too."""
        names = [name.strip() for name in cells]
        if self.told.columns:
            return set(self.told.columns.values()) <= set(names)
        mapping = tables.mapping(names, {})
        return table_kind(names) is not None or ("text" in mapping and (nth == 1 or len(mapping) > 2))

    def _table_kind(self, header: list[str], line: int) -> tuple[Kind, dict[str, int]]:
        """What the table is, and where each field lies: by their names for a known table, by ours for any other."""
        where = f"{self.name}: line {line}"
        kind = None if self.told.columns else table_kind(header)
        if kind is not None:
            return kind, {name: at for at, name in reversed(list(enumerate(header)))}
        for ours, column in self.told.columns.items():
            if column not in header:
                raise Unusable(f"{where}: no column {column!r} for {ours}; there are {', '.join(header)[:500]}")
        mapping = tables.mapping(header, self.told.columns)
        if "text" not in mapping:
            raise Unusable(_unknown(where, header))
        doubled = next((name for name in header if header.count(name) > 1 and name in mapping.values()), None)
        if doubled:
            raise Unusable(f"{where}: column {doubled!r} is there twice")
        self._unused(line, header, mapping)
        kind = single("a table", lambda told, row: tables.plain(told, row, self.told.platform))
        return kind, {ours: header.index(column) for ours, column in mapping.items()}

    def _unused(self, line: int, names: list[str], mapping: Mapping[str, str]) -> None:
        unused = [name for name in names if name not in mapping.values()]
        if unused:
            used = ", ".join(f"{ours}={name}" for ours, name in mapping.items())
            self._say(f"{self.name}:{line}: note: columns not used: {', '.join(unused)[:500]} (used: {used})")

    def _link_checker(self, head: csv_rows.TableRow, rows: Iterator[csv_rows.TableRow]) -> Iterator[Found]:
        self._taken_for(1, "CrowdTangle link checker")
        now: list[csv_rows.TableRow] = [head]

        def cells() -> Iterator[list[str]]:
            yield head.cells
            for row in rows:
                now[0] = row
                self._line = row.line
                # A row that cannot be read has one cell, so that it fits no table.
                yield [""] if row.why or row.unclosed or not row.cells else row.cells

        posts = False
        for context, made in meta.link_checker(cells(), lambda: Row(self.page)):
            posts = True
            yield self._found(now[0].line, now[0].raw, made, context, "")
        if not posts:
            raise Unusable(f"{self.name}: CrowdTangle link checker: no table of posts")

    # ------------------------------------------------------------ both

    def _of(self, kind: Kind, value: dict[str, Any], line: int, raw: str, place: str) -> Iterator[Found]:
        row = Row(self.page)
        try:
            for made in kind.made(value, row):
                yield self._found(line, raw, made, row, place)
                row.problems = []
        except (NoPost, Skipped) as error:
            yield self._found(line, raw, error, row, place)
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError, OverflowError) as error:
            why = f"cannot be read as {kind.name}: {type(error).__name__}: {error}"[:300]
            yield Found(self.name, line, raw, why=why, place=place)

    def _found(self, line: int, raw: str, made: PostItem | Post | NoPost | Skipped, row: Row, place: str) -> Found:
        if isinstance(made, Skipped):
            return Found(self.name, line, raw, skipped=str(made), place=place)
        if isinstance(made, NoPost):
            inner = ", ".join(p for p in (place, made.place) if p)
            return Found(self.name, line, raw, why=str(made), place=inner, cut=made.cut)
        if isinstance(made, PostItem) and (why := _unfit(made)):
            return Found(self.name, line, raw, why=why, place=place)
        return Found(self.name, line, raw, made, place=place, problems=row.problems)


def _values(value: Any) -> Iterator[tuple[int, Any]]:
    """(number, object): one, or those of a line that is a list."""
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        yield from enumerate(value, start=1)
    else:
        yield 0, value


def _unfit(post: PostItem) -> str:
    """Why a post would say nothing, or cannot be found again; empty if it may pass."""
    if not post.native_id:
        return "id: empty"
    for name in ("native_id", "reply_to", "repost_of"):
        if len(getattr(post, name) or "") > MAX_ID_CHARS:
            return f"{name}: longer than {MAX_ID_CHARS} characters"
    if len(post.text) > MAX_TEXT_CHARS:
        return f"text: {len(post.text)} characters, at most {MAX_TEXT_CHARS} are taken"
    del post.links[MOST_LINKS:], post.media[MOST_LINKS:]
    says_something = post.text or post.media or post.links or post.repost_of or post.url
    return "" if says_something else "text: empty"


def _binary(start: str) -> bool:
    """Whether this is no text at all: many control characters, as pictures and office files have."""
    sample = start[:2000]
    return sum(1 for c in sample if c < " " and c not in "\t\r\n\0\x1b") > len(sample) // 20


def _unknown(where: str, names: list[str]) -> str:
    return (
        f"{where}: no column for text among {', '.join(names)[:500]}; name one with --column text=NAME. "
        f"Looked for: {'; '.join(LOOKED_FOR)}"
    )


# ---------------------------------------------------------------- as items


def items(file: BinaryIO, name: str, page: Page, told: Told, say: Say) -> Iterator[Item]:
    """The same as items: posts, and a problem for each thing that could not be read."""
    skipped: dict[str, int] = {}
    try:
        for found in read_file(file, name, page, told, say):
            if found.skipped:
                skipped[found.skipped] = skipped.get(found.skipped, 0) + 1
            elif found.item is None:
                why = found.why.removeprefix("line: ")
                yield _problem(f"cut line: {why}" if found.cut else why, found.where)
            else:
                yield _item(found.item)
                for what, where in found.problems:
                    yield _problem(what, f"{found.where}, {where}")
    except Unusable as error:
        yield _problem(str(error).removeprefix(f"{name}: "), name)
    for why, n in skipped.items():
        yield _problem(f"left out {n}: {why}", name)


def _problem(what: str, where: str) -> ProblemItem:
    """Names of columns and files may hold bytes that are no characters; they are shown as they are told."""
    return ProblemItem(*(told.encode("utf-8", "backslashreplace").decode() for told in (what, where)))


def _item(post: PostItem | Post) -> PostItem:
    if isinstance(post, PostItem):
        return post
    told = {name: getattr(post, name) for name in _POST_FIELDS}
    for name in ("published_at", "edited_at"):
        told[name] = told[name].isoformat().replace("+00:00", "Z") if told[name] else None
    return PostItem(**{**told, "links": list(post.links), "media": list(post.media)})
