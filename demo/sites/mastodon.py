"""The microblog: the public part of Mastodon's API, paged with ids and `Link` as Mastodon does."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

from demo.sites.reply import Query, Reply, as_json, number_of, page, zulu
from demo.world import HOSTS, Account, Status, World

PREFIX = "/mikro/"
_HOST = HOSTS["mikro"]
_TOKEN = re.compile(r"(https?://[^\s<]+)|(?<![\w&])#(\w+)|(?<![\w@])@([a-z0-9_]+)(?:@([a-z0-9.-]+))?")


def answer(world: World, path: str, query: Query, base: str) -> Reply | None:
    """`path` is what follows `/mikro/`; None when the site has no such page."""
    newest_first = world.statuses[::-1]
    if path == "api/v1/timelines/public":
        if query.get("local", [""])[0] in ("true", "1"):
            newest_first = [status for status in newest_first if status.account.host == _HOST]
        return _timeline(newest_first, path, query, base, world)
    if match := re.fullmatch(r"api/v1/timelines/tag/(\w+)", path):
        tag = match[1].lower()
        return _timeline([s for s in newest_first if tag in _tags(s.text)], path, query, base, world)
    if match := re.fullmatch(r"api/v1/accounts/(\d+)/statuses", path):
        return _timeline([s for s in newest_first if s.account.id == match[1]], path, query, base, world)
    if match := re.fullmatch(r"api/v1/statuses/(\d+)(/context)?", path):
        status = next((status for status in newest_first if status.id == match[1]), None)
        if status is None:
            return as_json({"error": "Record not found"}, status=404)
        return as_json(_context(status, world, base) if match[2] else _status(status, world, base))
    if path == "api/v1/instance":
        return as_json({"uri": _HOST, "title": "Mikro", "version": "4.4.2", "languages": ["id"], "rules": []})
    if path == "":
        return page('<!DOCTYPE html><html lang="id"><title>Mikro</title><h1>Mikro</h1></html>')
    return None


def _timeline(statuses: list[Status], path: str, query: Query, base: str, world: World) -> Reply:
    """`max_id` goes to older ones; `since_id` cuts off at the newest, `min_id` starts right above the
    given id."""
    limit = min(max(number_of(query, "limit", 20), 1), 40)
    below = number_of(query, "max_id", 0)
    above = number_of(query, "since_id", 0)
    right_above = number_of(query, "min_id", 0)
    if below:
        statuses = [status for status in statuses if int(status.id) < below]
    if above:
        statuses = [status for status in statuses if int(status.id) > above]
    if right_above:
        statuses = [status for status in statuses if int(status.id) > right_above][-limit:]
    statuses = statuses[:limit]
    headers: dict[str, str] = {}
    if statuses:
        kept: dict[str, str] = {name: query[name][0] for name in ("local", "only_media") if name in query}
        here = f"{base}{PREFIX}{path}?"
        older = here + urlencode({**kept, "limit": str(limit), "max_id": statuses[-1].id})
        newer = here + urlencode({**kept, "limit": str(limit), "min_id": statuses[0].id})
        headers["Link"] = f'<{older}>; rel="next", <{newer}>; rel="prev"'
    return as_json([_status(status, world, base) for status in statuses], headers)


def _context(status: Status, world: World, base: str) -> dict[str, Any]:
    ancestors: list[Status] = []
    above = status.reply_to
    while above is not None:
        ancestors.insert(0, above)
        above = above.reply_to
    below = [other for other in world.statuses if other.reply_to is status]
    return {
        "ancestors": [_status(other, world, base) for other in ancestors],
        "descendants": [_status(other, world, base) for other in below],
    }


def _tags(text: str) -> list[str]:
    return [tag.lower() for tag in re.findall(r"(?<![\w&])#(\w+)", text)]


def _status(status: Status, world: World, base: str) -> dict[str, Any]:
    parent = status.reply_to
    return {
        "id": status.id,
        "created_at": status.absurd_at or zulu(status.at),
        "in_reply_to_id": parent.id if parent else None,
        "in_reply_to_account_id": parent.account.id if parent else None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": status.language,
        "uri": status.uri,
        "url": status.url,
        "replies_count": status.replies,
        "reblogs_count": status.reblogs,
        "favourites_count": status.favourites,
        "quotes_count": 0,
        "edited_at": zulu(status.edited_at) if status.edited_at else None,
        "content": _content(status.text, world),
        "reblog": _status(status.reblog, world, base) if status.reblog else None,
        "application": {"name": "Web", "website": None} if status.account.host == _HOST else None,
        "account": _account(status.account, world),
        "media_attachments": [_picture(status, base)] if status.media else [],
        "mentions": _mentions(status.text, world),
        "tags": [{"name": tag, "url": f"https://{_HOST}/tags/{tag}"} for tag in dict.fromkeys(_tags(status.text))],
        "emojis": [],
        "card": None,
        "poll": None,
    }


def _content(text: str, world: World) -> str:
    """Plain text as Mastodon's HTML: paragraphs, links cut into spans, hashtags and mentions as anchors."""
    if not text:
        return ""
    handles = {account.acct: account for account in world.accounts}

    def linked(match: re.Match[str]) -> str:
        address, tag, handle, host = match.groups()
        if address:
            scheme, rest = address.split("//", 1)
            seen, hidden = rest[:30], rest[30:]
            return (
                f'<a href="{address}" target="_blank" rel="nofollow noopener" translate="no">'
                f'<span class="invisible">{scheme}//</span><span class="ellipsis">{seen}</span>'
                f'<span class="invisible">{hidden}</span></a>'
            )
        if tag:
            there = f"https://{_HOST}/tags/{tag}"
            return f'<a href="{there}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
        account = handles.get(f"{handle}@{host}" if host else handle)
        if account is None:
            return match[0]
        return (
            f'<span class="h-card" translate="no"><a href="https://{account.host}/@{account.handle}" '
            f'class="u-url mention">@<span>{account.handle}</span></a></span>'
        )

    escaped = html.escape(text, quote=False).replace("\\n", "<br />")
    return f"<p>{_TOKEN.sub(linked, escaped)}</p>"


