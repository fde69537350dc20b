"""Discourse (`/latest.json`, `/t/ID.json`, `/t/ID/posts.json`) to posts and links.

https://docs.discourse.org/. The native id is the post's address without the topic's title, `https://HOST/t/TOPIC/NUMBER`: Discourse
answers there also after the title was changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from .address import resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import clean, one_line, read_markup, tidy, titled, unique

PLATFORM = "discourse"
_NOT_LINKS = frozenset({"mention", "mention-group", "hashtag", "hashtag-cooked", "lightbox", "anchor", "back"})
_NOT_OWN = frozenset({"quote", "onebox", "cooked-selection-barrier", "meta"})
"""What a post quotes or unfolds is not its writer's own word."""
_LIKE = 2
"""Discourse's post action type for likes."""
_BEGAN, _REPLIED = 4, 5
"""Discourse's user actions: a new topic, a reply."""
_CALLS_PER_PAGE = 20
"""Posts that a topic's first page shows, and so as many as we ask for at once."""


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    try:
        told = read_json(page)
    except NotJson as error:
        notes.add(str(error), page.url)
        yield from notes.drain()
        return
    if isinstance(told, dict) and isinstance(told.get("topic_list"), dict):
        yield from _topics(told["topic_list"], page, notes)
    elif isinstance(told, dict) and isinstance(told.get("post_stream"), dict):
        yield from _posts(told, page, notes)
    elif isinstance(told, dict) and "cooked" in told:
        yield from _posts({"post_stream": {"posts": [told]}, "id": told.get("topic_id")}, page, notes)
    elif isinstance(told, dict) and isinstance(told.get("latest_posts"), list):
        yield from _posts({"post_stream": {"posts": told["latest_posts"]}}, page, notes)
    elif isinstance(told, dict) and isinstance(told.get("user_actions"), list):
        yield from _actions(told["user_actions"], page, notes)
    elif isinstance(told, dict) and "grouped_search_result" in told:
        # Posts are shown cut around the words looked for: their topics have them whole.
        yield from _topics({"topics": told.get("topics") or []}, page, notes)
    elif isinstance(told, list) and told and all(isinstance(one, dict) and "cooked" in one for one in told):
        # The replies to one post.
        yield from _posts({"post_stream": {"posts": told}}, page, notes)
    elif isinstance(told, list) and any(isinstance(one, dict) and isinstance(one.get("results"), list) for one in told):
        yield from _topics({"topics": list(_found_by_kind(told))}, page, notes)
    else:
        errors = told.get("errors") or told.get("error_type") if isinstance(told, dict) else None
        notes.add(
            f"refused by the forum: {one_line(str(errors))[:120]}"
            if errors
            else "shape changed: neither topics nor posts",
            page.url,
        )
    yield from notes.drain()


def _base(page: Page) -> str:
    """The forum's root: everything before `/t/`, `/latest` and the like."""
    parts = urlsplit(page.url)
    prefix = re.split(
        r"/(?:t|c|tags?|p|posts|latest|top|hot|new|unread|categories|topics|user_actions|users?|u|search)(?:[/.]|$)",
        parts.path,
        maxsplit=1,
    )[0]
    return f"{parts.scheme}://{parts.netloc}{prefix.rstrip('/')}"


def _site(page: Page) -> str:
    return _base(page).split("://", 1)[1].lower()


def _topics(topics: dict[str, Any], page: Page, notes: Notes) -> Iterator[Item]:
    listed = topics.get("topics")
    if not isinstance(listed, list):
        notes.add("shape changed: topic_list without topics", page.url)
        return
    seen = set()
    for number, topic in enumerate(listed, start=1):
        if not isinstance(topic, dict) or not isinstance(topic.get("id"), int):
            notes.add("topic without id", f"topic {number}")
            continue
        if topic.get("archetype") == "private_message":
            notes.add("not public: a private message", f"topic {number}")
        elif topic["id"] not in seen:
            seen.add(topic["id"])
            yield LinkItem(f"{_base(page)}/t/{_slug(topic.get('slug'))}/{topic['id']}.json", "topic")
    more = topics.get("more_topics_url")
    if isinstance(more, str) and more:
        # Given for people: `/latest?page=1`; the same with `.json` is for programs. It lacks a prefix on some forums.
        path, _, query = more.partition("?")
        path = path if path.endswith(".json") else path + ".json"
        prefix = urlsplit(_base(page)).path
        if path.startswith("/") and prefix and not path.startswith(prefix + "/"):
            path = prefix + path
        if url := resolve(page.url, f"{path}?{query}" if query else path):
            yield LinkItem(url, "next page")


def _found_by_kind(groups: list[Any]) -> Iterator[dict[str, Any]]:
    """The topics of a search as Discourse answered it until 2014: a list of kinds (topics, categories, people), each with its results.
    Those of a post lead to it within its topic."""
    for group in groups:
        results = group.get("results") if isinstance(group, dict) else None
        for result in results if isinstance(results, list) else []:
            url = result.get("url") if isinstance(result, dict) else None
            match = re.search(r"/t/([^/?#]{1,300})/(\d{1,15})(?:[/?#]|$)", url) if isinstance(url, str) else None
            if match:
                yield {"id": int(match.group(2)), "slug": match.group(1)}


