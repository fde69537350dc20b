"""The largest message, the same on every log."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.ports import Record, RejectPost

MAX_RECORD_BYTES = 8 * 2**20
"""A post's text has at most 100,000 characters; what is larger than this is no post. Kafka's own limit is set a little higher."""


def check_sizes(records: Sequence[Record]) -> None:
    """Raises RejectPost for the first record that no log takes; to be called before anything is written."""
    for record in records:
        size = len(record.value) + len(record.key or b"") + sum(len(k) + len(v) for k, v in record.headers.items())
        if size > MAX_RECORD_BYTES:
            raise RejectPost(f"a message of {size} bytes for {record.topic}: at most {MAX_RECORD_BYTES} can be taken")
