"""From the address that people know a place by to the one that is fetched first: `t.me/NAME` is read at `t.me/s/NAME`.

Pure, and used twice: to refuse a source that cannot be read when it is written down, and by its spider.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

_CHANNEL = re.compile(r"^[A-Za-z0-9_]{3,64}$")
_VIDEO = re.compile(r"^[A-Za-z0-9_-]{6,32}$")

BLUESKY = "https://public.api.bsky.app"
"""The public AppView: needs no account (docs.bsky.app, "API Hosts and Auth")."""
BLUESKY_SEARCH = "https://api.bsky.app"
"""Searches without an account: the cached host above refuses them (bluesky-social/atproto issue 3423)."""
YOUTUBE_API = "https://www.googleapis.com"


def first(kind: str, url: str) -> str:
    """The address to fetch first. Raises ValueError for one that the kind cannot be read from."""
    known = _PLACES.get(kind)
    return known(url) if known else url


def _telegram(url: str) -> str:
    parts = urlsplit(url)
    words = [word for word in parts.path.split("/") if word]
    if words[:1] == ["s"]:
        words = words[1:]
    if not words or words[0] == "joinchat" or not _CHANNEL.match(words[0]):
        raise ValueError(f"{url!r} names no public channel: t.me/NAME or t.me/s/NAME is needed, an invitation is none")
    return urlunsplit(parts._replace(path=f"/s/{words[0]}", query="", fragment=""))


def _mastodon(url: str) -> str:
    """Profiles, tags and public timelines as people see them; addresses of the API as they are."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    account, tag = re.fullmatch(r"/@([\w.-]+)", path), re.fullmatch(r"/tags/([^/]+)", path)
    if account:
        return urlunsplit(parts._replace(path="/api/v1/accounts/lookup", query=f"acct={account[1]}", fragment=""))
    if tag:
        return urlunsplit(parts._replace(path=f"/api/v1/timelines/tag/{tag[1]}", query="", fragment=""))
    if path in ("/public", "/public/local"):
        query = "local=true" if path.endswith("local") else ""
        return urlunsplit(parts._replace(path="/api/v1/timelines/public", query=query, fragment=""))
    if path.startswith("/@"):
        raise ValueError(f"{url!r} names an account of another server: give the account's address on its own")
    return url


def _bluesky(url: str) -> str:
    parts = urlsplit(url)
    words = [word for word in parts.path.split("/") if word]
    query = dict(parse_qsl(parts.query))
    if words[:1] == ["xrpc"]:
        return _more(url, limit="100")
    if words[:1] == ["profile"] and len(words) == 2:
        return f"{BLUESKY}/xrpc/app.bsky.feed.getAuthorFeed?{urlencode({'actor': words[1], 'limit': '100'})}"
    asked = (
        query.get("q") if words[:1] == ["search"] else f"#{words[1]}" if words[:1] == ["hashtag"] and words[1:] else ""
    )
    if asked:
        told = {"q": asked, "sort": "latest", "limit": "100"}
        return f"{BLUESKY_SEARCH}/xrpc/app.bsky.feed.searchPosts?{urlencode(told)}"
    raise ValueError(f"{url!r} is none of /profile/NAME, /search?q=WORDS, /hashtag/TAG and /xrpc/METHOD?...")


def _reddit(url: str) -> str:
    """The newest threads of a community, or one thread."""
    parts = urlsplit(url)
    thread = re.match(r"^(/r/\w+/comments/\w+)", parts.path)
    community = re.match(r"^/(r|user)/([\w+-]+)(/|$|\.)", parts.path)
    if thread:
        return urlunsplit(parts._replace(path=f"{thread[1]}.json", query="limit=500&raw_json=1", fragment=""))
    if not community:
        raise ValueError(f"{url!r} is neither /r/NAME nor /r/NAME/comments/ID")
    path = f"/r/{community[2]}/new.json" if community[1] == "r" else f"/user/{community[2]}/submitted.json"
    return urlunsplit(parts._replace(path=path, query="limit=100&raw_json=1", fragment=""))


