"""Telegram's public preview (`t.me/s/NAME`, and the embeds of single messages) to posts.

Oldest first; the page before is `?before=<first id>`. Names that nobody owns and groups answer 200 with a landing page: a problem.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from .address import resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes
from .text import clean, document, one_line, read_element, tidy, unique
from .wall import is_wall

PLATFORM = "telegram"
_MESSAGE = re.compile(r"^(?:[A-Za-z0-9_]{3,64})/(?:\d{1,15})$", re.A)
_PICTURE = re.compile(r"background-image:\s*url\(['\"]?([^'\")]+)")
_COUNT = re.compile(r"^([\d.,\s]+)\s*([KMB]?)$", re.I)
_PREFIX = "tgme_widget_message_"
_QUOTED = frozenset({"tgme_widget_message_reply"})
_HOLDS_TEXT = _QUOTED | {"tgme_widget_message_text"}
_SEARCH = re.compile(r"\?q=%(23|24)")
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    root = document(page.text)
    if root is None:
        notes.add("empty page", page.url)
        yield from notes.drain()
        return
    found = 0
    for number, message in enumerate(_with_class(root, "tgme_widget_message"), start=1):
        if any("tgme_widget_message" in _classes(above) for above in message.iterancestors()):
            notes.add("message within a message", f"message {number}")
            continue
        place = _place(message)
        if not place:
            notes.add("message without channel and number", f"message {number}")
            continue
        found += 1
        if "service_message" in _classes(message):
            continue  # "pinned", "channel created": nobody's words
        post = _post(message, place, page, notes)
        if post is not None:
            yield post
    if older := _older(root, page):
        yield LinkItem(older, "next page")
    if not found:
        post = _described(root, page)
        if post is not None:
            yield post
        else:
            notes.add(_nothing(root, page), page.url)
    yield from notes.drain()


def _place(message: Any) -> str | None:
    """`NAME/ID`, from the message or, where an embed leaves it out, from the address under its time."""
    told = [message.get("data-post") or "", *(_path(a.get("href")) for a in _with_class(message, f"{_PREFIX}date"))]
    return next((found.group(0) for path in told if (found := _MESSAGE.match(path))), None)


def _older(root: Any, page: Page) -> str | None:
    for element in root.iter("a", "link"):
        href, more = element.get("href") or "", "tme_messages_more" in (element.get("class") or "")
        if "before=" in href and (more or "prev" in (element.get("rel") or "")):
            return resolve(page.url, href)
        if more and not href and (element.get("data-before") or "").isdigit():
            return resolve(page.url, f"?before={element.get('data-before')}")
    return None


def _described(root: Any, page: Page) -> PostItem | None:
    """The page of one message (`t.me/NAME/ID`) shows it in a frame; its words stand in the description alone, without time and counts."""
    place = _MESSAGE.match(_path(page.url))
    told = {m.get("property"): clean(m.get("content")) for m in root.iter("meta") if m.get("property")}
    text = tidy(told.get("og:description"))
    if not place or not text or (told.get("og:title") or "").startswith("Telegram: "):
        return None
    native = place.group(0)
    return PostItem(
        platform=PLATFORM,
        native_id=native,
        url=f"https://t.me/{native}",
        author=page.author(PLATFORM, native.partition("/")[0]),
        text=text,
    )


def _nothing(root: Any, page: Page) -> str:
    """Why a page shows no message."""
    if _with_class(root, "tgme_widget_message_error"):
        return "no such message, or not a public one"
    if _with_class(root, "tme_no_messages_found") or _with_class(root, "tgme_channel_history"):
        return "empty: no posts found"
    title = next((one_line(m.get("content")) for m in root.iter("meta") if m.get("property") == "og:title"), "")
    if title.startswith("Telegram: Contact"):
        return "no such channel, or not a public one"
    extra = " ".join(one_line(e.text_content()) for e in _with_class(root, "tgme_page_extra"))
    if "member" in extra:
        return "blocked: a group, which has no public preview"
    if "subscriber" in extra:
        return "blocked: a channel without public preview"
    if _with_class(root, "tgme_page_title"):
        return "no such channel: the page of a person or a bot"
    return "blocked: the page is a wall" if is_wall(page.text) else "shape changed: no messages"


def _post(message: Any, native: str, page: Page, notes: Notes) -> PostItem | None:
    parts = _parts(message)
    texts, links = [], []
    for block in parts["text"]:
        # Albums nest a second block inside the first; a reply's quotation lies in a block of its own.
        if any(_classes(above) & _HOLDS_TEXT for above in block.iterancestors()):
            continue
        said = read_element(block, page.url, skip_classes=_QUOTED)
        texts.append(said.text)
        # Hashtags and the like are searches within the channel.
        links += [link for link in said.links if not _SEARCH.search(link)]
    for poll in parts["poll_question"]:
        options = [one_line(o.text_content()) for o in parts["poll_option_text"]]
        texts.append("\n".join([one_line(poll.text_content()), *(f"- {option}" for option in options)]))
    links += [resolve(page.url, e.get("href")) or "" for e in parts["link_preview"] + parts["location_wrap"]]
    for name in ("document_title", "contact_name", "location_title", "invoice_title", "game_title"):
        texts += [one_line(e.text_content()) for e in parts[name]]
    text = "\n".join(t for t in texts if t)
    media = _media(message, page)
    if not text and not media and not links and not _shows_something(message):
        notes.add("message without text and media", native)
        return None
    reply = next((found for a in parts["reply"] if (found := _MESSAGE.match(_path(a.get("href"))))), None)
    told = next((t.get("datetime") for a in parts["date"] for t in a.iter("time")), None)
    told = told or next((t.get("datetime") for t in message.iter("time") if t.get("datetime")), None)
    counts = _counts(parts, native, notes)
    return PostItem(
        platform=PLATFORM,
        native_id=native,
        url=f"https://t.me/{native}",
        author=page.author(PLATFORM, _writer(parts) or native.partition("/")[0]),
        text=text,
        published_at=notes.when(told, f"{native}, published_at"),
        reply_to=reply.group(0) if reply else None,
        repost_of=_forwarded(parts, page),
        links=unique(links),
        media=unique(media),
        counts=counts,
    )


def _parts(message: Any) -> dict[str, list[Any]]:
    """The message's elements by the last part of their class, `tgme_widget_message_...`."""
    found: dict[str, list[Any]] = defaultdict(list)
    for element in message.iter():
        for name in _classes(element):
            if name.startswith(_PREFIX):
                found[name.removeprefix(_PREFIX)].append(element)
            elif name == "tgme_reaction":
                found["reaction"].append(element)
    return found


