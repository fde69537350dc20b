"""What a row or a table is an export of: known by keys that only that export has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from crawlers.pages.items import PostItem
from pipeline.contracts import Post

from . import apify, instagram, meta, microblogs, ours, snscrape, telegram_desktop, tiktok, x_api, x_web, zeeschuimer
from .fourcat import TELEGRAM_COLUMNS, table_of
from .row import NoPost, Row, Skipped, obj

Single = Callable[[dict[str, Any], Row], PostItem | Post]
Made = PostItem | Post | NoPost | Skipped

LOOKED_FOR = (
    "Zeeschuimer (source_platform, data)",
    "4CAT (its columns, or __import_meta)",
    "CrowdTangle (Post Created, URL, Message; Link:)",
    "Meta Content Library (post_owner, creation_time)",
    "X API v2 (data, includes), v1.1 (id_str, user), archive (tweet), twarc-csv (public_metrics.like_count)",
    "snscrape (_type)",
    "Apify's actors (twitterUrl, webVideoUrl, shortCode, facebookUrl)",
    "Brandwatch (Query Id, Full Text), Meltwater (Hit Sentence), Talkwalker (content_snippet)",
    "Telegram Desktop (messages, chats)",
    "our own posts (platform, native_id)",
    "a table with a column for text",
)
"""For people whose file is none of them."""


@dataclass(frozen=True)
class Kind:
    """An export: its name for people, and the posts of one of its rows."""

    name: str
    made: Callable[[dict[str, Any], Row], Iterator[Made]]


def single(name: str, mapper: Single) -> Kind:
    """A kind of which each row is one post."""

    def made(told: dict[str, Any], row: Row) -> Iterator[Made]:
        yield mapper(told, row)

    return Kind(name, made)


def kind_of(told: dict[str, Any]) -> Kind | None:
    """What a JSON object is; None if nothing known."""
    keys = told.keys()
    if isinstance(told.get("data"), dict) and "source_platform" in keys:
        return single(f"Zeeschuimer, {zeeschuimer.name_of(told)}", zeeschuimer.item)
    imported = obj(told.get("__import_meta"))
    if imported.get("source_platform") or imported.get("source_platform_url"):
        return single(f"4CAT, {zeeschuimer.name_of(imported)}", zeeschuimer.imported)
    if ours.is_ours(told):
        return single("our own posts", ours.post)
    if snscrape.kind_of(told):
        return single(f"snscrape, {snscrape.name_of(told)}", snscrape.item)
    return _of_x(told) or _of_others(told)


def _of_x(told: dict[str, Any]) -> Kind | None:
    keys = told.keys()
    data = told.get("data")
    if isinstance(data, (dict, list)) and (
        {"includes", "__twarc", "matching_rules"} & keys or _holds_tweets(data) or ("meta" in keys and data == [])
    ):
        return Kind("X API v2", x_api.page)
    if (isinstance(told.get("errors"), list) and "data" not in keys) or (
        keys == {"meta"} and "result_count" in obj(told["meta"])
    ):
        return Kind("X API v2", x_api.page)
    if isinstance(told.get("text"), str) and (
        {"author_id", "edit_history_tweet_ids", "public_metrics", "referenced_tweets"} & keys and "id" in keys
    ):
        return single("X API v2, flattened", x_api.flat)
    if isinstance(told.get("legacy"), dict) and {"rest_id", "core", "id"} & keys:
        return single("X, as its pages load it", x_web.graphql)
    if isinstance(told.get("tweet"), dict) and {"id_str", "full_text"} & obj(told["tweet"]).keys():
        return single("X archive", x_web.archived)
    if "id_str" in keys and isinstance(told.get("user"), dict) and {"full_text", "text"} & keys:
        return single("X API v1.1", x_web.v1)
    if len(keys) <= 2 and {"delete", "limit", "disconnect", "scrub_geo", "status_withheld", "warning"} & keys:
        return single("X API v1.1", x_web.notice)
    return None


def _holds_tweets(data: Any) -> bool:
    rows = data if isinstance(data, list) else [data]
    return (
        bool(rows)
        and all(
            isinstance(r, dict) and (("id" in r and ("text" in r or "username" in r)) or "tweet_count" in r)
            for r in rows[:3]
        )
        and not any(meta.is_content_library(r) for r in rows[:3] if isinstance(r, dict))
    )


def _of_others(told: dict[str, Any]) -> Kind | None:
    keys = told.keys()
    if meta.is_content_library(keys):
        return single("Meta Content Library", meta.content_library)
    if "platformId" in keys and isinstance(told.get("account"), dict):
        return single("CrowdTangle API", meta.crowdtangle_api)
    if isinstance(told.get("record"), dict) and "uri" in keys and isinstance(told.get("author"), dict):
        return single("4CAT, Bluesky", microblogs.bluesky)
    if {"video_description", "create_time"} <= keys:
        return single("TikTok Research API", tiktok.research)
    if isinstance(told.get("node"), dict) and "shortcode" in told["node"]:
        return single("Instaloader", lambda found, row: instagram.post(found["node"], row))
    if kind := apify.kind_of(map(str, keys)):
        return single(f"Apify, {apify.NAMES[kind]}", apify.item)
    if "peer_id" in keys and ("message" in keys or "action" in keys):
        return single("Telegram, by Telethon", telegram_desktop.telethon)
    inner = _answer(told)
    if inner is not None:
        return Kind("an API's answer", inner)
    table = table_kind(list(map(str, keys)))
    return table


def _answer(told: dict[str, Any]) -> Callable[[dict[str, Any], Row], Iterator[Made]] | None:
    """An answer that holds a list of known rows: `data`, `data.videos` or `result.posts`."""
    for path in ((), ("data",), ("result",)):
        for name in ("data", "videos", "posts", "messages", "tweets"):
            rows = obj(told, *path).get(name)
            if isinstance(rows, list) and rows and isinstance(rows[0], dict) and kind_of(rows[0]) is not None:
                return lambda _, row, rows=rows: _each(rows, row)  # type: ignore[misc]
    return None


def _each(rows: list[Any], row: Row) -> Iterator[Made]:
    for nth, told in enumerate(rows, start=1):
        kind = kind_of(told) if isinstance(told, dict) else None
        try:
            if kind is None:
                raise NoPost("an item of another kind than the first")
            yield from kind.made(told, row)
        except NoPost as error:
            yield NoPost(str(error), error.place or f"item {nth}")
        except Skipped as error:
            yield error


def table_kind(header: list[str]) -> Kind | None:
    """What a table is, by its columns; None if nothing known."""
    if meta.is_crowdtangle(header):
        return single("CrowdTangle", meta.crowdtangle)
    if meta.is_score_history(header):
        return single("CrowdTangle, scores of one post", meta.score_history(header))
    if meta.is_content_library(header):
        return single("Meta Content Library", meta.content_library)
    if set(header) >= TELEGRAM_COLUMNS:
        return single("4CAT, Telegram", meta.fourcat_telegram)
    if kind := apify.kind_of(header):
        return single(f"Apify, {apify.NAMES[kind]}", apify.item)
    if snscrape.is_table(header):
        return single("snscrape, as a table", snscrape.table_row)
    table = table_of(header)
    return single(table.name, table.post) if table else None