def _actions(actions: list[Any], page: Page, notes: Notes) -> Iterator[Item]:
    """What one account wrote; where only the beginning is shown, a link to where the whole stands."""
    whole = []
    for number, action in enumerate(actions, start=1):
        if not isinstance(action, dict) or not isinstance(action.get("topic_id"), int):
            notes.add("action without topic", f"action {number}")
        elif action.get("truncated"):
            yield LinkItem(f"{_base(page)}/t/{_slug(action.get('slug'))}/{action['topic_id']}.json", "topic")
        elif action.get("action_type", _REPLIED) in (_BEGAN, _REPLIED) and action.get("excerpt"):
            told = {"cooked": action["excerpt"], "topic_title": action.get("title"), "id": action.get("post_id")}
            whole.append({**action, **told, "topic_slug": action.get("slug")})
    yield from _posts({"post_stream": {"posts": whole}}, page, notes)


def _posts(topic: dict[str, Any], page: Page, notes: Notes) -> Iterator[Item]:
    stream = topic["post_stream"]
    posts = stream.get("posts")
    if not isinstance(posts, list):
        notes.add("shape changed: post_stream without posts", page.url)
        return
    title = one_line(topic.get("title"))
    for number, post in enumerate(posts, start=1):
        where = f"post {number}"
        if not isinstance(post, dict) or not (post.get("id") or post.get("post_number")):
            notes.add("post without id", where)
            continue
        try:
            yield from _post(post, topic, title, page, notes, f"{where} (id {one_line(post.get('id'))[:20]})")
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            notes.add(f"post cannot be read: {error}", where)
    known = {_number(p.get("id")) for p in posts if isinstance(p, dict)}
    listed = stream.get("stream")
    rest = [i for i in listed if isinstance(i, int) and i not in known] if isinstance(listed, list) else []
    for start in range(0, len(rest), _CALLS_PER_PAGE):
        query = "&".join(f"post_ids[]={i}" for i in rest[start : start + _CALLS_PER_PAGE])
        topic_id = _number(topic.get("id")) or _topic_of(page.url)
        yield LinkItem(f"{_base(page)}/t/{topic_id}/posts.json?{query}", "next page")


def _post(
    post: dict[str, Any], topic: dict[str, Any], title: str, page: Page, notes: Notes, where: str
) -> Iterator[Item]:
    if post.get("post_type", 1) not in (1, 2):
        return  # "closed this topic" and the like: nobody's words
    if post.get("deleted_at") or post.get("hidden") or post.get("user_deleted"):
        notes.add("deleted or hidden by the forum", where)
        return
    base = _base(page)
    topic_id = _number(post.get("topic_id")) or _number(topic.get("id")) or _topic_of(page.url)
    post_number = _number(post.get("post_number"))
    slug = _slug(post.get("topic_slug") or topic.get("slug"))
    number = _number(post.get("id"))
    if not number and not (topic_id and post_number):
        notes.add("post without id", where)
        return
    url = f"{base}/t/{slug}/{topic_id}/{post_number}" if topic_id and post_number else f"{base}/p/{number}"
    body = read_markup(str(post.get("cooked") or ""), url, skip_link_classes=_NOT_LINKS, skip_classes=_NOT_OWN)
    said = body.text or (tidy(post["raw"]) if isinstance(post.get("raw"), str) else "")
    title = title or one_line(post.get("topic_title"))
    text = titled(title, said) if post_number in (1, None) else said
    if not text and not body.media:
        notes.add("post without text and media", where)
        return
    answered = _number(post.get("reply_to_post_number"))
    name = one_line(post.get("username"))
    created, updated = post.get("created_at"), post.get("updated_at")
    edited = (
        notes.when(updated, f"{where}, edited_at")
        if updated and updated != created and post.get("version", 2) != 1
        else None
    )
    yield PostItem(
        platform=PLATFORM,
        native_id=_address(base, topic_id, post_number) or f"{base}/p/{number}",
        url=url,
        author=page.author(PLATFORM, f"{name}@{_site(page)}") if name else None,
        text=text,
        published_at=notes.when(created, f"{where}, published_at"),
        edited_at=edited,
        reply_to=_address(base, topic_id, answered),
        links=unique([*(link for link in body.links if link != url)]),
        media=body.media,
        counts=_counts(post),
    )


def _topic_of(url: str) -> int | None:
    """The topic's number in an address: `/t/SLUG/12.json`, `/t/12/posts.json`."""
    found = re.search(r"/t/(?:[^/]*[^/\d][^/]*/)?(\d{1,15})(?:[/.]|$)", urlsplit(url).path)
    return int(found.group(1)) if found else None


def _number(value: Any) -> int | None:
    """A number of a topic or a post, as a number or in digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:15])
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**15 else None


def _slug(value: Any) -> str:
    return quote(clean(value).strip(), safe="-_~.%") or "-"


def _address(base: str, topic: Any, number: Any) -> str | None:
    return f"{base}/t/{topic}/{number}" if topic and number else None


def _counts(post: dict[str, Any]) -> dict[str, int]:
    actions = [a for a in _list(post.get("actions_summary")) if isinstance(a, dict)]
    likes = next((a.get("count") for a in actions if a.get("id") == _LIKE), post.get("like_count"))
    found = {
        "likes": likes,
        "replies": post.get("reply_count"),
        "quotes": post.get("quote_count"),
        "views": post.get("reads"),
    }
    return {name: n for name, n in found.items() if isinstance(n, int) and not isinstance(n, bool) and n >= 0}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
