"""Who gets in, and who does not."""

from __future__ import annotations

import hmac
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.tokens import SESSION_S, ensure_token, load_tokens
from pipeline.settings import BadSettings, Settings
from tests.api.conftest import World
from tests.api.small_store import NOW, OTHER_TOKEN, TOKEN

GUARDED = [
    "/api/v1/alerts",
    "/api/v1/alerts/a0000",
    "/api/v1/alerts/a0000/posts",
    "/api/v1/alerts/stream",
    "/api/v1/posts",
    "/api/v1/posts/x",
    "/api/v1/posts/x/evidence",
    "/api/v1/claims",
    "/api/v1/claims/x",
    "/api/v1/gaps",
    "/api/v1/coverage",
    "/api/v1/coverage/x",
    "/api/v1/sources",
    "/api/v1/sources/x",
    "/api/v1/stats",
    "/api/v1/stats/timeline",
    "/api/v1/metrics",
    "/metrics",
]


NO_TOKEN: list[dict[str, Any]] = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": f"Bearer {TOKEN[:-1]}"},
    {"Authorization": f"Bearer {TOKEN},{OTHER_TOKEN}"},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": "Bearer ÿ".encode("latin-1")},
    {"Cookie": f"jaga_session={TOKEN}"},
    {"Cookie": "jaga_session=99999999999.deadbeef"},
]


@pytest.mark.parametrize("path", GUARDED)
def test_without_a_token_in_force_there_is_nothing_to_read(empty: World, path: str) -> None:
    for headers in NO_TOKEN:
        answer = empty.stranger.get(path, headers=headers)
        assert answer.status_code == 401, headers
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert answer.json()["type"] == "urn:jaga:problem:no-token"


def test_a_good_cookie_does_not_heal_a_wrong_header(empty: World) -> None:
    tokens = empty.app.state.house.tokens
    cookie = {"Cookie": f"jaga_session={tokens.open_session(tokens.find(TOKEN), NOW)}"}
    assert empty.stranger.get("/api/v1/alerts", headers=cookie).status_code == 200
    assert empty.stranger.get("/api/v1/alerts", headers={**cookie, "Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize("token", [TOKEN, OTHER_TOKEN])
def test_each_token_lets_in(empty: World, token: str) -> None:
    assert empty.stranger.get("/api/v1/alerts", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_no_route_of_the_api_is_left_unguarded(empty: World) -> None:
    free = {"/api/v1/healthz", "/api/v1/readyz"}
    for path, operations in empty.client.get("/api/v1/openapi.json").json()["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) != (path in free), path


def test_every_token_is_compared_in_constant_time_whatever_is_given(
    empty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = []

    def compare(one: bytes, other: bytes) -> bool:
        lengths.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for given in ("", "x", TOKEN, TOKEN[:-1] + "X", "y" * 9000):
        empty.app.state.house.tokens.find(given)
    # Both tokens each time, the first match included, and always digests of one length.
    assert lengths == [(32, 32)] * 10


def test_a_session_ends_and_cannot_be_stretched(empty: World) -> None:
    tokens = empty.app.state.house.tokens
    session = tokens.open_session(tokens.find(TOKEN), NOW)
    assert TOKEN not in session
    assert tokens.check_session(session, NOW + timedelta(seconds=SESSION_S - 1)).value == TOKEN
    assert tokens.check_session(session, NOW + timedelta(seconds=SESSION_S)) is None
    ends, signature = session.split(".")
    assert tokens.check_session(f"{int(ends) + 1}.{signature}", NOW) is None
    for forged in (
        "",
        ".",
        "x.y",
        f"-1.{signature}",
        f"{ends}.",
        f"{ends}.{signature}x",
        f"\u0662.{signature}",
        "1" * 99,
    ):
        assert tokens.check_session(forged, NOW) is None


def test_a_session_dies_with_its_token(empty: World, tmp_path: Path) -> None:
    tokens = empty.app.state.house.tokens
    session = tokens.open_session(tokens.find(TOKEN), NOW)
    left = load_tokens(Settings(home=tmp_path, api_tokens=OTHER_TOKEN, _env_file=None))
    assert left.check_session(session, NOW) is None


def test_a_token_is_made_at_first_start_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new", _env_file=None)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: ensure_token(settings), range(16)))
    assert len(made) == 1
    (token,) = made
    assert len(token) >= 32
    assert stat.S_IMODE((settings.home / "token").stat().st_mode) == 0o600
    assert [p.name for p in settings.home.iterdir()] == ["token"]
    assert load_tokens(settings).find(token) is not None


def test_a_token_that_no_header_can_carry_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="JAGA_API_TOKENS: token 2"):
        load_tokens(Settings(home=tmp_path, api_tokens="good, not good", _env_file=None))


def test_an_emptied_token_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(BadSettings, match="token is empty"):
        load_tokens(Settings(home=tmp_path, _env_file=None))
