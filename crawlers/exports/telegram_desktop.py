"""Telegram Desktop's `result.json`, https://core.telegram.org/import-export: one chat, or all of an account.

Only public channels and groups are read: an account's export holds its owner's private talks, and those are nobody's posts.
"""

from __future__ import annotations

from typing import Any

from crawlers.pages.dates import WIB
from crawlers.pages.items import PostItem
from crawlers.pages.text import clean, tidy, unique

from .row import NoPost, Row, Skipped, first, ident, number, obj, objects, urls, words

PUBLIC = {"public_channel", "public_supergroup"}
"""Kinds of chats that everybody can read. Whatever else there is or will be (personal, with bots, saved, private groups) is nobody's post."""
_LINKED = {"link", "text_link"}


def message(told: dict[str, Any], row: Row, chat: dict[str, Any]) -> PostItem:
    """`chat` has the `id`, `name` and `type` of the chat that the message lies in."""
    kind = words(chat.get("type"))
    if not kind:
        raise Skipped("not public, as far as is told: a message of a chat without a type before it")
    if kind not in PUBLIC:
        raise Skipped(f"not public: a message of a {kind[:40]}")
    if words(told.get("type")) not in ("message", ""):
        raise Skipped(f"{words(told.get('type'))[:40]} message")
    number_, place = ident(told.get("id")), ident(chat.get("id")) or words(chat.get("name"))
    if not number_:
        raise NoPost("id: message without id")
    entities = _entities(first(told.get("text"), told.get("text_entities")))
    poll = obj(told.get("poll"))
    text = tidy("".join(part for part, _ in entities))
    options = [f"- {tidy(words(_plain(o.get('text'))))}" for o in objects(poll.get("answers"))]
    asked = "\n".join([tidy(words(_plain(poll.get("question")))), *options]) if poll else ""
    native = f"{place}/{number_}" if place else number_
    return PostItem(
        platform="telegram",
        native_id=native,
        url=f"https://t.me/c/{native}" if place.isdigit() and "group" not in kind.replace("supergroup", "") else None,
        author=row.author("telegram", first(_sender(told, kind), told.get("from"), told.get("author"))),
        text="\n".join(t for t in (text, asked) if t),
        published_at=_when(told, "date", row, "published_at"),
        edited_at=_when(told, "edited", row, "edited_at"),
        reply_to=_reply(told, place),
        repost_of=_forwarded(told, row),
        links=unique(urls(link for _, link in entities if link)),
        media=_media(told),
        counts=_counts(told, poll),
    )


def _sender(told: dict[str, Any], kind: str) -> str:
    """`user12`, `channel34`; exports before 2021 leave the first word out."""
    sender = ident(told.get("from_id"))
    return f"{'channel' if 'channel' in kind else 'user'}{sender}" if sender.isdigit() else sender


def _when(told: dict[str, Any], name: str, row: Row, field: str) -> str | None:
    """The seconds since 1970 where the export has them (since 2022); before, the clock of who exported, which is taken for WIB."""
    exact = told.get(f"{name}_unixtime")
    if exact not in (None, "", 0, "0"):
        return row.when(exact, field)
    plain = words(told.get(name))
    return None if plain.startswith("1970-01-01") else row.when(plain, field, WIB)


def _entities(told: Any) -> list[tuple[str, str | None]]:
    """(text, address) of each piece of a text, which is a string or a list of strings and marked pieces."""
    found: list[tuple[str, str | None]] = []
    for part in told if isinstance(told, list) else [told]:
        if not isinstance(part, dict):
            found.append((words(part), None))
            continue
        piece, kind = words(part.get("text")), part.get("type")
        link = words(part.get("href")) or piece if kind in _LINKED else None
        if link and "://" not in link:
            link = f"https://{link}"
        found.append((piece, link))
    return found


def _plain(told: Any) -> str:
    return "".join(text for text, _ in _entities(told))


