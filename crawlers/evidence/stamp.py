"""Time stamps of an authority (RFC 3161) on the newest entry of the chain: it vouches for all before it.

`evidence/NNNNNN.tsr` is the authority's answer as it came; `openssl ts -verify` reads it. The next entry covers it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import httpx
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from .chain import Chain, read_small, stamp_path, write_whole

TIMEOUT_S = 20.0
MAX_BYTES = 200_000
"""An answer with its certificates has 3 to 8 kB."""
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


class NoStamp(Exception):
    """The authority did not give one, or what it gave does not hold; says why."""


def stamp(home: Path, url: str, authority: Path | None) -> datetime | None:
    """Stamp the newest entry; when, or None if it has a stamp already. `authority`: PEM file of whom to trust.

    Raises NoStamp (the chain is as before, the next try may do it), BadChain, OSError.
    """
    chain = Chain(home)
    with chain.locked():
        entry = chain.last()
        if entry is None or (home / stamp_path(entry)).exists():
            return None
        data = read_small(home, entry.path, MAX_BYTES * 1000)
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        answer = _ask(url, request.as_bytes())
        response = _decode(answer)
        if response.status == 0 and response.tst_info.nonce != request.nonce:
            raise NoStamp("the answer is to another request")
        at = check(response, data, certificates(authority) if authority else [])
        write_whole(home / stamp_path(entry), answer)
        chain.set_head(entry)
        return at


def _ask(url: str, request: bytes) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client,
            client.stream("POST", url, content=request, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise NoStamp(f"{url}: HTTP {answer.status_code}")
            found = b""
            for part in answer.iter_bytes():
                found += part
                if len(found) > MAX_BYTES:
                    raise NoStamp(f"{url}: an answer of more than {MAX_BYTES} bytes")
            return found
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoStamp(f"{url}: {type(error).__name__}: {error}".rstrip(": ")) from error


def _decode(answer: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(certificates_in_order(answer))
    except Exception as error:  # the library's parser has no class of its own for what it cannot read
        raise NoStamp(f"no time stamp response: {error}") from error


def certificates_in_order(answer: bytes) -> bytes:
    """The answer with its certificates in the order of DER, which OpenSSL's `ts -reply` does not keep and the parser demands.

    No signature covers that order. What is not built as RFC 3161 and RFC 5652 say comes back as it was.
    """
    try:
        _, _, at, _ = _element(answer, 0)  # TimeStampResp
        at = _element(answer, at)[3]  # behind its status
        _, _, at, _ = _element(answer, at)  # ContentInfo
        at = _element(answer, at)[3]  # behind its type
        _, _, at, _ = _element(answer, at)  # [0]
        _, _, at, end = _element(answer, at)  # SignedData
        for _ in range(3):  # version, digest algorithms, content
            at = _element(answer, at)[3]
        tag, _, begin, end = _element(answer, at)
        if tag != 0xA0:
            return answer
        found, at = [], begin
        while at < end:
            after = _element(answer, at)[3]
            found.append(answer[at:after])
            at = after
        return answer[:begin] + b"".join(sorted(found)) + answer[at:]
    except (IndexError, ValueError):
        return answer


def _element(data: bytes, at: int) -> tuple[int, int, int, int]:
    """(tag, where it begins, where its content begins, where it ends). Raises IndexError, ValueError."""
    tag, length, begin = data[at], data[at + 1], at + 2
    if length & 0x80:
        wide = length & 0x7F
        if not 1 <= wide <= 4:
            raise ValueError("no DER length")
        length = int.from_bytes(data[begin : begin + wide])
        begin += wide
    if begin + length > len(data):
        raise ValueError("longer than all")
    return tag, at, begin, begin + length


def read_stamp(answer: bytes, data: bytes, trusted: list[x509.Certificate]) -> datetime:
    """As `check`, of the answer's bytes."""
    return check(_decode(answer), data, trusted)


def check(response: TimeStampResponse, data: bytes, trusted: list[x509.Certificate]) -> datetime:
    """When the authority saw `data`. Without `trusted` roots its signature is not looked at. Raises NoStamp."""
    try:
        if response.status != 0:
            raise NoStamp(f"refused: status {response.status} {' '.join(response.status_string)}".rstrip())
        told = response.tst_info
        imprint = told.message_imprint
        if imprint.hash_algorithm != _SHA256 or bytes(imprint.message) != hashlib.sha256(data).digest():
            raise NoStamp("it is for other bytes")
        if trusted:
            roots = [one for one in trusted if one.issuer == one.subject]
            builder = VerifierBuilder(roots=roots, intermediates=[one for one in trusted if one not in roots])
            builder.build().verify_message(response, data)
        return told.gen_time
    except VerificationError as error:
        raise NoStamp(f"its signature does not hold: {error}") from error
    except ValueError as error:
        raise NoStamp(f"it cannot be read: {error}") from error


def certificates(file: Path) -> list[x509.Certificate]:
    """Of a PEM file. Raises NoStamp naming it."""
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise NoStamp(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise NoStamp(f"{file}: holds no certificate in PEM: {error}") from error
