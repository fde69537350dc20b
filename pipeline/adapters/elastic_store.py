"""The search store on Elasticsearch.

One index a kind, reached through its alias (`PREFIX-KIND` -> `PREFIX-KIND-v1`), one shard. The document itself travels as JSON text in
a field that is not indexed; beside it lie the fields that can be searched, as `entry.py` reads them: words as keywords, times as
microseconds since 1970 (a `date` has only milliseconds, `date_nanos` no time before 1970), numbers as doubles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from math import inf
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from pipeline.adapters.entry import Entry, Unfit, check_filter, instant, micros, need_field, read_entry, sort_value
from pipeline.ports import FIELDS, Document, FieldType, Filter, Hit, Kind, RetryLater, Write, Written

REQUEST_S = 30.0
"""Longest wait for one answer."""

BULK_BYTES = 8 * 2**20
"""Most that one bulk request carries; Elasticsearch's own limit is 100 MB, its advice 5 to 15."""

MGET_IDS = 500
"""Ids per request: 500 posts of the longest text are about 50 MB."""

PAGE = 2_000
"""Hits or buckets per request; Elasticsearch allows 10,000."""

TYPES: Mapping[FieldType, str] = {
    "keyword": "keyword",
    "flag": "keyword",
    "terms": "keyword",
    "time": "long",
    "number": "double",
}

# What Elasticsearch itself gives a document without the field, by (type, descending), when missing ones come last.
_MISSING: Mapping[tuple[FieldType, bool], int | str] = {
    ("time", False): 2**63 - 1,
    ("time", True): -(2**63),
    ("number", False): "Infinity",
    ("number", True): "-Infinity",
}

CONFLICTS = 5
"""So often may another writer come between reading a document's time and writing it, before the caller is told to try later."""

_LATER = {401, 403, 408, 413, 429}
"""Besides all from 500: down, full or forbidden now. Someone can mend it, and until then nothing is lost by waiting."""


