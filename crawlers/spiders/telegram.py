"""Telegram's public preview of a channel, page by page back in time."""

from __future__ import annotations

from collections.abc import Sequence

from ..pages.items import PostItem
from .timeline import Timeline


class Telegram(Timeline):
    name = "telegram"
    page = "telegram"

    def _newest_first(self, posts: Sequence[PostItem]) -> Sequence[PostItem]:
        # The preview reads downwards, the newest at the end.
        return posts[::-1]
