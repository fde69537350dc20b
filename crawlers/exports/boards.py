"""9GAG, Imgur, Pinterest and RedNote (Xiaohongshu), as Zeeschuimer has them from the platforms' own pages."""

from __future__ import annotations

from typing import Any

from crawlers.pages.items import PostItem
from crawlers.pages.text import tidy, titled

from .row import NoPost, Row, counts, first, ident, number, obj, objects, urls, words


def ninegag(data: dict[str, Any], row: Row) -> PostItem:
    native = ident(data.get("id"))
    if not native:
        raise NoPost("item without id")
    creator = obj(data.get("creator"))
    sizes = [s for s in obj(data.get("images")).values() if isinstance(s, dict)]
    stills = sorted(
        (s for s in sizes if "hasAudio" not in s),
        key=lambda s: (number(s.get("width")) or 0) * (number(s.get("height")) or 0),
    )
    return PostItem(
        platform="9gag",
        native_id=native,
        url=first(*urls([data.get("url")])),
        author=row.author("9gag", first(creator.get("userId"), creator.get("username"))),
        text=titled(tidy(words(data.get("title"))), tidy(words(data.get("description")))),
        published_at=row.when(data.get("creationTs")),
        links=urls([data.get("sourceUrl")]),
        media=urls([stills[-1].get("url") if stills else None]),
        counts=counts(data, {"likes": "upVoteCount", "replies": "commentsCount"}),
    )


def imgur(data: dict[str, Any], row: Row) -> PostItem:
    native = ident(data.get("id"))
    if not native:
        raise NoPost("item without id")
    return PostItem(
        platform="imgur",
        native_id=native,
        url=first(*urls([data.get("url")])),
        author=row.author("imgur", first(data.get("account_id"), obj(data.get("account")).get("id"))),
        text=titled(tidy(words(data.get("title"))), tidy(words(data.get("description")))),
        published_at=row.when(data.get("created_at")),
        edited_at=row.when(data.get("updated_at"), "edited_at"),
        media=urls([obj(data.get("cover")).get("url")]),
        counts=counts(data, {"likes": "upvote_count", "replies": "comment_count", "views": "view_count"}),
    )


def pinterest(data: dict[str, Any], row: Row) -> PostItem:
    """From its API (`createdAt` or `created_at`), or what was read out of its pages (`body`, no author, no time)."""
    native = ident(first(data.get("entityId"), data.get("id")))
    if not native:
        raise NoPost("item without id")
    pinner = obj(data.get("pinner"))
    images = obj(data.get("images"))
    picture = first(
        obj(data.get("imageSpec_orig")).get("url"),
        obj(images.get("orig")).get("url"),
        images.get("url"),
        data.get("image"),
    )
    return PostItem(
        platform="pinterest",
        native_id=native,
        url=f"https://www.pinterest.com/pin/{native}",
        author=row.author("pinterest", first(pinner.get("username"), pinner.get("id"))),
        text=titled(tidy(words(data.get("title"))), tidy(words(first(data.get("description"), data.get("body"))))),
        published_at=row.when(first(data.get("created_at"), data.get("createdAt"))),
        links=urls([data.get("link")]),
        media=urls([picture]),
        counts=counts(
            {**data, **obj(data, "aggregatedPinData", "aggregatedStats")},
            {"reposts": ("repin_count", "repinCount", "saves"), "replies": ("comment_count", "commentCount")},
        ),
    )


def rednote(data: dict[str, Any], row: Row) -> PostItem:
    """From its API (`note_card`), from within its pages (`note`, camelCase), or what a tile of its pages shows (`author_name`)."""
    native = ident(first(data.get("id"), data.get("note_id"), data.get("noteId")))
    note = obj(data.get("note_card")) or obj(data.get("note")) or data
    if not native:
        raise NoPost("item without id")
    if note is data and not ({"user", "title", "desc", "display_title"} & data.keys()):
        raise NoPost("a tile without a post's content")
    user = obj(note.get("user"))
    acts = obj(note.get("interact_info")) or obj(note.get("interactInfo")) or note
    shown = objects(first(note.get("image_list"), note.get("imageList")))
    pictures = [
        first(i.get("url_default"), i.get("urlDefault"), *(s.get("url") for s in objects(i.get("info_list"))))
        for i in shown
    ]
    cover = obj(note.get("cover"))
    author = first(
        user.get("user_id"), user.get("userId"), user.get("nickname"), user.get("nick_name"), data.get("author_name")
    )
    return PostItem(
        platform="xiaohongshu",
        native_id=native,
        url=f"https://www.xiaohongshu.com/explore/{native}",
        author=row.author("xiaohongshu", author),
        text=titled(
            tidy(words(first(note.get("title"), note.get("display_title"), note.get("displayTitle")))),
            tidy(words(note.get("desc"))),
        ),
        published_at=row.when(note.get("time")),
        edited_at=row.when(first(note.get("last_update_time"), note.get("lastUpdateTime")), "edited_at"),
        media=urls([*pictures, *([] if pictures else [first(cover.get("url_default"), data.get("thumbnail_url"))])]),
        counts=counts(
            acts,
            {
                "likes": ("liked_count", "likedCount", "likes"),
                "reposts": ("share_count", "shareCount", "shared_count"),
                "replies": ("comment_count", "commentCount"),
            },
        ),
    )


def rednote_comment(data: dict[str, Any], row: Row) -> PostItem:
    native, note = ident(data.get("id")), ident(data.get("note_id"))
    if not native:
        raise NoPost("item without id")
    user = obj(data.get("user_info"))
    above = obj(data.get("target_comment"))
    return PostItem(
        platform="xiaohongshu",
        native_id=native,
        url=f"https://www.xiaohongshu.com/explore/{note}" if note else None,
        author=row.author("xiaohongshu", first(user.get("user_id"), user.get("nickname"))),
        text=tidy(words(data.get("content"))),
        published_at=row.when(data.get("create_time")),
        reply_to=ident(above.get("id")) or note or None,
        counts=counts(data, {"likes": "like_count", "replies": "sub_comment_count"}),
    )