def _writer(parts: dict[str, list[Any]]) -> str | None:
    """Who wrote in a group; channels speak for themselves, also where a post is signed."""
    if parts["owner_name"]:
        return None
    names = [a for a in parts["author_name"] if not any(_classes(above) & _QUOTED for above in a.iterancestors())]
    return next((_path(a.get("href")) or one_line(a.text_content()) for a in names), None)


def _forwarded(parts: dict[str, list[Any]], page: Page) -> str | None:
    """The message that was forwarded. Where only its author is told (people, who may hide), that one's pseudonym: it is a repost still."""
    for element in parts["forwarded_from_name"]:
        path = _path(element.get("href"))
        if _MESSAGE.match(path):
            return path
        if name := path.partition("/")[0] or one_line(element.text_content()):
            return page.author(PLATFORM, name)
    return None


def _media(message: Any, page: Page) -> list[str | None]:
    """Pictures, videos, voices, stickers, in the page's order. Of a video that is too big for the preview, its picture."""
    found: list[str | None] = []
    for element in message.iter("a", "i", "div", "video", "audio", "img", "picture", "source", "tgs-player"):
        kinds = {name.removeprefix(_PREFIX) for name in _classes(element)}
        if element.tag in ("video", "audio"):
            found.append(resolve(page.url, element.get("src")))
        elif "photo_wrap" in kinds:
            found.append(_picture(element, page))
        elif kinds & {"video_player", "roundvideo_player"} and next(element.iter("video"), None) is None:
            thumbs = (e for e in element.iter() if any(name.endswith("video_thumb") for name in _classes(e)))
            found.append(next((picture for e in thumbs if (picture := _picture(e, page))), None))
        elif kinds & {"sticker", "tgsticker", "videosticker"}:
            told = element.get("data-webp") or next((e.get("srcset") for e in element.iter("source")), None)
            found.append(resolve(page.url, told) or _picture(element, page))
    return found


def _picture(element: Any, page: Page) -> str | None:
    match = _PICTURE.search(element.get("style") or "")
    return resolve(page.url, match.group(1)) if match else None


def _counts(parts: dict[str, list[Any]], native: str, notes: Notes) -> dict[str, int]:
    found = {}
    for name, part in (("views", "views"), ("votes", "voters"), ("replies", "replies_count")):
        shown = next((one_line(e.text_content()) for e in parts[part]), "")
        if (number := _number(shown)) is not None:
            found[name] = number
        elif shown and name == "views":
            notes.add(f"views {shown[:20]!r} is no number", native)
    reactions = [
        n for e in parts["reaction"] if (n := _number(re.sub(r"[^\d.,KMBkmb]", "", one_line(_own_text(e))))) is not None
    ]
    if reactions:
        found["reactions"] = sum(reactions)
    return found


def _own_text(element: Any) -> str:
    """The element's text without that of the elements in it."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


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
    return re.sub(r"^(https?:)?//(t\.me|telegram\.me)/(s/)?", "", href or "").split("?")[0].rstrip("/")


def _classes(element: Any) -> set[str]:
    return set((element.get("class") or "").split()) if isinstance(element.tag, str) else set()


def _with_class(root: Any, name: str) -> list[Any]:
    return [element for element in root.iter() if name in _classes(element)]
