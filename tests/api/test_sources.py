"""What is watched is read by all and changed by few, never without a name, a reason and a legal basis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.tokens import load_tokens
from crawlers.registry import Registry
from crawlers.source_list import SourceList
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.settings import BadSettings, Settings
from pipeline.topology import TOPICS
from tests.api.small_store import StandingClock

EDITOR, READER = "rahasia-penyunting-1", "rahasia-pembaca-2"
FILE = """
- {id: kabar, kind: feed, url: "https://kabar.example/rss", enabled: false, region: [33], name: Kabar}
- {id: warga, kind: mastodon, url: "https://warga.example/api/v1/timelines/public", legal_basis: terbuka, enabled: false}
"""
URL = "/api/v1/sources"


@dataclass
class Desk:
    settings: Settings
    editor: TestClient
    reader: TestClient

    def registry(self) -> Registry:
        return Registry.of(self.settings)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    file = tmp_path / "sources.yaml"
    file.write_text(FILE)
    settings = Settings(
        home=tmp_path, sources=file, api_tokens=f"sari:read+sources:{EDITOR}, budi:read:{READER}", _env_file=None
    )
    store, broker = SqliteStore(settings.store_file), SqliteBroker(settings.log_file)
    store.prepare()
    broker.ensure(TOPICS)
    app = create_app(settings, store, broker, StandingClock(), sources=SourceList(settings))
    yield Desk(settings, *(TestClient(app, headers={"Authorization": f"Bearer {token}"}) for token in (EDITOR, READER)))
    store.close()
    broker.close()


def test_an_edit_keeps_who_what_from_what_to_what_and_why(desk: Desk) -> None:
    answer = desk.editor.patch(
        f"{URL}/kabar", json={"fields": {"cadence_s": 60, "region": ["35"]}, "why": "pekan kampanye"}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert (body["source"]["cadence_s"], body["source"]["region"]) == (60, ["35"])
    (edit,) = body["edits"]
    assert (edit["who"], edit["act"], edit["why"]) == ("sari", "set", "pekan kampanye")
    assert (edit["fields"], edit["was"]) == ({"cadence_s": 60, "region": ["35"]}, {"cadence_s": 900, "region": ["33"]})
    assert desk.registry().events()[0].who == "sari"
    assert desk.reader.get(f"{URL}/kabar").json() == body


def test_no_source_is_turned_on_without_a_legal_basis(desk: Desk) -> None:
    answer = desk.editor.patch(f"{URL}/kabar", json={"fields": {"enabled": True}, "why": "mulai"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["parameter"] == "legal_basis"
    assert answer.json()["errors"][0]["where"] == "body"
    new = {"id": "baru", "kind": "feed", "url": "https://baru.example/rss", "enabled": True}
    assert desk.editor.post(URL, json={"fields": new, "why": "mulai"}).json()["errors"][0]["parameter"] == "legal_basis"
    assert desk.registry().events() == []
    done = desk.editor.patch(f"{URL}/warga", json={"fields": {"enabled": True}, "why": "mulai"})
    assert (done.status_code, done.json()["edits"][0]["act"]) == (200, "on")
    assert (
        desk.editor.patch(f"{URL}/warga", json={"fields": {"enabled": False}, "why": "selesai"}).json()["edits"][1][
            "act"
        ]
        == "off"
    )


def test_a_new_source_is_off_and_found_at_its_address(desk: Desk) -> None:
    fields = {"id": "baru", "kind": "telegram", "url": "https://t.me/kanalbaru"}
    answer = desk.editor.post(URL, json={"fields": fields, "why": "diminta desk"})
    assert (answer.status_code, answer.headers["location"]) == (201, f"{URL}/baru")
    assert (answer.json()["source"]["enabled"], answer.json()["source"]["origin"]) == (False, "added")
    assert desk.reader.get(answer.headers["location"]).status_code == 200
    again = desk.editor.post(URL, json={"fields": fields, "why": "diminta desk"})
    assert (again.status_code, again.json()["errors"][0]["parameter"]) == (400, "id")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"cadence_s": 0}, "cadence_s"),
        ({"url": "ftp://x.example/"}, "url"),
        ({"region": ["Atlantis"]}, "region"),
        ({"kind": "telepati"}, "kind"),
        ({"warna": "merah"}, "warna"),
        ({"id": "lain"}, "id"),
        ({"recipe": {"items": "a"}}, "recipe"),
    ],
)
def test_a_wrong_edit_names_the_field_and_changes_nothing(desk: Desk, fields: dict[str, Any], wrong: str) -> None:
    answer = desk.editor.patch(f"{URL}/kabar", json={"fields": fields, "why": "coba-coba"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:jaga:problem:bad-parameter")
    assert answer.json()["errors"][0]["parameter"] == wrong
    assert desk.registry().events() == []


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"fields": {"name": "x"}}', "why"),
        (b'{"fields": {"name": "x"}, "why": "   "}', "why"),
        (b'{"fields": {}, "why": "coba-coba"}', "fields"),
        (b'{"fields": {"name": "x"}, "why": "coba-coba", "who": "orang lain"}', "who"),
        (b'{"fields": {"name": "\\ud800"}, "why": "coba-coba"}', "body"),
        (b'{"fields": {"notes": "' + b"x" * 70_000 + b'"}, "why": "coba-coba"}', "body"),
        (b"[" * 50_000, "body"),
    ],
)
def test_a_body_that_is_none_is_told(desk: Desk, body: bytes, wrong: str) -> None:
    answer = desk.editor.patch(f"{URL}/kabar", content=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == wrong
    assert desk.registry().events() == []


def test_only_tokens_with_the_scope_edit_and_a_session_never_does(desk: Desk) -> None:
    edit = {"fields": {"name": "x"}, "why": "coba-coba"}
    for answer in (desk.reader.patch(f"{URL}/kabar", json=edit), desk.reader.post(URL, json=edit)):
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:jaga:problem:forbidden")
    session = TestClient(desk.editor.app)
    assert session.patch(f"{URL}/kabar", json=edit).status_code == 401
    session.post("/login", data={"token": EDITOR})
    assert session.get(URL).status_code == 200
    assert session.patch(f"{URL}/kabar", json=edit).status_code == 403
    assert desk.registry().events() == []


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    edit = {"fields": {"name": "x"}, "why": "coba-coba"}
    assert desk.editor.patch(f"{URL}/hilang", json=edit).status_code == 404
    assert desk.reader.get(f"{URL}/hilang").status_code == 404
    assert desk.editor.delete(f"{URL}/kabar").status_code == 405


def test_the_list_is_filtered_paged_and_tagged(desk: Desk) -> None:
    def ids(**params: Any) -> list[str]:
        return [one["id"] for one in desk.reader.get(URL, params=params).json()["items"]]

    assert ids() == ["kabar", "warga"]
    assert ids(kind="feed") == ["kabar"]
    assert ids(region="33") == ["kabar"]
    assert ids(on="true") == []
    first = desk.reader.get(URL, params={"limit": 1}).json()
    assert ids(limit=1, cursor=first["next"]) == ["warga"]
    etag = desk.reader.get(URL).headers["etag"]
    assert desk.reader.get(URL, headers={"If-None-Match": etag}).status_code == 304
    desk.editor.patch(f"{URL}/warga", json={"fields": {"enabled": True}, "why": "mulai"})
    assert ids(on="true") == ["warga"]
    assert desk.reader.get(URL, headers={"If-None-Match": etag}).status_code == 200


def test_what_is_the_same_already_makes_no_edit(desk: Desk) -> None:
    answer = desk.editor.patch(f"{URL}/kabar", json={"fields": {"name": "Kabar"}, "why": "coba-coba"})
    assert (answer.status_code, answer.json()["edits"]) == (200, [])


def test_a_list_that_cannot_be_read_is_told_and_hinders_nothing_else(desk: Desk) -> None:
    assert desk.settings.sources is not None
    desk.settings.sources.write_text("- {id: kabar}")
    answer = desk.reader.get(URL)
    assert answer.status_code == 503
    assert "sources.yaml" in answer.json()["detail"]
    assert desk.reader.get("/api/v1/coverage").status_code == 200


def test_tokens_have_names_and_scopes(tmp_path: Path) -> None:
    def tokens(told: str) -> Any:
        return load_tokens(Settings(home=tmp_path, api_tokens=told, _env_file=None))

    found = tokens("sari:read+sources:abc, plain").find("abc")
    assert (found.name, found.scopes) == ("sari", {"read", "sources"})
    plain = tokens("sari:read+sources:abc, plain").find("plain")
    assert (plain.name, plain.scopes) == ("token 2", {"read"})
    own = tokens("").find((tmp_path / "token").read_text().strip())
    assert (own.name, own.scopes) == ("owner", {"read", "sources"})
    for wrong in ("sari:abc", "sari:write:abc", "sari:sources:abc", ":read:abc", "sari:read:a b", "sari:read:"):
        with pytest.raises(BadSettings, match="JAGA_API_TOKENS: token 1"):
            tokens(wrong)


def test_an_edit_over_the_api_is_what_the_command_line_shows(desk: Desk) -> None:
    desk.editor.patch(f"{URL}/kabar", json={"fields": {"name": "Kabar Kota"}, "why": "nama resmi"})
    entry = desk.registry().entry("kabar")
    assert entry.source.name == "Kabar Kota"
    assert json.loads(json.dumps(entry.as_dict()))["edits"][0]["who"] == "sari"