def _youtube(url: str) -> str:
    """A channel's or playlist's feed, or one video's comments."""
    parts = urlsplit(url)
    words = [word for word in parts.path.split("/") if word]
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    base = urlunsplit((parts.scheme, parts.netloc, "/feeds/videos.xml", "", ""))
    if parts.path == "/feeds/videos.xml" and query:
        return url
    if words[:1] == ["channel"] and words[1:] and words[1].startswith("UC"):
        return f"{base}?channel_id={quote(words[1])}"
    if words[:1] == ["playlist"] and query.get("list"):
        return f"{base}?playlist_id={quote(query['list'])}"
    video = query.get("v") if words[:1] == ["watch"] else words[0] if parts.hostname == "youtu.be" and words else None
    if video and _VIDEO.match(video):
        return comments_of(url, video)
    raise ValueError(
        f"{url!r} is none of /channel/UC..., /playlist?list=..., /watch?v=... and /feeds/videos.xml?...; "
        "a name with @ does not do: the channel's id stands in its page as channelId"
    )


def comments_of(url: str, video: str) -> str:
    """Where the comments of a video are asked for: Google's API for YouTube, the same host for anything else."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    base = YOUTUBE_API if host in ("youtube.com", "youtu.be") else f"{parts.scheme}://{parts.netloc}"
    told = {
        "part": "snippet,replies",
        "videoId": video,
        "maxResults": "100",
        "order": "time",
        "textFormat": "plainText",
    }
    return f"{base}/youtube/v3/commentThreads?{urlencode(told)}"


def _more(url: str, **values: str) -> str:
    """The address with these parameters where it has none of the name."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit(parts._replace(query=urlencode({**values, **query}), fragment=""))


def _factcheck_api(url: str) -> str:
    if "key=" in urlsplit(url).query:
        raise ValueError("the key belongs into JAGA_FACTCHECK_KEY, not into the address")
    return _more(url, pageSize="100") if "claims:search" in url else url


_STREAMED = re.compile(r"/api/v1/streaming/(public|public/local|public/remote|hashtag|hashtag/local)")


def _mastodon_stream(url: str) -> str:
    """The stream of a public timeline or of a tag."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if tag := re.fullmatch(r"/tags/([^/]+)", path):
        query = urlencode({"tag": unquote(tag[1])})
        return urlunsplit(parts._replace(path="/api/v1/streaming/hashtag", query=query, fragment=""))
    if path in ("/public", "/public/local"):
        return urlunsplit(parts._replace(path=f"/api/v1/streaming{path}", query="", fragment=""))
    if not _STREAMED.fullmatch(path) or ("hashtag" in path and not dict(parse_qsl(parts.query)).get("tag")):
        raise ValueError(
            f"{url!r} is none of /public, /public/local, /tags/TAG, /api/v1/streaming/public and /api/v1/streaming/hashtag?tag=TAG"
        )
    if "access_token" in parts.query:
        raise ValueError("the token belongs into JAGA_MASTODON_TOKENS, not into the address")
    return urlunsplit(parts._replace(path=path, fragment=""))


def timeline_of(url: str) -> str:
    """The timeline that shows what a Mastodon stream has brought. Raises ValueError."""
    parts = urlsplit(_mastodon_stream(url))
    words = parts.path.removeprefix("/api/v1/streaming/").split("/")
    query = dict.fromkeys(words[1:], "true")
    path = "/api/v1/timelines/public"
    if words[0] == "hashtag":
        path = f"/api/v1/timelines/tag/{quote(dict(parse_qsl(parts.query))['tag'], safe='')}"
    return urlunsplit(parts._replace(path=path, query=urlencode(query)))


JETSTREAM_BYTES = 1_000_000
"""No longer event is asked for."""
_OURS = ("cursor", "compress", "requireHello", "maxMessageSizeBytes")


def _jetstream(url: str) -> str:
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if not parts.path.endswith("/subscribe"):
        raise ValueError(f"{url!r} is no https://HOST/subscribe?wantedCollections=...")
    if named := [name for name, _ in query if name in _OURS]:
        raise ValueError(f"{url!r}: {named[0]} is set by the crawler")
    if not any(name == "wantedCollections" for name, _ in query):
        query.append(("wantedCollections", "app.bsky.feed.post"))
    query.append(("maxMessageSizeBytes", str(JETSTREAM_BYTES)))
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))


_PLACES = {
    "mastodon_stream": _mastodon_stream,
    "jetstream": _jetstream,
    "telegram": _telegram,
    "mastodon": _mastodon,
    "bluesky": _bluesky,
    "reddit": _reddit,
    "youtube": _youtube,
    "factcheck_api": _factcheck_api,
}
