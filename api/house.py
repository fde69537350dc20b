"""What every route has at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from api.problems import Problem
from api.tokens import EDIT_SOURCES, READ, Token, Tokens
from pipeline.contracts import Heartbeat
from pipeline.documents import heartbeat_of
from pipeline.ports import Broker, Clock, Filter, SearchStore, SourceRegistry
from pipeline.settings import Settings

COOKIE = "jaga_session"
BEATS_S = 2.0
"""5,000 heartbeats take 0.7 s to read; many open pages share them."""
COUNTS_S = 1.0
"""Many open pages ask for the same sums; they are counted at most once in so many seconds."""

Counts = Callable[[Broker, SearchStore], dict[str, Any]]
Terms = Callable[[str], list[str]]


@dataclass
class House:
    settings: Settings
    store: SearchStore
    broker: Broker
    clock: Clock
    tokens: Tokens
    terms: Terms
    count: Counts
    sources: SourceRegistry | None = None
    """None where nobody gave one: then only visited sources are known."""
    _counted: tuple[float, dict[str, Any]] | None = None
    _lock: Lock = field(default_factory=Lock)
    _beats: tuple[float, dict[str, Heartbeat]] | None = None
    _beats_lock: Lock = field(default_factory=Lock)

    def beats(self) -> dict[str, Heartbeat]:
        """The last heartbeat of every source; at most `BEATS_S` old. Raises RetryLater."""
        with self._beats_lock:
            now = self.clock.monotonic()
            if self._beats is None or now - self._beats[0] > BEATS_S:
                hits = self.store.scan("heartbeats", Filter())
                self._beats = (now, {hit.id: heartbeat_of(hit.document) for hit in hits})
            return self._beats[1]

    def sums(self) -> dict[str, Any]:
        """The conservation counts and what the store holds by label, rule and status; at most `COUNTS_S` old. Raises RetryLater."""
        with self._lock:
            now = self.clock.monotonic()
            if self._counted is None or now - self._counted[0] > COUNTS_S:
                everything = Filter()
                held = {
                    "by_rule": self.store.terms("alerts", "rule", everything),
                    "by_status": self.store.terms("alerts", "status", everything),
                    "labels": self.store.terms("posts", "labels", everything),
                    "posts": self.store.count("posts", everything),
                    "claims": self.store.count("claims", everything),
                    "gaps": self.store.count("gaps", everything),
                }
                self._counted = (now, {"counts": self.count(self.broker, self.store), **held})
            return self._counted[1]


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


HouseDep = Annotated[House, Depends(house_of)]

bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="A token with the scope `read`.")
session = APIKeyCookie(name=COOKIE, auto_error=False, scheme_name="session", description="Set by the pages' login.")


def reader(
    house: HouseDep,
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    cookie: Annotated[str | None, Security(session)],
) -> Token:
    """The token of the request; a wrong Authorization header is not healed by a good cookie. Raises Problem (401)."""
    if "authorization" in request.headers:
        token = house.tokens.find(credentials.credentials) if credentials else None
        why = "the token in the Authorization header is not in force"
    else:
        token = house.tokens.check_session(cookie, house.clock.now()) if cookie else None
        why = "send `Authorization: Bearer TOKEN`; the token lies in JAGA_HOME/token or JAGA_API_TOKENS"
    if token is None or READ not in token.scopes:
        raise Problem("no-token", why, headers={"WWW-Authenticate": f'Bearer realm="jaga", scope="{READ}"'})
    return token


def editor(request: Request, token: Annotated[Token, Depends(reader)]) -> Token:
    """A token that may edit sources, sent as such: a cookie comes along with what other pages make a browser send. Raises Problem (403)."""
    if "authorization" not in request.headers:
        raise Problem("forbidden", "edits need the token itself in the Authorization header, not a session")
    if EDIT_SOURCES not in token.scopes:
        raise Problem("forbidden", f"this token lacks the scope `{EDIT_SOURCES}`")
    return token
