"""Telegram's public preview (`t.me/s/NAME`, and the embeds of single messages) to posts.

Oldest first; the page before is `?before=<first id>`. Names that nobody owns and groups answer 200 with a landing page: a problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .address import resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes
from .text import document, one_line, read_element, unique

PLATFORM = "telegram"
_MESSAGE = re.compile(r"^([A-Za-z0-9_]{3,64})/(\d+)$")
_PICTURE = re.compile(r"background-image:\s*url\(['\"]?([^'\")]+)")
_COUNT = re.compile(r"^([\d.,\s]+)\s*([KMB]?)$", re.I)
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    root = document(page.text)
    if root is None:
        notes.add("empty page", page.url)
        yield from notes.drain()
        return
    first: tuple[str, int] | None = None
    found = 0
    for number, message in enumerate(_with_class(root, "tgme_widget_message"), start=1):
        place = _MESSAGE.match(message.get("data-post") or "")
        if not place:
            notes.add("message without channel and number", f"message {number}")
            continue
        found += 1
        if first is None or int(place.group(2)) < first[1]:
            first = (place.group(1), int(place.group(2)))
        if "service_message" in _classes(message):
            continue  # "pinned", "channel created": nobody's words
        post = _post(message, place.group(0), page, notes)
        if post is not None:
            yield post
    older = next(
        (
            a
            for a in root.iter("a", "link")
            if "before=" in (a.get("href") or "")
            and ("prev" in (a.get("rel") or "") or "tme_messages_more" in (a.get("class") or ""))
        ),
        None,
    )
    if older is not None and (url := resolve(page.url, older.get("href"))):
        yield LinkItem(url, "next page")
    if not found:
        notes.add(_nothing(root), page.url)
    yield from notes.drain()


def _nothing(root: Any) -> str:
    """Why a page shows no message."""
    if _with_class(root, "tme_no_messages_found"):
        return "empty: no posts found"
    title = next((one_line(m.get("content")) for m in root.iter("meta") if m.get("property") == "og:title"), "")
    if title.startswith("Telegram: Contact"):
        return "no such channel, or not a public one"
    extra = " ".join(one_line(e.text_content()) for e in _with_class(root, "tgme_page_extra"))
    if "member" in extra:
        return "blocked: a group, which has no public preview"
    if "subscriber" in extra:
        return "blocked: a channel without public preview"
    return "shape changed: no messages"


def _post(message: Any, native: str, page: Page, notes: Notes) -> PostItem | None:
    texts, links, media = [], [], []
    for block in _with_class(message, "tgme_widget_message_text"):
        # Albums nest a second block inside the first; a reply's quotation lies in a block of its own.
        if any(
            "tgme_widget_message_text" in _classes(above) or "tgme_widget_message_reply" in _classes(above)
            for above in block.iterancestors()
        ):
            continue
        said = read_element(block, page.url, skip_classes=frozenset({"tgme_widget_message_reply"}))
        texts.append(said.text)
        # Hashtags are searches within the channel.
        links += [link for link in said.links if "?q=%23" not in link]
    for poll in _with_class(message, "tgme_widget_message_poll_question"):
        options = [one_line(o.text_content()) for o in _with_class(message, "tgme_widget_message_poll_option_text")]
        texts.append("\n".join([one_line(poll.text_content()), *(f"- {option}" for option in options)]))
    for picture in _with_class(message, "tgme_widget_message_photo_wrap"):
        if match := _PICTURE.search(picture.get("style") or ""):
            media.append(resolve(page.url, match.group(1)))
    media += [resolve(page.url, e.get("src")) for e in message.iter("video", "audio")]
    for preview in _with_class(message, "tgme_widget_message_link_preview"):
        links.append(resolve(page.url, preview.get("href")) or "")
    for document_ in _with_class(message, "tgme_widget_message_document_title"):
        texts.append(one_line(document_.text_content()))
    text = "\n".join(t for t in texts if t)
    if not text and not media and not _shows_something(message):
        notes.add("message without text and media", native)
        return None
    reply = next(
        (_MESSAGE.match(_path(a.get("href"))) for a in _with_class(message, "tgme_widget_message_reply")), None
    )
    forwarded = next(
        (_MESSAGE.match(_path(a.get("href"))) for a in _with_class(message, "tgme_widget_message_forwarded_from_name")),
        None,
    )
    told = next(
        (t.get("datetime") for a in _with_class(message, "tgme_widget_message_date") for t in a.iter("time")), None
    )
    told = told or next((t.get("datetime") for t in message.iter("time") if t.get("datetime")), None)
    views = next((one_line(e.text_content()) for e in _with_class(message, "tgme_widget_message_views")), "")
    counts = {} if (seen := _number(views)) is None else {"views": seen}
    if views and seen is None:
        notes.add(f"views {views[:20]!r} is no number", native)
    return PostItem(
        platform=PLATFORM,
        native_id=native,
        url=f"https://t.me/{native}",
        author=page.author(PLATFORM, native.partition("/")[0]),
        text=text,
        published_at=notes.when(told, f"{native}, published_at"),
        reply_to=reply.group(0) if reply else None,
        repost_of=forwarded.group(0) if forwarded else None,
        links=unique(links),
        media=unique(media),
        counts=counts,
    )


def _shows_something(message: Any) -> bool:
    """Stickers, voices, videos and what the preview cannot show: posts without a word."""
    names = " ".join(name for element in message.iter() for name in _classes(element))
    return any(
        word in names
        for word in ("not_supported_label", "media_not_supported", "sticker", "video", "voice", "roundvideo")
    )


def _number(shown: str) -> int | None:
    """`8.67M`, `826K`, `1 204` as a whole number."""
    match = _COUNT.match(shown.strip())
    if not match:
        return None
    digits, unit = re.sub(r"\s", "", match.group(1)), match.group(2).lower()
    try:
        return round(float(digits.replace(",", "." if unit else "")) * _TIMES[unit])
    except ValueError:
        return None


def _path(href: str | None) -> str:
    return re.sub(r"^https?://(t\.me|telegram\.me)/(s/)?", "", href or "").split("?")[0]


def _classes(element: Any) -> set[str]:
    return set((element.get("class") or "").split()) if isinstance(element.tag, str) else set()


def _with_class(root: Any, name: str) -> list[Any]:
    return [element for element in root.iter() if name in _classes(element)]