def _mentions(text: str, world: World) -> list[dict[str, str]]:
    handles = {account.acct: account for account in world.accounts}
    found = (handles.get(f"{m[3]}@{m[4]}" if m[4] else m[3]) for m in _TOKEN.finditer(text) if m[3])
    return [
        {"id": a.id, "username": a.handle, "acct": a.acct, "url": f"https://{a.host}/@{a.handle}"} for a in found if a
    ]


def _account(account: Account, world: World) -> dict[str, Any]:
    number = int(account.id)
    return {
        "id": account.id,
        "username": account.handle,
        "acct": account.acct,
        "display_name": account.name,
        "locked": False,
        "bot": account.role == "media",
        "group": False,
        # Amplifier accounts are young; everybody else has been here for years.
        "created_at": "2026-10-29T00:00:00.000Z" if account.role == "pengeras" else "2022-11-08T00:00:00.000Z",
        "note": f"<p>{html.escape(account.note)}</p>",
        "url": f"https://{account.host}/@{account.handle}",
        "uri": f"https://{account.host}/users/{account.handle}",
        "avatar": f"https://{_HOST}/avatars/original/missing.png",
        "followers_count": number % 977 + (12_000 if account.role in ("media", "pengeras") else 0),
        "following_count": number % 431,
        "statuses_count": number % 3_001,
        "emojis": [],
        "fields": [{"name": "Lokasi", "value": account.region, "verified_at": None}] if account.region else [],
    }


def _picture(status: Status, base: str) -> dict[str, Any]:
    return {
        "id": str(int(status.id) + 1),
        "type": "image",
        "url": f"{base}{PREFIX}media/{status.id}.png",
        "preview_url": f"{base}{PREFIX}media/{status.id}.png",
        "remote_url": None,
        "description": status.media,
        "blurhash": "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
    }
