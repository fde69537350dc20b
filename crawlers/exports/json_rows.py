"""Objects out of JSON, one by one and with their bytes: a line each (NDJSON), or elements of one large document.

A document is never held whole: of a list its elements are read one after another, of Telegram Desktop's file its messages.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_CHARS = 64_000_000
"""A longer line or element is damage, or no export: memory must stay bounded."""
STEP_CHARS = 262_144
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_BLANK = re.compile(r"[ \t\r\n\0\ufeff]*")
_TELEGRAM = re.compile(r'"messages"\s*:\s*\[|"chats"\s*:\s*\{|"left_chats"\s*:\s*\{|"personal_information"\s*:')
_ASSIGNED = re.compile(r"\s*window\.YTD\.\w+\.part\d+\s*=\s*")
_DECODER = json.JSONDecoder(strict=False)
"""Not strict: exports have raw line ends and tabs in their strings."""


@dataclass(slots=True)
class JsonRow:
    """An object, or why there is none. `chat` is the Telegram chat that a message lies in."""

    line: int
    value: Any
    raw: str
    why: str = ""
    cut: bool = False
    chat: dict[str, Any] | None = None


def rows(text: io.TextIOBase, start: str) -> Iterator[JsonRow]:
    """All objects of a file. `start` is its beginning, as far as it is known already."""
    bare = start.lstrip("\ufeff \t\r\n\0")
    if _ASSIGNED.match(bare) or bare.startswith("[") or _is_document(bare):
        yield from _document(text)
    else:
        yield from _lines(text)


def _is_document(bare: str) -> bool:
    """Whether an object goes over several lines. A first line that is broken, with whole objects behind it, is NDJSON all the same."""
    line, ended, rest = bare.partition("\n")
    if _TELEGRAM.search(bare[:4096]) and '"source_platform"' not in line:
        return True
    if not ended or _whole(line):
        return False
    after = rest.lstrip()
    return (not after.startswith("{") and line.strip() in ("{", "{}")) or after[:1] in ('"', "}")


def _whole(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(text: io.TextIOBase) -> Iterator[JsonRow]:
    number = 0
    while line := text.readline(MAX_CHARS):
        number += 1
        if len(line) == MAX_CHARS and not line.endswith("\n"):
            while (rest := text.readline(MAX_CHARS)) and not rest.endswith("\n"):
                pass
            yield JsonRow(number, None, "", f"line: longer than {MAX_CHARS} characters")
            continue
        bare = line.strip(" \t\r\n\0\ufeff")
        if bare:
            yield _line(number, bare, line)


def _line(number: int, bare: str, line: str) -> JsonRow:
    bad = _NOT_UTF8.search(line)
    if bad:
        at = len(line[: bad.start()].encode("utf-8", "surrogateescape")) + 1
        return JsonRow(number, None, line, f"line: not UTF-8, byte {at}")
    try:
        value = _DECODER.decode(bare)
    except RecursionError:
        return JsonRow(number, None, line, "line: JSON nested too deep")
    except ValueError as error:
        cut = not line.endswith("\n")
        return JsonRow(
            number, None, line, f"line: not JSON: {error}{' (the file ends in half a line)' if cut else ''}", cut
        )
    return JsonRow(number, value, line)


# ---------------------------------------------------------------- documents


class _Ended(Exception):
    """The file ends where something was still to come."""


class _Broken(Exception):
    """What stands here is no JSON."""


class _Scanner:
    """A window over the characters, moved on as elements are taken out of it."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self.window, self.at, self.ended = "", 0, False
        self._line, self._counted = 1, 0

    def _more(self, step: int = STEP_CHARS) -> bool:
        got = self._text.read(step)
        self.here()
        self.window, self.at, self._counted = self.window[self.at :], 0, 0
        self.window += got
        self.ended = not got
        return bool(got)

    def here(self) -> int:
        """The line that is being read."""
        self._line += self.window.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            blank = _BLANK.match(self.window, self.at)
            self.at = blank.end() if blank else self.at
            if self.at < len(self.window):
                return self.window[self.at]
            if not self._more():
                return ""

    def take(self, expected: str) -> None:
        found = self.peek()
        if found != expected:
            raise (_Broken if found else _Ended)(f"{found!r} where {expected!r} should stand")
        self.at += 1

    def assigned(self) -> None:
        """Step over X's `window.YTD.tweets.part0 =`."""
        self.peek()
        if match := _ASSIGNED.match(self.window, self.at):
            self.at = match.end()

    def value(self) -> tuple[Any, str]:
        """The element that begins here and its characters. Raises _Ended, _Broken."""
        self.peek()
        step = STEP_CHARS
        while True:
            try:
                found, end = _DECODER.raw_decode(self.window, self.at)
            except RecursionError as error:
                raise _Broken("JSON nested too deep") from error
            except ValueError as error:
                at = getattr(error, "pos", 0)
                if not ("Unterminated" in str(error) or at >= len(self.window) - 16):
                    raise _Broken(str(error)) from error
            else:
                # A number may go on behind the window.
                if end < len(self.window) or self.ended:
                    raw, self.at = self.window[self.at : end], end
                    return found, raw
            if self.ended:
                raise _Ended("the file ends within an element")
            if len(self.window) - self.at > MAX_CHARS:
                raise _Broken(f"an element longer than {MAX_CHARS} characters")
            self._more(step)
            step = min(step * 2, MAX_CHARS)

    def skip_to_sibling(self) -> bool:
        """Go on behind a broken element, at the next line that begins as it did; False if there is none."""
        indent = self.window[self.window.rfind("\n", 0, self.at) + 1 : self.at]
        if indent.strip():
            return False
        sibling = "\n" + indent + "{"
        begun = self.at
        while (found := self.window.find(sibling, begun)) < 0:
            self.at = max(self.at, len(self.window) - len(sibling))
            if not self._more():
                return False
            begun = 0
        self.at = found + 1
        return True


