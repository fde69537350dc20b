"""Ids as clients send them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from api.problems import Problem
from pipeline.contracts import CleanText
from pipeline.ports import Document, Kind, SearchStore

# Elasticsearch takes ids of at most 512 bytes.
MAX_ID_BYTES = 512

Id = Annotated[CleanText, Path(min_length=1, max_length=500)]


def found(store: SearchStore, kind: Kind, wanted: str, word: str) -> Document:
    """The document of that id. Raises Problem (404)."""
    documents = store.get(kind, [wanted]) if len(wanted.encode()) <= MAX_ID_BYTES else {}
    if wanted not in documents:
        raise Problem("not-found", f"no {word} has the id {wanted[:100]!r}")
    return documents[wanted]
