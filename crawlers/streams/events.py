"""Server-sent events cut out of bytes as they come (WHATWG HTML, 9.2). Pure; holds one event at most."""

from __future__ import annotations

from collections.abc import Iterator


class TooLong(ValueError):
    """One message has more bytes than any honest one."""


class Events:
    """Give it bytes, get whole events as they are found, each with the empty line that ends it. A comment, which is how servers say that they live, is
    b"". Half an event at a connection's end is never given. Raises TooLong."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._line = bytearray()
        self._event: list[bytes] = []
        self._bytes = 0
        """Of the lines of the event that is coming."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        first, *rest = data.split(b"\n")
        self._add(first)
        for piece in rest:
            line = bytes(self._line).removesuffix(b"\r")
            self._line.clear()
            if line.startswith(b":"):
                yield b""
            elif line:
                self._event.append(line)
                self._bytes += len(line)
            elif self._event:
                whole, self._event, self._bytes = b"\n".join(self._event) + b"\n\n", [], 0
                yield whole
            self._add(piece)

    def _add(self, piece: bytes) -> None:
        self._line += piece
        if self._bytes + len(self._line) > self._most:
            raise TooLong(f"an event of more than {self._most} bytes")
