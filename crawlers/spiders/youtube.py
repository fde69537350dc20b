"""YouTube: a channel's feed needs no key; the comments of its videos need one.

One video after the other, so that a spent quota is met once and not once a video.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .. import places
from ..pages.items import LinkItem, PostItem
from .timeline import Timeline

_ABOUT_THE_VIDEO = ("commentsDisabled", "videoNotFound", "forbidden")
"""Refusals that concern one video; any other concerns the key (YouTube Data API, "CommentThreads: list", errors)."""


class YouTube(Timeline):
    name = "youtube"
    page = "youtube_feed"
    depth_limit = 100_000
    """Each video is asked for by the answer about the one before it: `max_pages` is the limit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: list[str] = []
        first = places.first("youtube", self.source.url)
        self._one_video = "videoId=" in urlsplit(first).query
        self._gate = places.comments_of(self.source.url, "").partition("?")[0]
        self._may_ask = self.errand.keys.has("youtube") and self.errand.keys.belong_to(self._gate)

    async def start(self) -> AsyncIterator[Any]:
        if self.source.follow or self._one_video:
            if not self._may_ask:
                await self.blinded(self._gate, f"comments need {self.errand.keys.setting('youtube')}")
            elif self._one_video:
                self._waiting = parse_qs(urlsplit(places.first("youtube", self.source.url)).query)["videoId"]
                yield self._next_video()
        if not self._one_video:
            async for request in super().start():
                yield request

    def onward(self, response: Any, posts: Sequence[PostItem]) -> Iterator[Any]:
        if self.source.follow and self._may_ask:
            self._waiting = [post.native_id for post in posts]
            if request := self._next_video():
                yield request

    def _next_video(self) -> Any:
        if not self._waiting:
            return None
        video = self._waiting.pop(0)
        return self._ask(places.comments_of(self.source.url, video), video)

    def _ask(self, url: str, video: str) -> Any:
        request = self.to(url, self.comments, video=video)
        if request is not None:
            request.meta["handle_httpstatus_list"] = [400, 403, 404]
            self.errand.keys.lend("youtube", request)
        return request

    async def comments(self, response: Any, video: str) -> Any:
        fetch = self.fetch_of(response)
        items = await self.read("youtube_comments", fetch, listing=True)
        request = None
        if response.status == 200:
            await self.seeing(self._gate)
            self.looked(response)
            key = f"comments:{self.source.id}:{video}"
            new = await self.keep_changed(fetch, items)
            older = next((i.url for i in items if isinstance(i, LinkItem) and i.why == "next page"), None)
            if older and (new or not self.errand.seen.get(key)):
                request = self._ask(older, video)
            else:
                await self.keep(None, [], marks=[(key, "1")])
        else:
            why = _refusal(response.body)
            await self.keep(fetch, items)
            if why not in _ABOUT_THE_VIDEO:
                await self.blinded(self._gate, f"HTTP {response.status}, {why}")
                return
        if request := request or self._next_video():
            yield request


def _refusal(body: bytes) -> str:
    """The API's one word for why."""
    try:
        return str(json.loads(body)["error"]["errors"][0]["reason"])
    except (ValueError, LookupError, TypeError):
        return "refused without a reason"
