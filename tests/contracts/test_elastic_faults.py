"""Elasticsearch in trouble: what cannot be stored now is said to be so, and what could be is stored."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from elasticsearch import Elasticsearch

from pipeline.adapters.choose import open_store
from pipeline.ports import Document, Filter, RetryLater, SearchStore, Write
from pipeline.settings import Settings
from tests.contracts.proxy import Answer, Forward, Proxy, proxy
from tests.servers import Missing, elasticsearch

pytestmark = pytest.mark.servers

WRITES = [Write("posts", f"p{i}", {"seen_at": "2024-11-27T00:00:00Z", "n": i}, create=i % 3 == 0) for i in range(20)]
DOCUMENTS: dict[str, Document] = {write.id: write.document for write in WRITES}


@pytest.fixture(scope="module")
def prefix() -> str:
    return f"f{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(f"http://{urlsplit(elasticsearch_url).netloc}") as client:
        yield client


@pytest.fixture
def server(elasticsearch_url: str) -> Iterator[Proxy]:
    with proxy(elasticsearch_url) as server:
        yield server


@pytest.fixture
def store(server: Proxy, prefix: str) -> Iterator[SearchStore]:
    """Through the proxy; empty."""
    store = open_store(Settings(store=server.url, index_prefix=prefix))
    store.prepare()
    store.delete("posts", [hit.id for hit in store.scan("posts", Filter())])
    server.paths.clear()
    yield store
    store.close()


def all_there(store: SearchStore) -> None:
    assert store.get("posts", list(DOCUMENTS)) == DOCUMENTS
    store.refresh()
    assert store.count("posts", Filter()) == len(DOCUMENTS)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 401, 403])
def test_a_server_that_refuses_everything_is_retry_later_with_its_status(
    store: SearchStore, server: Proxy, status: int
) -> None:
    error = {"error": {"type": "some_exception", "reason": "too many requests"}, "status": status}
    server.rule = lambda path, body, forward: Answer(status, json.dumps(error).encode())
    host = urlsplit(server.url).netloc
    for call in (
        lambda: store.put(WRITES),
        lambda: store.get("posts", ["p1"]),
        lambda: store.search("posts", Filter(), sort="seen_at"),
        lambda: store.delete("posts", ["p1"]),
        store.prepare,
        store.ping,
    ):
        with pytest.raises(RetryLater, match=rf"{host}.*{status}.*too many requests"):
            call()  # type: ignore[operator]
    server.rule = lambda path, body, forward: forward(body)
    store.put(WRITES)
    all_there(store)


def half(status: int, type_: str) -> object:
    """Every second item of a bulk fails with that status, the others reach the server."""

    def rule(path: str, body: bytes, forward: Forward) -> Answer:
        if not path.startswith("/_bulk"):
            return forward(body)
        lines = body.rstrip(b"\n").split(b"\n")
        pairs = [lines[i : i + 2] for i in range(0, len(lines), 2)]
        kept = forward(b"\n".join(line for pair in pairs[::2] for line in pair) + b"\n")
        stored = iter(json.loads(kept.body)["items"])
        items = [
            next(stored)
            if i % 2 == 0
            else {"index": {"status": status, "error": {"type": type_, "reason": "no room", "caused_by": None}}}
            for i in range(len(pairs))
        ]
        return Answer(200, json.dumps({"took": 1, "errors": True, "items": items}).encode())

    return rule


@pytest.mark.parametrize("status", [429, 500, 503, 507])
def test_a_half_failed_bulk_is_retry_later_and_what_was_taken_is_stored(
    store: SearchStore, server: Proxy, status: int
) -> None:
    server.rule = half(status, "es_rejected_execution_exception")  # type: ignore[assignment]
    with pytest.raises(RetryLater, match=f"{status}.*no room"):
        store.put(WRITES)
    assert store.get("posts", list(DOCUMENTS)) == {w.id: w.document for w in WRITES[::2]}
    server.rule = lambda path, body, forward: forward(body)
    outcomes = [w.outcome for w in store.put(WRITES)]
    assert outcomes == ["exists" if i % 3 == 0 and i % 2 == 0 else "stored" for i in range(20)]
    all_there(store)


def test_an_item_that_the_server_refuses_for_ever_hinders_no_other(store: SearchStore, server: Proxy) -> None:
    server.rule = half(400, "document_parsing_exception")  # type: ignore[assignment]
    written = store.put(WRITES)
    assert [w.outcome for w in written] == ["stored", "refused"] * 10
    assert "document_parsing_exception: no room" in written[1].cause


def test_an_answer_lost_on_the_way_is_retry_later_and_putting_again_is_safe(store: SearchStore, server: Proxy) -> None:
    def rule(path: str, body: bytes, forward: Forward) -> Answer | None:
        forward(body)
        return None

    server.rule = rule
    with pytest.raises(RetryLater, match=urlsplit(server.url).netloc):
        store.put(WRITES)
    server.rule = lambda path, body, forward: forward(body)
    assert {w.outcome for w in store.put(WRITES)} == {"stored", "exists"}
    all_there(store)


def test_a_bulk_too_large_for_the_server_goes_in_parts(store: SearchStore, server: Proxy) -> None:
    def rule(path: str, body: bytes, forward: Forward) -> Answer:
        return Answer(413, b"") if len(body) > 1500 else forward(body)

    server.rule = rule
    writes = [*WRITES[:7], Write("posts", "large", {"text": "x" * 2000}), *WRITES[7:]]
    written = store.put(writes)
    assert [w.outcome for w in written] == ["stored"] * 7 + ["refused"] + ["stored"] * 13
    assert "too large" in written[7].cause
    all_there(store)


def test_many_large_documents_go_in_several_bulks(store: SearchStore, server: Proxy) -> None:
    writes = [Write("posts", f"p{i}", {"text": "x" * 1_000_000}) for i in range(20)]
    store.put(writes)
    assert sum(path.startswith("/_bulk") for path in server.paths) == 3
    assert len(store.get("posts", [w.id for w in writes])) == 20


def test_a_full_disk_is_retry_later_and_nothing_is_lost(store: SearchStore, client: Elasticsearch, prefix: str) -> None:
    """Elasticsearch puts this block on its indices when the disk passes the flood stage."""
    store.put(WRITES[:5])
    client.indices.put_settings(index=f"{prefix}-posts", settings={"index.blocks.read_only_allow_delete": True})
    with pytest.raises(RetryLater, match="read-only"):
        store.put(WRITES)
    client.indices.put_settings(index=f"{prefix}-posts", settings={"index.blocks.read_only_allow_delete": None})
    store.put(WRITES)
    all_there(store)


def test_without_prepare_nothing_is_written_and_no_index_is_guessed(
    elasticsearch_url: str, client: Elasticsearch
) -> None:
    store = open_store(Settings(store=elasticsearch_url, index_prefix="never-prepared"))
    for call in (lambda: store.put(WRITES), lambda: store.get("posts", ["p1"]), lambda: store.count("posts", Filter())):
        with pytest.raises(RetryLater, match="never-prepared-posts"):
            call()  # type: ignore[operator]
    assert not client.indices.exists(index="never-prepared-*", allow_no_indices=False)
    store.close()


def test_an_index_older_than_the_program_is_mended_by_prepare_and_refuses_no_document(
    elasticsearch_url: str, client: Elasticsearch
) -> None:
    prefix = f"o{uuid.uuid4().hex[:8]}"
    properties = {"id": {"type": "keyword"}, "body": {"type": "object", "enabled": False}}
    client.indices.create(
        index=f"{prefix}-gaps-v1",
        aliases={f"{prefix}-gaps": {}},
        mappings={"dynamic": "strict", "properties": properties},
    )
    store = open_store(Settings(store=elasticsearch_url, index_prefix=prefix))
    write = Write("gaps", "g", {"source": "forum", "cause": "503"})
    with pytest.raises(RetryLater, match="strict_dynamic_mapping"):
        store.put([write])
    store.prepare()
    assert store.put([write])[0].outcome == "stored"
    store.refresh()
    assert store.count("gaps", Filter(equals={"source": ["forum"]})) == 1
    store.close()


def test_another_product_at_that_address_is_told_apart(server: Proxy) -> None:
    store = open_store(Settings(store=server.url))
    server.rule = lambda path, body, forward: Answer(200, b"{}", product="something")
    with pytest.raises(RetryLater, match="no Elasticsearch"):
        store.get("posts", ["p1"])


def test_what_was_acknowledged_survives_a_killed_server(tmp_path: Path) -> None:
    try:
        server = elasticsearch.start(tmp_path)
    except Missing as error:
        pytest.skip(str(error))
    try:
        store = open_store(Settings(store=server.url))
        store.prepare()
        store.put(WRITES)
        server.kill()
        with pytest.raises(RetryLater, match=urlsplit(server.url).netloc):
            store.put(WRITES)
        server = elasticsearch.start(tmp_path, urlsplit(server.url).port)
        all_there(store)
        store.close()
    finally:
        server.kill()