class ElasticStore:
    """SearchStore on Elasticsearch. Safe for threads and processes."""

    def __init__(self, url: str, prefix: str) -> None:
        """`url`: elasticsearch://[user:password@]host[:port][?tls=true]"""
        parts = urlsplit(url)
        self._host = f"{parts.hostname}:{parts.port or 9200}"
        scheme = "https" if parse_qs(parts.query).get("tls") == ["true"] else "http"
        self._client = Elasticsearch(
            f"{scheme}://{self._host}",
            basic_auth=(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
            request_timeout=REQUEST_S,
            # Whoever calls has pauses of its own; two layers of retrying would hide how long it takes.
            max_retries=0,
        )
        self._prefix = prefix

    def prepare(self) -> None:
        with self._errors():
            for kind in FIELDS:
                index = f"{self._alias(kind)}-v1"
                mappings = _mappings(kind)
                try:
                    self._client.indices.create(
                        index=index,
                        aliases={self._alias(kind): {}},
                        mappings=mappings,
                        settings={"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "1s"},
                    )
                except ApiError as error:
                    if error.error != "resource_already_exists_exception":
                        raise
                    # A field that is new to FIELDS is added; documents put before it are found by it once they are put again.
                    self._client.indices.put_mapping(index=index, properties=mappings["properties"])

    def get(self, kind: Kind, ids: Sequence[str]) -> dict[str, Document]:
        found: dict[str, Document] = {}
        wanted = list(dict.fromkeys(ids))
        with self._errors():
            for start in range(0, len(wanted), MGET_IDS):
                answer = self._client.mget(
                    index=self._alias(kind), ids=wanted[start : start + MGET_IDS], source_includes=["body"]
                )
                for document in answer["docs"]:
                    if "error" in document:
                        raise RetryLater(f"{self}: {_cause(document['error'])}")
                    if document["found"]:
                        found[document["_id"]] = json.loads(document["_source"]["body"])
        return found

    def put(self, writes: Sequence[Write]) -> list[Written]:
        return [written for run in _runs(writes) for written in self._put(run)]

    def _put(self, writes: Sequence[Write]) -> list[Written]:
        """Of a run, see `_runs`."""
        written: dict[int, Written] = {}
        entries: dict[int, Entry] = {}
        for i, write in enumerate(writes):
            try:
                entries[i] = read_entry(write.kind, write.id, write.document)
            except Unfit as error:
                written[i] = Written("refused", str(error))
        later = ""
        for _ in range(CONFLICTS):
            held = self._held({i: writes[i] for i in entries if i not in written and writes[i].newest_by})
            lines = []
            for i, entry in entries.items():
                if i in written:
                    continue
                by = writes[i].newest_by
                if by and by in entry.sortable and i in held and held[i]["_source"].get(by, -inf) > entry.sortable[by]:
                    written[i] = Written("older")
                else:
                    lines.append((i, self._operation(writes[i], entry, held.get(i))))
            for chunk in _chunks(lines):
                for (i, _), status, cause in self._bulk(chunk):
                    if status in (200, 201):
                        written[i] = Written("stored")
                    elif status == 409 and writes[i].create:
                        written[i] = Written("exists")
                    # Strict mapping: this program is newer than the index. That is no fault of the document.
                    elif status in (400, 413) and "strict_dynamic_mapping" not in cause:
                        written[i] = Written("refused", cause)
                    elif status != 409 or writes[i].newest_by is None:
                        later = later or f"{self}: {writes[i].kind} {writes[i].id}: {status} {cause}"
            if later or len(written) == len(writes):
                break
        if later or len(written) < len(writes):
            raise RetryLater(later or f"{self}: others kept writing the same documents")
        return [written[i] for i in range(len(writes))]

    def _held(self, writes: Mapping[int, Write]) -> dict[int, Any]:
        """What is there of those that may not be put over a later one: its time, and its place in the order of writes."""
        docs = [
            {"_index": self._alias(write.kind), "_id": write.id, "_source": [write.newest_by]}
            for write in writes.values()
        ]
        if not docs:
            return {}
        with self._errors():
            answer = self._client.mget(docs=docs)
        for document in answer["docs"]:
            if "error" in document:
                raise RetryLater(f"{self}: {_cause(document['error'])}")
        return {i: document for i, document in zip(writes, answer["docs"], strict=True) if document["found"]}

    def _operation(self, write: Write, entry: Entry, held: Any) -> bytes:
        """Its lines of a bulk request."""
        place = self._place(write.kind, write.id)
        act = "create" if write.create else "index"
        if write.newest_by and held is None:
            act = "create"
        elif write.newest_by:
            place |= {"if_seq_no": held["_seq_no"], "if_primary_term": held["_primary_term"]}
        return _line({act: place}) + _line(_source(entry))

    def delete(self, kind: Kind, ids: Sequence[str]) -> None:
        lines = [(i, _line({"delete": self._place(kind, id_)})) for i, id_ in enumerate(ids)]
        for chunk in _chunks(lines):
            for (i, _), status, cause in self._bulk(chunk):
                if status not in (200, 404) or "index_not_found" in cause:
                    raise RetryLater(f"{self}: {kind} {ids[i]}: {status} {cause}")

    def refresh(self) -> None:
        with self._errors():
            self._client.indices.refresh(index=[self._alias(kind) for kind in FIELDS])

    def search(
        self,
        kind: Kind,
        where: Filter,
        *,
        sort: str,
        descending: bool = True,
        limit: int = 50,
        after: tuple[Any, str] | None = None,
    ) -> list[Hit]:
        need_field(kind, sort, "time", "number")
        query = _query(kind, where)
        way = "desc" if descending else "asc"
        order = [{sort: {"order": way, "missing": "_last"}}, {"id": way}]
        missing = _MISSING[FIELDS[kind][sort], descending]
        hits: list[Hit] = []
        while len(hits) < limit:
            size = min(PAGE, limit - len(hits))
            found = self._search(
                kind,
                query=query,
                sort=order,
                size=size,
                source=["body"],
                search_after=None if after is None else [missing if after[0] is None else after[0], after[1]],
            )["hits"]["hits"]
            for hit in found:
                document = json.loads(hit["_source"]["body"])
                hits.append(Hit(hit["_id"], document, (sort_value(kind, sort, document), hit["_id"])))
            if len(found) < size:
                break
            after = hits[-1].sort
        return hits

    def count(self, kind: Kind, where: Filter) -> int:
        answer = self._search(kind, query=_query(kind, where), size=0, track_total_hits=True)
        return int(answer["hits"]["total"]["value"])

    def terms(self, kind: Kind, field: str, where: Filter, limit: int = 100) -> dict[str, int]:
        need_field(kind, field, "keyword", "flag")
        if limit <= 0:
            return {}
        # Exact, not estimated, because all of a kind lies in one shard.
        counted = {"terms": {"field": field, "size": limit, "order": [{"_count": "desc"}, {"_key": "asc"}]}}
        answer = self._search(kind, query=_query(kind, where), size=0, aggs={"values": counted})
        return {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["values"]["buckets"]}

    def histogram(
        self, kind: Kind, field: str, where: Filter, *, interval_s: int, split: str | None = None
    ) -> list[tuple[datetime, str | None, int]]:
        """Sorted by time, then by split value; documents without a split value are counted under None, which comes first."""
        need_field(kind, field, "time")
        sources: list[dict[str, Any]] = [{"at": {"histogram": {"field": field, "interval": interval_s * 1_000_000}}}]
        if split is not None:
            need_field(kind, split, "keyword", "flag")
            sources.append({"value": {"terms": {"field": split, "missing_bucket": True}}})
        query = _query(kind, where)
        # Composite: in pages, so that no number of intervals is too large.
        composite: dict[str, Any] = {"size": PAGE, "sources": sources}
        rows: list[tuple[datetime, str | None, int]] = []
        while True:
            answer = self._search(kind, query=query, size=0, aggs={"rows": {"composite": composite}})
            page = answer["aggregations"]["rows"]
            rows += [(instant(int(b["key"]["at"])), b["key"].get("value"), b["doc_count"]) for b in page["buckets"]]
            if len(page["buckets"]) < PAGE:
                return rows
            composite["after"] = page["after_key"]

    def scan(self, kind: Kind, where: Filter, batch: int = 500) -> Iterator[Hit]:
        query = _query(kind, where)
        with self._errors():
            self._client.indices.refresh(index=self._alias(kind))
        last: str | None = None
        while True:
            found = self._search(
                kind,
                query=query,
                sort=["id"],
                size=batch,
                source=["body"],
                search_after=None if last is None else [last],
            )["hits"]["hits"]
            for hit in found:
                yield Hit(hit["_id"], json.loads(hit["_source"]["body"]), (None, hit["_id"]))
            if len(found) < batch:
                return
            last = found[-1]["_id"]

    def ping(self) -> str:
        with self._errors():
            nodes = self._client.nodes.info(filter_path=["nodes.*.version"])["nodes"]
        versions = sorted({node["version"] for node in nodes.values()})
        return f"Elasticsearch {', '.join(versions)}, {len(nodes)} node(s), {self._host}"

    def close(self) -> None:
        self._client.close()

    def __str__(self) -> str:
        return f"Elasticsearch at {self._host}"

    # ------------------------------------------------------------ requests

    def _alias(self, kind: Kind) -> str:
        return f"{self._prefix}-{kind}"

    def _place(self, kind: Kind, id_: str) -> dict[str, Any]:
        # Without the alias nothing is written: an index made by accident would guess its mapping.
        return {"_index": self._alias(kind), "_id": id_, "require_alias": True}

    def _search(self, kind: Kind, **body: Any) -> Any:
        with self._errors():
            # Half an answer is none: it would look as if documents were gone.
            return self._client.search(index=self._alias(kind), allow_partial_search_results=False, **body)

    def _bulk(self, chunk: Sequence[tuple[int, bytes]]) -> Iterator[tuple[tuple[int, bytes], int, str]]:
        """(what was sent, its status, its cause) of each; a chunk that is too large for the server goes in halves."""
        # Ready-made lines: the client takes them as they are, whatever its types say.
        lines: Any = [line.rstrip(b"\n") for _, line in chunk]
        with self._errors():
            try:
                answer = self._client.bulk(operations=lines)
            except ApiError as error:
                if error.status_code != 413:
                    raise
                answer = None
        if answer is not None:
            for sent, item in zip(chunk, answer["items"], strict=True):
                (result,) = item.values()
                yield sent, result["status"], _cause(result.get("error"))
        elif len(chunk) == 1:
            yield chunk[0], 413, f"too large for {self}: {len(chunk[0][1])} bytes"
        else:
            yield from self._bulk(chunk[: len(chunk) // 2])
            yield from self._bulk(chunk[len(chunk) // 2 :])

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Errors of a passing kind become RetryLater, in words that name the server."""
        try:
            yield
        except UnsupportedProductError as error:
            raise RetryLater(f"{self}: what answers there is no Elasticsearch") from error
        except ApiError as error:
            if error.status_code >= 500 or error.status_code in _LATER:
                raise RetryLater(f"{self}: {error.status_code} {_cause(error.body)}") from error
            if error.error == "index_not_found_exception":
                raise RetryLater(f"{self}: {_cause(error.body)}: prepare() has not been run") from error
            raise
        except TransportError as error:
            raise RetryLater(f"{self}: {error}") from error


def _mappings(kind: Kind) -> dict[str, Any]:
    properties: dict[str, Any] = {name: {"type": TYPES[type_]} for name, type_ in FIELDS[kind].items()}
    return {
        # An unknown field is our own mistake; guessing a type for it would make the next mistake hard to mend.
        "dynamic": "strict",
        "properties": {"id": {"type": "keyword"}, "body": {"type": "object", "enabled": False}, **properties},
    }


def _source(entry: Entry) -> dict[str, Any]:
    source: dict[str, Any] = {"id": entry.id, "body": entry.body, **entry.sortable, **entry.words}
    if entry.terms:
        source["terms"] = entry.terms
    return source


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _runs(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Cut where a document comes up again and its time matters, so that the writes of one keep their order through all tries."""
    run: list[Write] = []
    seen: dict[tuple[Kind, str], bool] = {}
    for write in writes:
        key, timed = (write.kind, write.id), write.newest_by is not None
        if key in seen and (timed or seen[key]):
            yield run
            run, seen = [], {}
        run.append(write)
        seen[key] = timed or seen.get(key, False)
    if run:
        yield run


def _chunks(lines: Sequence[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    chunk: list[tuple[int, bytes]] = []
    size = 0
    for line in lines:
        if chunk and size + len(line[1]) > BULK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line[1])
    if chunk:
        yield chunk


def _query(kind: Kind, where: Filter) -> dict[str, Any]:
    check_filter(kind, where)
    parts: list[dict[str, Any]] = [{"terms": {field: list(wanted)}} for field, wanted in where.equals.items()]
    parts += [{"range": {field: {"gte": micros(at)}}} for field, at in where.since.items()]
    parts += [{"range": {field: {"lt": micros(at)}}} for field, at in where.before.items()]
    parts += [{"term": {"terms": word}} for word in sorted(set(where.terms))]
    if any_terms := sorted(set(where.any_terms)):
        least = max(1, where.min_terms)
        if least > len(any_terms):
            parts.append({"match_none": {}})
        else:
            parts.append({"terms_set": {"terms": {"terms": any_terms, "minimum_should_match": least}}})
    return {"bool": {"filter": parts}} if parts else {"match_all": {}}


def _cause(error: Any) -> str:
    """Elasticsearch's words for what went wrong, in one line."""
    if not error:
        return ""
    if isinstance(error, dict) and isinstance(error.get("error"), dict):
        error = error["error"]
    if not isinstance(error, dict):
        return str(error)[:300]
    inner = error.get("caused_by") or {}
    words = [error.get("type"), error.get("reason"), inner.get("reason")]
    return ": ".join(str(word) for word in words if word)[:300]
