"""Content-Encoding, taken off while a body arrives, so that no bomb is ever in memory: what grows past the limit ends the download.

gzip, deflate, br and zstd are all undone in steps of bounded output, therefore all four are asked for. More than two codings on one body
are refused: nobody packs thrice, and each layer multiplies what a bomb costs.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPTED = b"gzip, deflate, br, zstd"
MOST_LAYERS = 2
STEP_BYTES = 65_536
ZSTD_WINDOW_LOG = 23
"""8 MB: the largest window that zstd may use in HTTP (RFC 9659); more is an attack on memory."""
_NO_CODING = frozenset({"", "identity", "none", "binary", "8bit", "utf-8", "utf8"})
"""Values that packed nothing; the last are charsets that servers write here by mistake."""


class Damaged(ValueError):
    """A body that cannot be unpacked; says what is wrong with it."""


class TooLong(ValueError):
    """A body, or one of its layers, that grows past the limit."""


class _Layer(Protocol):
    name: str

    def steps(self, data: bytes) -> Iterator[bytes]: ...

    def whole(self) -> bool: ...


class Unpacking:
    """One body. `codings` are the values of its Content-Encoding headers, `most` its longest length in bytes, packed or unpacked."""

    def __init__(self, codings: Sequence[str], most: int) -> None:
        names = [name.strip().lower() for value in codings for name in value.split(",")]
        names = [name.removeprefix("x-") for name in names if name not in _NO_CODING]
        if len(names) > MOST_LAYERS:
            raise Damaged(f"packed {len(names)} times over")
        for name in names:
            if name not in _LAYERS:
                raise Damaged(f"packed as {name[:40]!r}, which cannot be unpacked")
        self._most = most
        self._layers: list[_Layer] = [_LAYERS[name]() for name in reversed(names)]
        self._lengths = [0] * (len(self._layers) + 1)

    def feed(self, data: bytes) -> bytes:
        """What these bytes unpack to. Raises TooLong, Damaged."""
        return b"".join(self._through(0, data))

    def end(self) -> None:
        """Raises Damaged if something is missing at the end."""
        for layer, length in zip(self._layers, self._lengths, strict=False):
            if length and not layer.whole():
                raise Damaged(f"{layer.name} ends too early")

    def _through(self, depth: int, data: bytes) -> Iterator[bytes]:
        self._lengths[depth] += len(data)
        if self._most and self._lengths[depth] > self._most:
            raise TooLong
        if depth == len(self._layers):
            yield data
            return
        layer = self._layers[depth]
        steps = layer.steps(data)
        while True:
            try:
                step = next(steps, None)
            except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:
                raise Damaged(f"{layer.name} damaged: {error}") from error
            if step is None:
                return
            if step:
                yield from self._through(depth + 1, step)


class _Gzip:
    name = "gzip"

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(31)

    def steps(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                if data[:1] != b"\x1f":
                    return  # zeros and other litter behind the last member, which every reader drops
                self._stream = zlib.decompressobj(31)
            yield from _inflated(self._stream, data)
            data = self._stream.unused_data if self._stream.eof else b""

    def whole(self) -> bool:
        return self._stream.eof


class _Deflate:
    name = "deflate"

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None
        self._first = b""

    def steps(self, data: bytes) -> Iterator[bytes]:
        if self._stream is None:
            self._first += data
            if len(self._first) < 2:
                return
            data, self._first = self._first, b""
            # Half the servers leave the zlib header away that RFC 9110 demands.
            has_header = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._stream = zlib.decompressobj(15 if has_header else -15)
        if not self._stream.eof:
            yield from _inflated(self._stream, data)

    def whole(self) -> bool:
        return self._stream is not None and self._stream.eof


def _inflated(stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    while True:
        step = stream.decompress(data, STEP_BYTES)
        yield step
        data = stream.unconsumed_tail
        # A full step may have left output inside the stream although all input is taken.
        if stream.eof or (not data and len(step) < STEP_BYTES):
            return


class _Brotli:
    name = "br"

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def steps(self, data: bytes) -> Iterator[bytes]:
        if self._stream.is_finished():
            return
        yield self._stream.process(data, output_buffer_limit=STEP_BYTES)
        while not self._stream.is_finished():
            step = self._stream.process(b"", output_buffer_limit=STEP_BYTES)
            if not step:
                return
            yield step

    def whole(self) -> bool:
        return bool(self._stream.is_finished())


class _Zstd:
    name = "zstd"

    def __init__(self) -> None:
        self._stream = self._new()

    @staticmethod
    def _new() -> zstd.ZstdDecompressor:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})

    def steps(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                self._stream = self._new()
            yield self._stream.decompress(data, STEP_BYTES)
            while not self._stream.eof and not self._stream.needs_input:
                yield self._stream.decompress(b"", STEP_BYTES)
            data = self._stream.unused_data if self._stream.eof else b""

    def whole(self) -> bool:
        return self._stream.eof


_LAYERS: dict[str, type[_Gzip | _Deflate | _Brotli | _Zstd]] = {
    "gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}
