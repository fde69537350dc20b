"""The bytes as fetched, kept as evidence: one WARC record (ISO 28500) for each response that gave a post or a claim."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.contracts import Evidence

_NOT_OF_THE_BODY = {"content-encoding", "transfer-encoding", "content-length", "set-cookie"}
"""Headers that no longer fit the unpacked body, and cookies, which are nobody's evidence."""


@dataclass
class Fetch:
    """One response, and where it lies once it is archived."""

    url: str
    body: bytes
    fetched_at: datetime
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    evidence: Evidence | None = None


class Archive:
    """Appends to `YYYYMMDD-PID.warc.gz`, one file a day and process. Not thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: BinaryIO | None = None
        self._name = ""
        self._day = ""
        self._writer: Any = None

    def keep(self, fetch: Fetch) -> Evidence:
        """Write one record; durable after the next `sync`. A fetch is written once. Raises OSError."""
        if fetch.evidence is None:
            file = self._open(fetch.fetched_at)
            began = file.tell()
            sha256 = hashlib.sha256(fetch.body).hexdigest()
            try:
                record_id = self._write(fetch, sha256)
            except OSError:
                # Half a record would spoil all that come after it.
                file.truncate(began)
                file.seek(began)
                raise
            fetch.evidence = Evidence(warc=self._name, record_id=record_id, sha256=sha256)
        return fetch.evidence

    def _write(self, fetch: Fetch, sha256: str) -> str:
        kept = [(name, value) for name, value in fetch.headers if name.lower() not in _NOT_OF_THE_BODY]
        http = StatusAndHeaders(
            f"{fetch.status} OK", [*kept, ("Content-Length", str(len(fetch.body)))], protocol="HTTP/1.1"
        )
        record = self._writer.create_warc_record(
            fetch.url,
            "response",
            payload=io.BytesIO(fetch.body),
            length=len(fetch.body),
            http_headers=http,
            warc_headers_dict={
                "WARC-Date": fetch.fetched_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "WARC-Payload-Digest": f"sha256:{sha256}",
            },
        )
        self._writer.write_record(record)
        return str(record.rec_headers.get_header("WARC-Record-ID"))

    def keep_row(self, uri: str, body: bytes, content_type: str, at: datetime) -> Evidence:
        """Write one row of an imported file as a `resource` record; durable after the next `sync`. Raises OSError."""
        file = self._open(at)
        began = file.tell()
        sha256 = hashlib.sha256(body).hexdigest()
        try:
            record = self._writer.create_warc_record(
                uri,
                "resource",
                payload=io.BytesIO(body),
                length=len(body),
                warc_content_type=content_type,
                warc_headers_dict={
                    "WARC-Date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                    "WARC-Block-Digest": f"sha256:{sha256}",
                    "WARC-Payload-Digest": f"sha256:{sha256}",
                },
            )
            self._writer.write_record(record)
        except OSError:
            # Half a record would spoil all that come after it.
            file.truncate(began)
            file.seek(began)
            raise
        record_id = str(record.rec_headers.get_header("WARC-Record-ID"))
        return Evidence(warc=self._name, record_id=record_id, sha256=sha256)

    def sync(self) -> None:
        """Everything kept so far is on the disk when this returns. Raises OSError."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self.sync()
            self._file.close()
            self._file = None

    def _open(self, at: datetime) -> BinaryIO:
        day = at.astimezone(UTC).strftime("%Y%m%d")
        if self._file is None or day != self._day:
            self.close()
            self.folder.mkdir(parents=True, exist_ok=True)
            nth = 1
            while True:
                self._name = f"{day}-{os.getpid()}{f'-{nth}' if nth > 1 else ''}.warc.gz"
                try:
                    # Process numbers come again: never write behind what another process left.
                    self._file = (self.folder / self._name).open("x+b")
                    break
                except FileExistsError:
                    nth += 1
            self._day = day
            self._writer = WARCWriter(self._file, gzip=True, warc_version="1.1")
        return self._file
