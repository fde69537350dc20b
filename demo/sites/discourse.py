"""The forum: Discourse's JSON beside every HTML page."""

from __future__ import annotations

import html
import re
from typing import Any

from demo.sites.reply import Query, Reply, as_json, number_of, page, zulu
from demo.world import HOSTS, Comment, Topic, World

PREFIX = "/forum/"
NAME = "Warga Kita"
TOPICS_PER_PAGE = 10
POSTS_PER_CHUNK = 20


def answer(world: World, path: str, query: Query, base: str) -> Reply | None:
    """`path` is what follows `/forum/`; None when the site has no such page."""
    if path in ("latest.json", "latest", ""):
        return _latest(world, query, base, as_page=path != "latest.json")
    match = re.fullmatch(r"t/(?:([a-z0-9-]*[a-z-][a-z0-9-]*)/)?(\d+)(?:/(\d+))?(/posts)?(\.json)?", path)
    if match is None:
        return None
    topic = next((topic for topic in world.topics if topic.id == int(match[2])), None)
    if topic is None:
        gone = "URL atau sumber daya yang diminta tidak dapat ditemukan."
        return as_json({"errors": [gone], "error_type": "not_found"}, status=404) if match[5] else None
    if match[4]:
        return as_json(_some_posts(topic, query))
    if match[5]:
        return as_json(_topic(topic))
    return page(_topic_page(topic, base))


def _latest(world: World, query: Query, base: str, *, as_page: bool) -> Reply:
    topics = sorted(world.topics, key=lambda topic: topic.comments[-1].at, reverse=True)
    number = number_of(query, "page", 0)
    chosen = topics[number * TOPICS_PER_PAGE : (number + 1) * TOPICS_PER_PAGE]
    more = len(topics) > (number + 1) * TOPICS_PER_PAGE
    if as_page:
        rows = "".join(
            f'<tr class="topic-list-item"><td><a href="{base}{PREFIX}t/{t.slug}/{t.id}" class="title">'
            f"{html.escape(t.title)}</a></td><td>{len(t.comments)}</td></tr>\n"
            for t in chosen
        )
        after = f'<a rel="next" href="{base}{PREFIX}latest?page={number + 1}">berikutnya</a>' if more else ""
        return page(f'<!DOCTYPE html><html lang="id"><title>{NAME}</title><table>{rows}</table>{after}</html>')
    listing: dict[str, Any] = {"can_create_topic": False, "draft": None, "per_page": TOPICS_PER_PAGE}
    if more:
        # Discourse's own habit: the address lacks `.json`, so that following it blindly gets HTML.
        listing["more_topics_url"] = f"{PREFIX}latest?page={number + 1}"
    listing["topics"] = [_topic_row(topic) for topic in chosen]
    names = sorted({comment.author for topic in chosen for comment in topic.comments})
    users = [{"id": n, "username": name, "avatar_template": ""} for n, name in enumerate(names, start=1)]
    return as_json({"users": users, "primary_groups": [], "topic_list": listing})


def _topic_row(topic: Topic) -> dict[str, Any]:
    first, last = topic.comments[0], topic.comments[-1]
    return {
        "id": topic.id,
        "title": topic.title,
        "fancy_title": html.escape(topic.title).replace("&quot;", "&ldquo;"),
        "slug": topic.slug,
        "posts_count": len(topic.comments),
        "reply_count": sum(comment.reply_to is not None for comment in topic.comments),
        "highest_post_number": last.number,
        "image_url": None,
        "created_at": zulu(first.at),
        "last_posted_at": zulu(last.at),
        "bumped": True,
        "bumped_at": zulu(last.at),
        "archetype": "regular",
        "pinned": False,
        "visible": True,
        "closed": False,
        "archived": False,
        "views": topic.views,
        "like_count": sum(comment.likes for comment in topic.comments),
        "last_poster_username": last.author,
        "category_id": 5,
        "tags": [topic.category],
    }


def _topic(topic: Topic) -> dict[str, Any]:
    first_chunk = topic.comments[:POSTS_PER_CHUNK]
    return {
        "post_stream": {
            "posts": [_post(topic, comment) for comment in first_chunk],
            "stream": [comment.id for comment in topic.comments],
        },
        **_topic_row(topic),
        "chunk_size": POSTS_PER_CHUNK,
    }


def _some_posts(topic: Topic, query: Query) -> dict[str, Any]:
    wanted = {int(value) for value in query.get("post_ids[]", []) if value.isascii() and value.isdigit()}
    chosen = [comment for comment in topic.comments if comment.id in wanted]
    return {"post_stream": {"posts": [_post(topic, comment) for comment in chosen]}, "id": topic.id}


def _post(topic: Topic, comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "name": "",
        "username": comment.author,
        "avatar_template": "",
        "created_at": zulu(comment.at),
        "updated_at": zulu(comment.at),
        "cooked": _cooked(topic, comment),
        "post_number": comment.number,
        "post_type": 1,
        "reply_count": sum(other.reply_to == comment.number for other in topic.comments),
        "reply_to_post_number": comment.reply_to,
        "quote_count": 0,
        "incoming_link_count": 0,
        "reads": topic.views // 3,
        "score": round(comment.likes * 15 + 0.4, 1),
        "topic_id": topic.id,
        "topic_slug": topic.slug,
        "version": 1,
        "actions_summary": [{"id": 2, "count": comment.likes}] if comment.likes else [],
        "moderator": False,
        "admin": False,
        "staff": False,
        "user_id": sum(map(ord, comment.author)),
        "hidden": False,
        "trust_level": 2,
        "deleted_at": None,
        "user_deleted": False,
        "post_url": f"{PREFIX}t/{topic.slug}/{topic.id}/{comment.number}",
    }


def _cooked(topic: Topic, comment: Comment) -> str:
    """Every seventh reply quotes what it answers: the quoted words are not the writer's own."""
    text = "<br>\n".join(html.escape(part, quote=False) for part in comment.text.split("\\n"))
    text = re.sub(r"(https?://[^\s<]+)", r'<a href="\1" rel="noopener nofollow ugc">\1</a>', text)
    if comment.reply_to is None or comment.id % 7:
        return f"<p>{text}</p>"
    quoted = topic.comments[comment.reply_to - 1]
    return (
        f'<aside class="quote no-group" data-username="{quoted.author}" data-post="{quoted.number}" '
        f'data-topic="{topic.id}">\n<div class="title">{quoted.author}:</div>\n<blockquote>\n'
        f"<p>{html.escape(quoted.text, quote=False)}</p>\n</blockquote>\n</aside>\n<p>{text}</p>"
    )


def _topic_page(topic: Topic, base: str) -> str:
    rows = "\n".join(
        f'<div id="post_{c.number}" class="topic-body crawler-post" itemprop="comment" itemscope '
        f'itemtype="http://schema.org/Comment">'
        f'<span itemprop="author"><a href="{base}{PREFIX}u/{c.author}">{c.author}</a></span>'
        f'<time itemprop="datePublished" datetime="{zulu(c.at)}">{c.at:%d %b}</time>'
        f'<div class="post" itemprop="text">{_cooked(topic, c)}</div></div>'
        for c in topic.comments
    )
    title = html.escape(topic.title)
    return f"""<!DOCTYPE html><html lang="id" class="desktop-view"><head><meta charset="utf-8">
<title>{title} - {NAME}</title>
<link rel="canonical" href="https://{HOSTS["forum"]}/t/{topic.slug}/{topic.id}">
<meta name="generator" content="Discourse 3.6.0"></head>
<body class="crawler"><h1>{title}</h1>
{rows}
</body></html>"""