def _reply(told: dict[str, Any], place: str) -> str | None:
    above = ident(told.get("reply_to_message_id"))
    if not above:
        return None
    other = words(told.get("reply_to_peer_id")).removeprefix("channel").removeprefix("chat").removeprefix("user")
    return f"{other or place}/{above}"


def _forwarded(told: dict[str, Any], row: Row) -> str | None:
    """Who is repeated. The export names no message, and names of accounts are not kept."""
    origin = first(ident(told.get("forwarded_from_id")), told.get("forwarded_from"))
    return row.author("telegram", origin) if origin is not None else None


def _media(told: dict[str, Any]) -> list[str]:
    """Paths within the export's folder; a file that was left out is told in brackets."""
    paths = [words(told.get(name)).strip() for name in ("photo", "file")]
    return unique(p for p in map(clean, paths) if p and not p.startswith("("))


def _counts(told: dict[str, Any], poll: dict[str, Any]) -> dict[str, int]:
    found = {}
    reactions = objects(told.get("reactions"))
    if reactions:
        found["reactions"] = sum(number(r.get("count")) or 0 for r in reactions)
    for name, value in (
        ("votes", poll.get("total_voters")),
        ("views", told.get("views")),
        ("reposts", told.get("forwards")),
    ):
        if (n := number(value)) is not None:
            found[name] = n
    return found


def telethon(told: dict[str, Any], row: Row) -> PostItem:
    """A message as Telethon's `to_json` and 4CAT's own Telegram collector write it."""
    chat, peer = obj(told.get("_chat")), obj(told.get("peer_id"))
    if words(told.get("_")) == "MessageService" or words(told.get("_type")) == "MessageService":
        raise Skipped("service message")
    if "user_id" in peer and not chat.get("username"):
        raise Skipped("not public: a message of a personal chat")
    place = words(chat.get("username")) or ident(
        first(
            chat.get("id"), peer.get("channel_id"), peer.get("chat_id"), obj(told.get("_chat_peer")).get("channel_id")
        )
    )
    number_ = ident(told.get("id"))
    if not number_ or not place:
        raise NoPost("id: message without id or chat")
    native = f"{place}/{number_}"
    sender, from_id, forwarded = obj(told.get("_sender")), obj(told.get("from_id")), obj(told.get("fwd_from"))
    author = first(sender.get("username"), sender.get("id"), from_id.get("user_id"), from_id.get("channel_id"), place)
    origin = obj(forwarded.get("from_id"))
    source = next((c.get("username") for c in objects(origin.get("chats")) if c.get("username")), None)
    source = first(source, origin.get("channel_id"))
    post = ident(forwarded.get("channel_post"))
    found = {
        "views": told.get("views"),
        "reposts": told.get("forwards"),
        "replies": obj(told.get("replies")).get("replies"),
    }
    reactions = objects(obj(told.get("reactions")).get("results"))
    counted = {name: n for name, value in found.items() if (n := number(value)) is not None}
    if reactions:
        counted["reactions"] = sum(number(r.get("count")) or 0 for r in reactions)
    above = ident(obj(told.get("reply_to")).get("reply_to_msg_id"))
    webpage = obj(obj(told.get("media")).get("webpage"))
    return PostItem(
        platform="telegram",
        native_id=native,
        url=f"https://t.me/{native}" if not place.isdigit() else f"https://t.me/c/{native}",
        author=row.author("telegram", author),
        text=tidy(words(told.get("message"))),
        published_at=row.when(told.get("date")),
        edited_at=row.when(told.get("edit_date"), "edited_at"),
        reply_to=f"{place}/{above}" if above else None,
        repost_of=f"{source}/{post}" if source and post else (row.author("telegram", forwarded.get("from_name"))),
        links=urls([*(e.get("url") for e in objects(told.get("entities"))), webpage.get("url")]),
        counts=counted,
    )
