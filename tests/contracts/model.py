"""The search store as a dictionary: the plainest reading of the port, to hold the others against."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.ports import FIELDS, Document, Filter, Kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DictStore:
    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}

    def matching(self, where: Filter) -> dict[str, Document]:
        return {id_: d for id_, d in self.documents.items() if matches(d, where)}

    def is_later(self, id_: str, came: Document, field: str) -> bool:
        """Whether the one held has a later time than the one that comes."""
        held, new = self.documents.get(id_, {}).get(field), came.get(field)
        return held is not None and new is not None and datetime.fromisoformat(held) > datetime.fromisoformat(new)

    def search(
        self, kind: Kind, where: Filter, sort: str, descending: bool, limit: int, after: str | None
    ) -> list[tuple[str, Document]]:
        def place(id_: str) -> tuple[Any, str]:
            value = self.documents[id_].get(sort)
            if value is not None and FIELDS[kind][sort] == "time":
                value = datetime.fromisoformat(value)
            return (value, id_)

        found = self.matching(where)
        present = sorted((i for i in found if found[i].get(sort) is not None), key=place, reverse=descending)
        absent = sorted((i for i in found if found[i].get(sort) is None), reverse=descending)
        ids = present + absent
        if after is not None:
            ids = ids[ids.index(after) + 1 :]
        return [(id_, found[id_]) for id_ in ids[:limit]]

    def terms(self, field: str, where: Filter) -> list[tuple[str, int]]:
        counts = Counter(word for d in self.matching(where).values() for word in words(d, field))
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    def histogram(
        self, field: str, where: Filter, interval_s: int, split: str | None
    ) -> list[tuple[datetime, str | None, int]]:
        counts: Counter[tuple[datetime, str | None]] = Counter()
        step = timedelta(seconds=interval_s)
        for d in self.matching(where).values():
            if d.get(field) is not None:
                begin = EPOCH + (datetime.fromisoformat(d[field]) - EPOCH) // step * step
                values: set[str] | set[None] = {None} if split is None else words(d, split) or {None}
                for value in values:
                    counts[begin, value] += 1
        return sorted(
            ((at, value, n) for (at, value), n in counts.items()), key=lambda r: (r[0], r[1] is not None, r[1] or "")
        )


def words(document: Document, field: str) -> set[str]:
    value = document.get(field)
    return set() if value is None else {value} if isinstance(value, str) else set(value)


def matches(document: Document, where: Filter) -> bool:
    def at(field: str) -> datetime | None:
        value = document.get(field)
        return None if value is None else datetime.fromisoformat(value)

    terms = words(document, "terms")
    return (
        all(words(document, field) & set(wanted) for field, wanted in where.equals.items())
        and all((t := at(field)) is not None and t >= bound for field, bound in where.since.items())
        and all((t := at(field)) is not None and t < bound for field, bound in where.before.items())
        and set(where.terms) <= terms
        and (not where.any_terms or len(set(where.any_terms) & terms) >= max(1, where.min_terms))
    )
