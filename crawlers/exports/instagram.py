"""Instagram and Threads, as their own pages load them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawlers.pages.items import PostItem
from crawlers.pages.text import tidy

from .row import NoPost, Row, first, ident, number, obj, objects, urls, words


def post(data: dict[str, Any], row: Row) -> PostItem:
    """Both shapes that Instagram sends: of its apps (`code`, `taken_at`) and of its older pages (`shortcode`, `edge_...`)."""
    code = words(first(data.get("code"), data.get("shortcode")))
    native = code or ident(first(data.get("pk"), data.get("id")))
    if not native:
        raise NoPost("item without id")
    user = {**obj(data.get("owner")), **{k: v for k, v in obj(data.get("user")).items() if v is not None}}
    if user.get("is_private") is True:
        raise NoPost("not public: a private account")
    slides = objects(data.get("carousel_media"))
    slides += [obj(e.get("node")) for e in objects(obj(data.get("edge_sidecar_to_children")).get("edges"))]
    return PostItem(
        platform="instagram",
        native_id=native,
        url=f"https://www.instagram.com/p/{code}/" if code else None,
        author=row.author("instagram", first(user.get("pk"), user.get("id"), user.get("username"))),
        text=tidy(_caption(data)),
        published_at=row.when(first(data.get("taken_at"), data.get("taken_at_timestamp"), data.get("date"))),
        media=urls(_picture(shown) for shown in (data, *slides)),
        counts=_counts(data),
    )


def _caption(data: dict[str, Any]) -> str:
    caption = data.get("caption")
    told = caption.get("text") if isinstance(caption, dict) else caption
    if not told:
        edges = objects(obj(data.get("edge_media_to_caption")).get("edges"))
        told = obj(edges[0].get("node")).get("text") if edges else ""
    return words(told)


def _picture(shown: dict[str, Any]) -> Any:
    candidates = objects(obj(shown.get("image_versions2")).get("candidates"))
    if candidates:
        return candidates[0].get("url")
    videos = objects(shown.get("video_versions"))
    return first(shown.get("display_url"), shown.get("display_uri"), videos[0].get("url") if videos else None)


def _counts(data: dict[str, Any]) -> dict[str, int]:
    told = {
        # Where likes are hidden, the number sent is a stand-in.
        "likes": None
        if data.get("like_and_view_counts_disabled") is True
        else first(
            data.get("like_count"),
            obj(data.get("edge_media_preview_like")).get("count"),
            obj(data.get("edge_liked_by")).get("count"),
        ),
        "reposts": data.get("media_repost_count"),
        "replies": first(
            data.get("comment_count"),
            obj(data.get("edge_media_to_comment")).get("count"),
            obj(data.get("edge_media_preview_comment")).get("count"),
            obj(data.get("edge_media_to_parent_comment")).get("count"),
        ),
        "views": first(
            data.get("play_count"),
            data.get("ig_play_count"),
            data.get("view_count"),
            data.get("video_play_count"),
            data.get("video_view_count"),
        ),
    }
    return {name: n for name, value in told.items() if (n := number(value)) is not None}


def thread(data: dict[str, Any], row: Row) -> PostItem:
    """https://www.threads.com: Instagram's post with `text_post_app_info` beside it."""
    code = words(data.get("code"))
    native = code or ident(first(data.get("pk"), data.get("id")))
    if not native:
        raise NoPost("item without id")
    user, info = obj(data.get("user")), obj(data.get("text_post_app_info"))
    if user.get("is_private") is True or user.get("text_post_app_is_private") is True:
        raise NoPost("not public: a private account")
    shared = obj(info.get("share_info"))
    name = words(user.get("username"))
    linked = obj(info.get("link_preview_attachment")).get("url")
    told = {
        "likes": data.get("like_count"),
        "reposts": info.get("repost_count"),
        "replies": info.get("direct_reply_count"),
        "quotes": info.get("quote_count"),
        "views": first(data.get("view_count"), data.get("play_count")),
    }
    return PostItem(
        platform="threads",
        native_id=native,
        url=f"https://www.threads.com/@{name}/post/{code}" if name and code else None,
        author=row.author("threads", first(user.get("pk"), user.get("id"), name)),
        text=tidy(_caption(data)),
        published_at=row.when(data.get("taken_at")),
        repost_of=words(first(obj(shared.get("reposted_post")).get("code"), obj(shared.get("quoted_post")).get("code")))
        or None,
        links=urls([unwrapped(linked)]),
        media=urls(_picture(shown) for shown in (data, *objects(data.get("carousel_media")))),
        counts={key: n for key, value in told.items() if (n := number(value)) is not None},
    )


def unwrapped(link: Any) -> Any:
    """Where a link of Meta's redirector (`l.threads.com/?u=`) leads."""
    try:
        parts = urlsplit(link) if isinstance(link, str) else None
    except ValueError:
        return link
    if parts and parts.hostname and parts.hostname.startswith("l.") and "u=" in parts.query:
        return parse_qs(parts.query).get("u", [link])[0]
    return link
