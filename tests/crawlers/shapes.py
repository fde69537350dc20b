"""What platforms answer, in their own shapes, with invented people and words."""

from __future__ import annotations

import json
from typing import Any

from .fakes import Answer

DAY = "2025-11-20"


def telegram(channel: str, *messages: tuple[int, str], before: int | None = None) -> Answer:
    """A page of t.me/s/NAME, oldest first."""
    rows = "".join(
        f"""<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message text_not_supported_wrap js-widget_message" data-post="{channel}/{number}">
<div class="tgme_widget_message_bubble"><div class="tgme_widget_message_text js-message_text" dir="auto">{words}</div>
<div class="tgme_widget_message_footer compact js-message_footer"><div class="tgme_widget_message_info short js-message_info"><span class="tgme_widget_message_views">1.2K</span>
<span class="tgme_widget_message_meta"><a class="tgme_widget_message_date" href="https://t.me/{channel}/{number}"><time datetime="{DAY}T01:{number % 60:02}:00+00:00" class="time">01:00</time></a></span></div></div></div></div></div>"""
        for number, words in messages
    )
    older = (
        f'<div class="tgme_widget_message_centered js-messages_more_wrap"><a href="/s/{channel}?before={before}" class="tme_messages_more js-messages_more" data-before="{before}"></a></div>'
        if before
        else ""
    )
    return Answer(
        f'<!DOCTYPE html><html><head><meta property="og:title" content="Kabar"></head><body><main><section class="tgme_channel_history js-message_history">{older}{rows}</section></main></body></html>',
        headers={"Content-Type": "text/html; charset=utf-8"},
    )


def telegram_nobody(name: str) -> Answer:
    return Answer(
        f'<html><head><meta property="og:title" content="Telegram: Contact @{name}"></head><body><div class="tgme_page">x</div></body></html>'
    )


def bluesky_post(key: str, text: str, minute: int, *, likes: int = 0, did: str = "did:plc:wargasatu") -> dict[str, Any]:
    at = f"{DAY}T02:{minute:02}:00.000Z"
    return {
        "uri": f"at://{did}/app.bsky.feed.post/{key}",
        "cid": "c" + key,
        "author": {"did": did, "handle": "warga.example"},
        "record": {"$type": "app.bsky.feed.post", "createdAt": at, "text": text, "langs": ["id"]},
        "likeCount": likes,
        "repostCount": 0,
        "replyCount": 0,
        "quoteCount": 0,
        "indexedAt": at,
    }


def bluesky_feed(*posts: dict[str, Any], cursor: str | None = None) -> Answer:
    return as_json({"feed": [{"post": post} for post in posts], **({"cursor": cursor} if cursor else {})})


def bluesky_search(*posts: dict[str, Any], cursor: str | None = None) -> Answer:
    return as_json({"posts": list(posts), "hitsTotal": 99, **({"cursor": cursor} if cursor else {})})


def reddit_post(key: str, title: str, *, replies: int = 0) -> dict[str, Any]:
    return {
        "kind": "t3",
        "data": {
            "name": f"t3_{key}",
            "id": key,
            "author": "warga_kota",
            "title": title,
            "selftext": "Sejak kemarin.",
            "is_self": True,
            "url": f"https://www.reddit.com/r/kota/comments/{key}/x/",
            "permalink": f"/r/kota/comments/{key}/x/",
            "created_utc": 1763600000.0,
            "edited": False,
            "score": 3,
            "num_comments": replies,
        },
    }


def reddit_comment(key: str, words: str, parent: str, thread: str, *replies: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "t1",
        "data": {
            "name": f"t1_{key}",
            "id": key,
            "author": "penjawab",
            "body": words,
            "link_id": thread,
            "parent_id": parent,
            "created_utc": 1763600100.0,
            "edited": False,
            "score": 1,
            "replies": listing(*replies) if replies else "",
        },
    }