def _document(text: io.TextIOBase) -> Iterator[JsonRow]:
    scanner = _Scanner(text)
    scanner.assigned()
    while scanner.peek():
        try:
            if scanner.peek() == "[":
                yield from _elements(scanner, None)
            elif scanner.peek() == "{" and _TELEGRAM.search(scanner.window[scanner.at : scanner.at + 4096]):
                yield from _telegram(scanner)
            else:
                line = scanner.here()
                found, raw = scanner.value()
                yield JsonRow(line, found, raw)
        except _Ended as error:
            yield JsonRow(scanner.here(), None, "", f"line: not JSON: {error}", cut=True)
            return
        except _Broken as error:
            yield JsonRow(scanner.here(), None, "", f"line: not JSON: {error}; what follows was not read")
            return
        if scanner.peek() == ",":
            scanner.at += 1


def _elements(scanner: _Scanner, chat: dict[str, Any] | None) -> Iterator[JsonRow]:
    scanner.take("[")
    while scanner.peek() != "]":
        line = scanner.here()
        if scanner.peek() == ",":
            scanner.at += 1
            continue
        try:
            found, raw = scanner.value()
        except _Ended as error:
            raise _Ended(f"{error} that begins on line {line}") from error
        except _Broken as error:
            broken = JsonRow(line, None, "", f"element: not JSON: {error}")
            if not scanner.skip_to_sibling():
                raise
            yield broken
            continue
        bad = _NOT_UTF8.search(raw)
        yield JsonRow(line, None if bad else found, raw, "element: not UTF-8" if bad else "", chat=chat)
        if scanner.peek() not in (",", "]"):
            raise (_Broken if scanner.peek() else _Ended)("a list that does not go on")
    scanner.take("]")


def _telegram(scanner: _Scanner) -> Iterator[JsonRow]:
    """https://core.telegram.org/import-export: one chat, or `chats.list` and `left_chats.list` of a whole account."""
    yield from _object(scanner, {}, "chat")


def _object(scanner: _Scanner, known: dict[str, Any], what: str) -> Iterator[JsonRow]:
    """Go through an object; `known` gathers what is told of it before its messages."""
    scanner.take("{")
    while scanner.peek() != "}":
        if scanner.peek() == ",":
            scanner.at += 1
            continue
        key, _ = scanner.value()
        scanner.take(":")
        opened = scanner.peek()
        if key == "messages" and opened == "[":
            yield from _elements(scanner, known)
        elif key in ("chats", "left_chats") and opened == "{":
            yield from _object(scanner, {}, "chats")
        elif key == "list" and what == "chats" and opened == "[":
            scanner.take("[")
            while scanner.peek() != "]":
                if scanner.peek() == ",":
                    scanner.at += 1
                    continue
                yield from _object(scanner, {}, "chat")
            scanner.take("]")
        else:
            known[str(key)] = scanner.value()[0]
    scanner.take("}")
