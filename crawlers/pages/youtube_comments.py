"""YouTube Data API v3 comment threads and comments to posts. The native id is the comment's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .address import with_query
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import clean, one_line, read_markup, tidy

PLATFORM = "youtube"


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    try:
        told = read_json(page)
    except NotJson as error:
        notes.add(str(error), with_query(page.url))
        yield from notes.drain()
        return
    if isinstance(told, dict) and isinstance(told.get("snippet"), dict) and "items" not in told:
        told = {"items": [told]}  # one of them, cut out of its page
    if isinstance(told, dict) and "error" in told:
        notes.add(f"refused by the API: {_refusal(told)}", with_query(page.url))
    elif not isinstance(told, dict) or not isinstance(told.get("items"), list):
        notes.add("shape changed: no items", with_query(page.url))
    else:
        for number, item in enumerate(told["items"], start=1):
            try:
                yield from _item(item, page, notes, f"item {number}")
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                notes.add(f"item cannot be read: {error}", f"item {number}")
        if isinstance(told.get("nextPageToken"), str):
            yield LinkItem(with_query(page.url, pageToken=told["nextPageToken"]), "next page")
    yield from notes.drain()


def _refusal(told: dict[str, Any]) -> str:
    """What Google says, with the one word for it: commentsDisabled, quotaExceeded ..."""
    error = told["error"]
    if not isinstance(error, dict):
        return one_line(told.get("error_description") or error)
    errors = error.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    reason = one_line(first.get("reason") or error.get("status"))
    return f"{one_line(error.get('message'))} ({reason})" if reason else one_line(error.get("message"))


def _item(item: Any, page: Page, notes: Notes, where: str) -> Iterator[Item]:
    if not isinstance(item, dict) or not isinstance(item.get("snippet"), dict):
        notes.add("item without snippet", where)
        return
    top = item["snippet"].get("topLevelComment")
    if isinstance(top, dict):
        video = item["snippet"].get("videoId")
        yield from _comment(top, video, item["snippet"].get("totalReplyCount"), page, notes, where)
        replies = item.get("replies")
        for number, reply in enumerate((replies.get("comments") or []) if isinstance(replies, dict) else [], start=1):
            yield from _comment(reply, video, None, page, notes, f"{where}, reply {number}")
    else:
        yield from _comment(item, None, None, page, notes, where)


def _comment(comment: Any, video: Any, replies: Any, page: Page, notes: Notes, where: str) -> Iterator[Item]:
    said = comment.get("snippet") if isinstance(comment, dict) else None
    native = clean(comment.get("id")).strip() if isinstance(comment, dict) else ""
    if not isinstance(said, dict) or not native:
        notes.add("comment without id or snippet", where)
        return
    shown = read_markup(clean(said.get("textDisplay")), "https://www.youtube.com/")
    text = tidy(said.get("textOriginal")) or shown.text
    if not text:
        notes.add("comment without text", where)
        return
    channel = said.get("authorChannelId")
    account = channel.get("value") if isinstance(channel, dict) else channel
    video = clean(said.get("videoId") or video)
    parent = clean(said.get("parentId")) or (native.partition(".")[0] if "." in native else "")
    published, updated = said.get("publishedAt"), said.get("updatedAt")
    counts = {"likes": said["likeCount"]} if isinstance(said.get("likeCount"), int) and said["likeCount"] >= 0 else {}
    if isinstance(replies, int) and replies >= 0:
        counts["replies"] = replies
    yield PostItem(
        platform=PLATFORM,
        native_id=native,
        url=f"https://www.youtube.com/watch?v={video}&lc={native}" if video else None,
        author=page.author(PLATFORM, account or said.get("authorDisplayName")),
        text=text,
        published_at=notes.when(published, f"{where}, published_at"),
        edited_at=notes.when(updated, f"{where}, edited_at") if updated and updated != published else None,
        reply_to=parent or video or None,
        links=shown.links,
        counts=counts,
    )