def listing(*children: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": after, "children": list(children)}}


def youtube_feed(channel: str, *videos: tuple[str, str]) -> Answer:
    entries = "".join(
        f"""<entry><id>yt:video:{video}</id><yt:videoId>{video}</yt:videoId><yt:channelId>UC{channel}</yt:channelId><title>{title}</title>
<author><name>Kabar TV</name><uri>https://www.youtube.com/channel/UC{channel}</uri></author><published>{DAY}T01:00:00+00:00</published><updated>{DAY}T01:00:00+00:00</updated>
<media:group><media:title>{title}</media:title><media:description>Siaran.</media:description><media:community><media:statistics views="12"/></media:community></media:group></entry>"""
        for video, title in videos
    )
    return Answer(
        f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/" xmlns="http://www.w3.org/2005/Atom"><yt:channelId>{channel}</yt:channelId><title>Kabar TV</title>{entries}</feed>',
        headers={"Content-Type": "text/xml; charset=UTF-8"},
    )


def youtube_comments(video: str, *comments: tuple[str, str], following: str | None = None) -> Answer:
    def thread(key: str, words: str) -> dict[str, Any]:
        said = {
            "authorDisplayName": "Penonton",
            "authorChannelId": {"value": "UCpenonton"},
            "textDisplay": words,
            "textOriginal": words,
            "likeCount": 1,
            "publishedAt": f"{DAY}T03:00:00Z",
            "updatedAt": f"{DAY}T03:00:00Z",
            "videoId": video,
        }
        return {
            "id": key,
            "snippet": {"videoId": video, "topLevelComment": {"id": key, "snippet": said}, "totalReplyCount": 0},
        }

    told = {"kind": "youtube#commentThreadListResponse", "items": [thread(*comment) for comment in comments]}
    return as_json({**told, **({"nextPageToken": following} if following else {})})


def google_refusal(reason: str, status: int = 403) -> Answer:
    return as_json({"error": {"code": status, "message": "Refused.", "errors": [{"reason": reason}]}}, status)


def google_claims(*claims: tuple[str, str], following: str | None = None) -> Answer:
    told = [
        {
            "text": text,
            "claimDate": f"{DAY}T00:00:00Z",
            "claimReview": [
                {
                    "publisher": {"name": "Cek Contoh", "site": "cek.example"},
                    "url": url,
                    "title": text,
                    "reviewDate": f"{DAY}T05:00:00Z",
                    "textualRating": "Salah",
                    "languageCode": "id",
                }
            ],
        }
        for url, text in claims
    ]
    return as_json({"claims": told, **({"nextPageToken": following} if following else {})})


def phpbb_list(*topics: tuple[int, str, int], session: str = "", views: int = 7) -> Answer:
    """viewforum.php: (topic, title, replies)."""
    sid = f"&amp;sid={session}" if session else ""
    rows = "".join(
        f"""<li class="row bg1"><dl class="row-item topic_read"><dt title="No unread posts"><div class="list-inner"><a href="./viewtopic.php?t={topic}{sid}" class="topictitle">{title}</a></div></dt>
<dd class="posts">{replies} <dfn>Replies</dfn></dd><dd class="views">{views} <dfn>Views</dfn></dd>
<dd class="lastpost"><span>by <a href="./memberlist.php?mode=viewprofile&amp;u=2" class="username">warga</a> <a href="./viewtopic.php?p={topic}{replies}{sid}#p{topic}{replies}">x</a></span></dd></dl></li>"""
        for topic, title, replies in topics
    )
    return page(f'<h1>Forum Kota</h1><ul class="topiclist topics">{rows}</ul>')


def phpbb_topic(title: str, *posts: tuple[int, str], following: str | None = None, session: str = "") -> Answer:
    """viewtopic.php: (post, words)."""
    sid = f"&amp;sid={session}" if session else ""
    rows = "".join(
        f"""<div id="p{number}" class="post has-profile bg2"><div class="inner"><dl class="postprofile"><dt><a href="./memberlist.php?mode=viewprofile&amp;u=2{sid}" class="username">warga</a></dt></dl>
<div class="postbody"><div id="post_content{number}"><h3><a href="./viewtopic.php?p={number}{sid}#p{number}">Re: {title}</a></h3>
<p class="author"><a class="unread" href="./viewtopic.php?p={number}{sid}#p{number}">x</a><span>by <strong><a class="username">warga</a></strong> &raquo; </span><time datetime="{DAY}T04:00:00+00:00">Kam</time></p>
<div class="content">{words}</div><div class="signature">Salam</div></div></div></div></div>"""
        for number, words in posts
    )
    onward = f'<ul><li class="arrow next"><a href="{following}" rel="next">Next</a></li></ul>' if following else ""
    return page(
        f'<h1>Forum Kota</h1><h2 class="topic-title"><a href="./viewtopic.php?t=1">{title}</a></h2>{rows}{onward}'
    )


def kaskus_thread(title: str, *posts: tuple[str, str], following: str | None = None) -> Answer:
    rows = "".join(
        f"""<div id="post{key}" class="D(f)"><a href="/@agan.{key[-1]}" class="C(c-primary)">agan.{key[-1]}</a><time datetime="{DAY}T05:00:00+07:00">tadi</time>
<div id="postcontent{key}" class="Mb(10px)">{words}<blockquote class="quote">kata orang lain</blockquote></div></div>"""
        for key, words in posts
    )
    onward = f'<a rel="next" href="{following}">2</a>' if following else ""
    return page(f"<h1>{title}</h1>{rows}{onward}")


def mastodon_status(number: int, words: str, account: str = "warga") -> dict[str, Any]:
    return {
        "id": str(number),
        "uri": f"https://m.example/users/{account}/statuses/{number}",
        "url": f"https://m.example/@{account}/{number}",
        "content": f"<p>{words}</p>",
        "visibility": "public",
        "created_at": f"{DAY}T01:00:00.000Z",
        "account": {"id": "9", "acct": account, "url": f"https://m.example/@{account}"},
    }


def page(body: str) -> Answer:
    return Answer(
        f"<!DOCTYPE html><html><body>{body}</body></html>", headers={"Content-Type": "text/html; charset=utf-8"}
    )


def as_json(told: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(told), status=status, headers={"Content-Type": "application/json"})
