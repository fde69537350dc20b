"""A Mastodon timeline read back to where its stream was left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.contracts import Gap

from .. import places
from ..archive import Fetch
from ..frontier.store import Due, streamed
from ..pages.items import Item
from ..publish import Harvest
from ..seen import Mark
from ..sources import Source
from ..streams.batch import Fresh, number_of
from .mastodon import Mastodon
from .visit import Errand, explain


class CatchUp(Mastodon):
    """Runs beside the stream, which tells what was missed: `why` says what kept this from making up for all of it."""

    name = "catch_up"
    watches = False
    keeps_answers = False

    def __init__(self, source: Source, errand: Errand, due: Due, fresh: Fresh, since: str) -> None:
        super().__init__(source, errand, due)
        self._fresh, self._since = fresh, since
        self.why = ""

    def first(self) -> Any:
        yield self._timeline(places.timeline_of(self.source.url), self._since)

    def to(self, url: str, callback: Any, *, listing: bool = False, **carried: Any) -> Any:
        request = super().to(url, callback, listing=listing, **carried)
        if request is None:
            self.why = self.why or f"more than {self.source.max_pages} pages of statuses"
        elif token := self.errand.keys.token(url):
            request.headers["Authorization"] = f"Bearer {token}"
            # Elsewhere the header would travel along. And whoever gave us a token has agreed.
            request.meta |= {"dont_redirect": True, "dont_obey_robotstxt": True}
        return request

    async def keep(
        self, fetch: Fetch | None, items: Iterable[Item], *, marks: Sequence[Mark] = (), gaps: Sequence[Gap] = ()
    ) -> None:
        """Without the gaps of a listing that cannot be had: the stream is seen, and tells which part of it is missing."""
        await self.errand.publisher.room()
        marks = [*marks, *(streamed(self.source.id, *name) for name in _names(fetch))]
        self.errand.publisher.put(Harvest(self.source.id, fetch, self._fresh.only_new(items), self.source.home, marks))

    async def missed(self, failure: Any) -> Any:
        self.failures += 1
        self.why = explain(failure.value).cause

    async def blinded(self, asked: str, cause: str) -> None:
        self.failures += 1
        self.why = cause

    async def seeing(self, asked: str) -> None:
        pass

    def closed(self, reason: str) -> None:
        """Nothing is marked here: the stream knows how far it got."""
        if reason != "finished":
            self.why = self.why or "stopped before it was through"
        elif not self.why and not self.whole:
            self.why = "the timeline could not be read"


def _names(fetch: Fetch | None) -> list[tuple[str, str]]:
    try:
        told = json.loads(fetch.body) if fetch is not None else []
    except (ValueError, RecursionError):
        return []
    return [named for one in (told if isinstance(told, list) else ()) if (named := number_of(one))]
