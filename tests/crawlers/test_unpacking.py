"""Packed bodies come out as they went in, in any pieces, and never grow past their limit."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable

import brotli
import pytest
from backports import zstd

from crawlers.unpacking import Damaged, TooLong, Unpacking

TEXT = os.urandom(20_000) + b"kabar " * 30_000


def _raw(body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(body) + packer.flush()


PACKED: dict[str, tuple[list[str], Callable[[bytes], bytes]]] = {
    "gzip": (["gzip"], gzip.compress),
    "gzip in two members with litter behind": (
        ["x-gzip"],
        lambda b: gzip.compress(b[:99]) + gzip.compress(b[99:]) + bytes(9),
    ),
    "deflate": (["deflate"], zlib.compress),
    "deflate without header": (["deflate"], _raw),
    "br": (["br"], brotli.compress),
    "zstd": (["zstd"], zstd.compress),
    "zstd in two frames": (["zstd"], lambda b: zstd.compress(b[:99]) + zstd.compress(b[99:])),
    "two codings in one header": (["br, gzip"], lambda b: gzip.compress(brotli.compress(b))),
    "two codings in two headers": (["gzip", "ZSTD"], lambda b: zstd.compress(gzip.compress(b))),
    "nothing": (["identity"], bytes),
    "a charset in the wrong header": (["UTF-8"], bytes),
}


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("step", [1, 1000, 10_000_000])
def test_what_was_packed_comes_out_whole(name: str, step: int) -> None:
    codings, pack = PACKED[name]
    packed = pack(TEXT)
    unpacking = Unpacking(codings, 1_000_000)
    assert b"".join(unpacking.feed(packed[i : i + step]) for i in range(0, len(packed), step)) == TEXT
    unpacking.end()


@pytest.mark.parametrize("name", [name for name in PACKED if PACKED[name][1] is not bytes])
def test_a_body_that_ends_too_early_is_damaged(name: str) -> None:
    codings, pack = PACKED[name]
    unpacking = Unpacking(codings, 1_000_000)
    unpacking.feed(pack(TEXT)[:-30])
    with pytest.raises(Damaged, match="ends too early"):
        unpacking.end()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_what_is_not_packed_as_told_is_damaged(coding: str) -> None:
    unpacking = Unpacking([coding], 1_000_000)
    with pytest.raises(Damaged):
        unpacking.feed(b"<html>" * 100)


@pytest.mark.parametrize("name", PACKED)
def test_growth_ends_at_the_limit(name: str) -> None:
    codings, pack = PACKED[name]
    with pytest.raises(TooLong):
        Unpacking(codings, 100_000).feed(pack(bytes(200_001)))


def test_a_layer_in_between_may_not_grow_either() -> None:
    """Empty members: the outer layer unpacks to megabytes of which the inner one makes nothing."""
    inner = gzip.compress(b"") * 50_000
    with pytest.raises(TooLong):
        Unpacking(["gzip", "gzip"], 100_000).feed(gzip.compress(inner))


@pytest.mark.parametrize("codings", [["compress"], ["gzip, rot13"], ["gzip, gzip, gzip"], ["gzip"] * 50])
def test_codings_that_are_unknown_or_too_many_are_refused(codings: list[str]) -> None:
    with pytest.raises(Damaged):
        Unpacking(codings, 1_000_000)


def test_an_empty_body_is_whole_whatever_it_is_called() -> None:
    Unpacking(["gzip"], 100).end()
