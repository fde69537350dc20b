"""Forum pages in HTML to posts and links: bbPress, phpBB, vBulletin, XenForo, Kaskus, Discourse's page for robots, and any other that
tells search engines of its threads (microdata, JSON-LD DiscussionForumPosting).

The native id is the post's own address (`https://HOST/topic#post-7`), as the forum writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.contracts import digest

from . import dates
from .address import canonical, host_of, resolve
from .items import Item, LinkItem, PostItem
from .jsonld import blocks, nodes, types
from .page import Page
from .problems import Notes
from .text import clean, document, one_line, read_element, read_markup, rebase, titled, unique
from .wall import is_wall

PLATFORM = "forum"


@dataclass(frozen=True)
class _Software:
    """Class names by which a forum's parts are known, the first that is there wins; with `@` an `itemprop`, with `#` how an id begins
    before its 24 hexadecimal digits, with `~` the whole id but for its decimal digits. A post named with `^` has no element of its own:
    it is what stands around a part of it that has this name."""

    name: str
    post: str
    text: tuple[str, ...]
    author: tuple[str, ...]
    date: tuple[str, ...]
    topic: tuple[str, ...]


_KNOWN = (
    _Software("bbPress", "bbp-reply-header|bbp-topic-header", (), (), (), ("bbp-topic-permalink",)),
    _Software(
        "XenForo", "message--post", ("bbWrapper",), ("message-name", "username"), ("u-dt",), ("structItem-title",)
    ),
    # The look of Fora's many forums on XenForo.
    *(
        _Software(
            "XenForo in cards",
            post,
            ("bbWrapper",),
            ("MessageCard__user-info__name", "username"),
            ("u-dt",),
            ("structItem-title",),
        )
        for post in ("js-post", "js-messageCard")
    ),
    _Software("XenForo 1", "message", ("messageText",), ("username",), ("DateTime",), ("PreviewTooltip",)),
    # Before phpBB, whose posts have the same class and other parts.
    _Software(
        "MyBB", "~post_", ("post_body",), ("largetext",), ("post_date", "smalltext"), ("subject_new", "subject_old")
    ),
    _Software(
        "phpBB", "post", ("content",), ("username", "username-coloured", "postauthor"), ("author",), ("topictitle",)
    ),
    _Software("SMF", "post_wrapper", ("~msg_", "inner"), ("poster",), ("postinfo", "smalltext"), ("subject",)),
    _Software("SMF 1", "^~subject_", ("~msg_", "post"), ("poster",), ("smalltext",), ()),
    # Rows of tables: the account's name and the words stand in cells side by side.
    _Software("phpBB 2", "^name", ("postbody",), ("name",), ("postdetails",), ()),
    _Software(
        "vBulletin",
        "postcontainer|postbit",
        ("postcontent", "postbody"),
        ("username", "bigusername"),
        ("date", "postdate"),
        ("title", "threadtitle"),
    ),
    _Software("vBulletin 3", "~post", ("~post_message_",), ("bigusername",), ("thead",), ()),
    _Software(
        "vBulletin 5", "b-post", ("js-post__content-text",), ("author",), ("b-post__timestamp",), ("topic-title",)
    ),
    _Software("Vanilla", "ItemDiscussion|ItemComment", ("Message",), ("Username",), ("DateCreated",), ("Title",)),
    _Software(
        "Invision",
        "ipsComment|cPost",
        ("ipsType_richText", "cPost_contentWrap"),
        ("cAuthorPane_author", "ipsComment_author"),
        (),
        ("ipsDataItem_title",),
    ),
    _Software(
        "Kaskus", "#post", ("entry-content", "post-content", "#postcontent"), ("nickname", "username"), ("date",), ()
    ),
    _Software(
        "microdata",
        "@comment",
        ("@text", "@articleBody"),
        ("@author",),
        ("@datePublished",),
        ("raw-link", "raw-topic-link"),
    ),
)
_NOT_OWN = frozenset(
    {
        "quote",
        "bbCodeBlock--quote",
        "bbcode_container",
        "quotebox",
        "bbp-reply-revision-log",
        "bbp-topic-revision-log",
        "signature",
        "onebox",
        "bbCodeQuote",
        "quoteheader",
        "quotefooter",
        "quotetitle",
        "quotecontent",
        "bbc_standard_quote",
        "mycode_quote",
        "ipsQuote",
        "lastedited",
        "editDate",
        "message-signature",
        "post_edit",
    }
)
_QUOTES = frozenset({"blockquote"})
"""In forums others' words, whatever the software calls them."""

_KASKUS_THREAD = re.compile(r"/thread/[0-9a-f]{24}(/[^/?#]*)?/?$")
_PROFILE = re.compile(r"/@[\w.-]+/?$|/profile/[\w.-]+|/members?/[\w.-]+|mode=viewprofile|action=profile\b")
_BESIDE = re.compile(r"[?;&](action=profile\b|board=\d)|memberlist\.php|mode=viewprofile")
"""What stands in a topic's row or looks like one: who began it, the forum it is in."""
_SESSIONS = {
    "sid": re.compile(r"[0-9a-fA-F]{26,40}"),
    "s": re.compile(r"[0-9a-fA-F]{26,40}"),
    "phpsessid": re.compile(r"[0-9a-zA-Z,-]{22,64}"),
}
_NEXT_TOPIC = re.compile(r"[?&;]view=(next|previous)\b|prev_next|goto=next", re.I)
"""What some forums call `rel=next` is the topic after this one."""
_PAGE_OF_TOPIC = re.compile(r"\.new\b|\.msg\d+\b|#new$|[/;]all\b")
_PAGE_LINKS = frozenset({"navPages", "nav_page"})
"""Beside a topic in a list stand its pages."""
_SIGNED_OFF = re.compile(r"\n?\s*_{10,}.*", re.S)
"""phpBB 2 writes signatures into the text, under a line."""
_CLOCKED = re.compile(r"\b\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s*[AP]M\b)?", re.I)
_FOOT_CHARS = 60_000
_CLOCK = re.compile(
    r"(?:all times are|times? zone|semua waktu|zona waktu|waktu (?:adalah|dalam))[^.\d+<>-]{0,40}(?:<[^<>]{0,200}>\s*)?(?:GMT|UTC)"
    r"(?:\s*(?P<sign>[+-])\s*(?P<hours>\d{1,2})(?::?(?P<minutes>[0-5]\d))?)?(?P<summer>[^.<>]{0,20}\bDST\b)?",
    re.I,
)
_VIEW_COUNTS = frozenset({"views", "view-count", "structItem-cell--views"})
_VIEWS = re.compile(
    r"\b(views|dilihat|dibaca)\W{0,3}[\d.,]+[kmKM]?|[\d.,]+[kmKM]?\s+(views|kali|dilihat|dibaca)\b", re.I
)
_LATER_PAGE = re.compile(r"[?&/]page[=/-]?([2-9]|\d\d)|[?&]start=[1-9]|/thread/[0-9a-f]{24}/[^/]+/([2-9]|\d\d)")
_BAR = frozenset({"nav", "ul", "table", "form"})
"""A heading that has these in it is a bar."""
_VIEWED = re.compile(r"^.{1,100}? [•·] (view topic|lihat topik) - ", re.I)
"""How phpBB begins the title of a page, until 3.1."""
_MOST_TOPICS = 500
_MOST_LINKS_OF_ROW = 60


class _Tree:
    """A page whose elements are looked up by many names: all are found in one walk."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._by_name: dict[str, list[Any]] = {}
        self._with_id: list[tuple[str, Any]] = []
        for element in root.iter():
            for name in _classes(element):
                self._by_name.setdefault(name, []).append(element)
            if isinstance(element.tag, str):
                for name in (element.get("itemprop") or "").split():
                    self._by_name.setdefault(f"@{name}", []).append(element)
                if own := element.get("id"):
                    self._with_id.append((own, element))

    def named(self, name: str) -> list[Any]:
        if wanted := _id_form(name):
            return [element for own, element in self._with_id if wanted.fullmatch(own)]
        return self._by_name.get(name, [])


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    root = document(page.text)
    if root is None or not one_line(root.text_content()):
        notes.add("empty page", page.url)
        yield from notes.drain()
        return
    rebase(root, page.url)
    tree = _Tree(root)
    title = _title(tree, page.url)
    posts: list[PostItem] = list(_bbpress(tree, title, page, notes))
    for software in _KNOWN[1:]:
        if posts:
            break
        posts = list(_posts(software, tree, title, page, notes))
    if not posts:
        posts = list(_structured(page, notes))
    yield from posts
    links = [] if posts else [LinkItem(url, "topic") for url, _ in _topics(tree, page)]
    yield from links
    if onward := _onward(tree, page):
        yield LinkItem(_own_address(onward), "next page")
    if not posts and not links:
        blocked = is_wall(page.text)
        notes.add(
            "blocked: the page is a wall" if blocked else "shape changed: neither posts nor topics of a known forum",
            page.url,
        )
    yield from notes.drain()


def _onward(tree: _Tree, page: Page) -> str | None:
    """The next page of a topic or of a list of topics: what is marked so, else the number after that of this page, which is no link."""
    for element in tree.root.iter("a", "link"):
        classes = _classes(element)
        relations = (element.get("rel") or "").split()
        beside = _classes(element.getparent()) if element.getparent() is not None else set()
        marked = (
            "next" in relations
            or {"next", "page-numbers"} <= classes
            or bool(classes & {"pageNav-jump--next", "pagination_next", "Next"})
            or ("next" in beside and element.tag == "a")
        )
        if marked and (url := resolve(page.url, element.get("href"))) and not _NEXT_TOPIC.search(url):
            return url
    for element in tree.root.iter("b", "strong", "span"):
        number = (element.text or "").strip()
        if len(element) or not number.isdecimal() or len(number) > 4:
            continue
        following = next(
            (e for _, e in zip(range(2), element.itersiblings("a", "span"), strict=False) if e.tag == "a"), None
        )
        if following is not None and one_line(following.text_content()) == str(int(number) + 1):
            return resolve(page.url, following.get("href"))
    return None


def states(page: Page) -> dict[str, str]:
    """Topic's address -> how its row in the list reads, without counts of views: another state means that it was written in."""
    root = document(page.text)
    if root is None:
        return {}
    found = list(_topics(_Tree(root), page))
    topics = {url for url, _ in found}
    return {url: digest(_row(anchor, url, topics, page))[:16] for url, anchor in found[:_MOST_TOPICS]}


def _row(anchor: Any, url: str, topics: set[str], page: Page) -> str:
    """The text of the largest part of the page that speaks of this topic alone."""
    row = anchor
    for above in anchor.iterancestors():
        anchors = [a for _, a in zip(range(_MOST_LINKS_OF_ROW + 1), above.iter("a"), strict=False)]
        told = {_own_address(link) for a in anchors if (link := resolve(page.url, a.get("href")))}
        if above.tag in ("body", "html") or len(anchors) > _MOST_LINKS_OF_ROW or told & topics - {url}:
            break
        row = above
    times = [t.get("datetime") or "" for t in row.iter("time")]
    return " ".join([_VIEWS.sub("", read_element(row, page.url, skip_classes=_VIEW_COUNTS).text), *times])


def _topics(tree: _Tree, page: Page) -> Iterator[tuple[str, Any]]:
    """(address, anchor) of each topic in a list."""
    seen = set()
    for anchor in _topic_anchors(tree):
        url = resolve(page.url, anchor.get("href"))
        if (
            url
            and (url := _own_address(url)) not in seen
            and one_line(anchor.text_content())
            and not (_BESIDE.search(url) or _PAGE_OF_TOPIC.search(url) or _classes(anchor) & _PAGE_LINKS)
        ):
            seen.add(url)
            yield url, anchor


def _topic_anchors(tree: _Tree) -> Iterator[Any]:
    for software in _KNOWN:
        for name in software.topic:
            for element in tree.named(name):
                yield from [element] if element.tag == "a" else element.iter("a")
    for anchor in tree.root.iter("a"):
        if _KASKUS_THREAD.search(anchor.get("href") or ""):
            yield anchor


def _own_address(url: str) -> str:
    """The address without the session that forums write into links for those who keep no cookies."""
    base, mark, anchor = url.partition("#")
    parts = urlsplit(base)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not ((form := _SESSIONS.get(name.lower())) and form.fullmatch(value))
    ]
    if len(kept) != len(parse_qsl(parts.query, keep_blank_values=True)):
        base = urlunsplit(parts._replace(query=urlencode(kept, errors="replace")))
    return canonical(base) + mark + anchor


def _structured(page: Page, notes: Notes) -> Iterator[PostItem]:
    """Schema.org markup as search engines ask for it (Google Search Central, "Discussion forum structured data")."""
    for number, node in enumerate(nodes(blocks(page.text, notes)), start=1):
        if "DiscussionForumPosting" not in types(node):
            continue
        thread = resolve(page.url, node.get("url")) or page.url
        title = one_line(node.get("headline") or node.get("name"))
        yield from _told(node, thread, title, page, notes, f"thread {number}")
        comments = node.get("comment")
        for place, comment in enumerate(comments if isinstance(comments, list) else [comments], start=1):
            if isinstance(comment, dict) and (url := resolve(thread, comment.get("url"))):
                yield from _told(comment, url, "", page, notes, f"thread {number}, comment {place}")


def _told(node: dict[str, Any], url: str, title: str, page: Page, notes: Notes, where: str) -> Iterator[PostItem]:
    text = titled(title, read_markup(clean(node.get("text") or node.get("articleBody")), url).text)
    if not text:
        notes.add("post without text", where)
        return
    author = node.get("author")
    author = author[0] if isinstance(author, list) and author else author
    name = one_line(author.get("name")) if isinstance(author, dict) else one_line(author)
    yield PostItem(
        platform=PLATFORM,
        native_id=_own_address(url),
        url=url,
        author=page.author(PLATFORM, f"{name}@{host_of(url)}") if name else None,
        text=text,
        published_at=notes.when(node.get("datePublished"), f"{where}, published_at"),
    )


def _bbpress(tree: _Tree, title: str, page: Page, notes: Notes) -> Iterator[PostItem]:
    """bbPress keeps a post's header and its body side by side, tied by the number in their ids."""
    for header in tree.named("bbp-reply-header") + tree.named("bbp-topic-header"):
        link = next((a for a in header.iter("a") if _classes(a) & {"bbp-reply-permalink", "bbp-topic-permalink"}), None)
        url = resolve(page.url, link.get("href")) if link is not None else None
        number = (header.get("id") or "").removeprefix("post-")
        body = next(iter(tree.named(f"post-{number}")), None) if number else None
        if url is None or body is None:
            # The table's heading carries the same class and neither link nor number.
            if number:
                notes.add("post without address or body", f"post {number}")
            continue
        content = next(iter(_named(body, "bbp-reply-content") + _named(body, "bbp-topic-content")), None)
        author = next(iter(_named(body, "bbp-author-name")), None)
        date = next(iter(_named(header, "bbp-reply-post-date") + _named(header, "bbp-topic-post-date")), None)
        contents = [content] if content is not None else []
        post = _make(url, contents, author, _shown(date), page, notes, f"post {number}")
        if post is not None:
            # The topic itself has an address of its own, without the number of a reply behind it.
            yield _first(post, title, "#" not in url)


def _posts(software: _Software, tree: _Tree, title: str, page: Page, notes: Notes) -> Iterator[PostItem]:
    if software.post.startswith("^"):
        found = list(_around(software, tree))
    else:
        found = [(e, e) for name in software.post.split("|") for e in tree.named(name)]
    if not found:
        return
    later = _LATER_PAGE.search(page.url) or any(
        "prev" in (e.get("rel") or "").split() and not _NEXT_TOPIC.search(e.get("href") or "")
        for e in tree.root.iter("a", "link")
    )
    zone = _zone(page)
    for number, (block, mark) in enumerate(found, start=1):
        where = f"post {number}"
        contents = next((named for name in software.text if (named := _named(block, name))), [])
        content = contents[0] if contents else None
        author = next((e for name in software.author for e in _named(block, name)), None)
        if author is None:
            author = next(
                (a for a in block.iter("a") if _PROFILE.search(a.get("href") or "") and one_line(a.text_content())),
                None,
            )
        if author is None:
            author = next(iter(_named(block, "postprofile") + _named(block, "author")), None)
        dated = [e for name in software.date for e in _named(block, name)]
        if mark is not block:
            # Beside the name stands since when it is there.
            about = next((above for above in author.iterancestors("td")), author) if author is not None else None
            dated = [e for e in dated if e is not about and about not in e.iterancestors()]
        date = next(iter(dated), None)
        told = next((e.get("datetime") for e in block.iter("time") if e.get("datetime")), None) or _shown(date)
        anchor = block.get("data-content") or (block.get("id") or "").removeprefix("js-")
        if content is not None and software.name in ("SMF", "SMF 1"):
            number_told = (content.get("id") or mark.get("id") or "").rpartition("_")[2]
            anchor = anchor if software.name == "SMF" and anchor else f"msg{number_told}"
        elif software.name == "phpBB 2":
            anchor = next((a.get("name") or a.get("id") or "" for a in mark.iter("a")), "")
            for quote in _named(block, "quote"):
                for table in quote.iterancestors("table"):
                    table.set("class", "quote")
                    break
        link = next(
            (a.get("href") for a in block.iter("a") if anchor and (a.get("href") or "").endswith("#" + anchor)), None
        )
        url = resolve(page.url, link) or (f"{canonical(page.url)}#{anchor}" if anchor else None)
        if software.name == "Kaskus":
            # The one address of a post that does not depend on the page of its thread.
            url = resolve(page.url, f"/show_post/{anchor.removeprefix('post')}")
        if content is None or url is None:
            continue
        # A quotation cuts the text of phpBB 2 in two.
        post = _make(url, contents if software.name == "phpBB 2" else [content], author, told, page, notes, where, zone)
        if post is not None:
            post.text = _SIGNED_OFF.sub("", post.text) if software.name == "phpBB 2" else post.text
            yield _first(post, title, number == 1 and not later)


def _around(software: _Software, tree: _Tree) -> Iterator[tuple[Any, Any]]:
    """(block, mark) of each post: the smallest part of the page around its mark that has its text and its writer."""
    name = software.post.removeprefix("^")
    marks = tree.named(name)
    for mark in marks:
        for above in mark.iterancestors():
            if len(_named(above, name)) > 1 or above.tag in ("body", "html"):
                break
            written = any(_named(above, part) for part in software.text)
            if written and (
                any(_named(above, part) for part in software.author)
                or any(_PROFILE.search(a.get("href") or "") for a in above.iter("a"))
            ):
                yield above, mark
                break


def _zone(page: Page) -> timezone:
    """The clock that the foot of the page tells: "All times are GMT +7"."""
    foot = page.text[-_FOOT_CHARS:]
    named = max(foot.rfind("GMT"), foot.rfind("UTC"))
    told = next(reversed(list(_CLOCK.finditer(foot[max(0, named - 400) : named + 100]))), None) if named >= 0 else None
    if told is None:
        return dates.WIB
    minutes = 60 * int(told.group("hours") or 0) + int(told.group("minutes") or 0)
    if minutes >= 15 * 60:
        return dates.WIB
    return timezone(
        timedelta(minutes=(-minutes if told.group("sign") == "-" else minutes) + 60 * bool(told.group("summer")))
    )


def _make(
    url: str,
    contents: list[Any],
    author: Any,
    told: Any,
    page: Page,
    notes: Notes,
    where: str,
    zone: timezone = dates.WIB,
) -> PostItem | None:
    bodies = [read_element(content, url, skip_classes=_NOT_OWN, skip_tags=_QUOTES) for content in contents]
    text = "\n".join(body.text for body in bodies if body.text)
    media = unique(m for body in bodies for m in body.media)
    if not (text or media):
        notes.add("post without text", where)
        return None
    name = _name(author)
    url = _own_address(url)
    base = url.partition("#")[0]
    return PostItem(
        platform=PLATFORM,
        native_id=url,
        url=url,
        author=page.author(PLATFORM, f"{name}@{host_of(url)}") if name else None,
        text=text,
        published_at=notes.when(told, f"{where}, published_at", zone) if told else None,
        links=unique(link for body in bodies for link in body.links if link.partition("#")[0] != base),
        media=media,
    )


def _name(author: Any) -> str:
    """The account's name; the part that holds it may hold a rank and a number of posts, too."""
    if author is None:
        return ""
    anchors = (one_line(a.text_content()) for a in author.iter("a"))
    return next((name for name in anchors if name), one_line(author.text_content()))[:100]


def _first(post: PostItem, title: str, is_first: bool) -> PostItem:
    if is_first:
        post.text = titled(title, post.text)
    return post


def _shown(date: Any) -> str | None:
    """The time as an attribute, else in words; "6 hari yang lalu" is none."""
    if date is None:
        return None
    words = one_line(date.text_content())
    told = date.get("datetime") or date.get("content") or date.get("title") or words
    if not re.search(r"\d{4}", told or ""):
        # The day in words, in figures behind it: `<span title="11-20-2026">Yesterday</span>, 09:15 PM`.
        told = next((e.get("title") for e in date.iter() if re.search(r"\d{4}", e.get("title") or "")), None)
        if told is None:
            return None
        if not _CLOCKED.search(told) and (clocked := _CLOCKED.search(words)):
            told = f"{told} {clocked.group(0)}"
    told = re.sub(r"\s+(at|pada|pukul|-|»)\s+", " ", told)
    numbers = dates.from_numbers(told)
    return numbers.isoformat() if numbers else told


def _title(tree: _Tree, url: str) -> str:
    """The topic's. A page's `title` has it surely, with the forum's name beside it; an `h1` may be that name alone, or a bar."""
    told = next((one_line(m.get("content")) for m in tree.root.iter("meta") if m.get("property") == "og:title"), "")
    whole = _VIEWED.sub("", next((one_line(e.text_content()) for e in tree.root.iter("title")), ""))
    headings = [(e, one_line(e.text_content())) for e in tree.named("topic-title")]
    headings = [(e, words) for e, words in headings if words] or [
        (e, words)
        for e in (*tree.root.iter("h1"), *(e for e in tree.named("maintitle") if e.tag != "table"))
        if (words := one_line(e.text_content())) and not _BAR & {str(inner.tag) for inner in e.iter()}
    ]
    first = headings[0][1] if headings else ""
    for element, words in headings:
        if told and told in words:
            return told  # some pack paging and counters into it
        if not whole or "topic-title" in _classes(element):
            return words
    lower = [words for e in tree.root.iter("h2", "h3") if (words := one_line(e.text_content()))]
    shown = [words for words in (*(words for _, words in headings), *lower) if words in whole]
    name = next((one_line(m.get("content")) for m in tree.root.iter("meta") if m.get("property") == "og:site_name"), "")
    shown = [words for words in shown if words != name and not whole.endswith(f" {words}")] or shown
    if shown:
        return max(shown, key=len)
    head, _, behind = whole.rpartition(" | ") if " | " in whole else whole.rpartition(" - ")
    bare = re.sub(r"\W+", "", behind).casefold()
    if head and (behind in (name, first) or any(len(label) > 3 and label in bare for label in host_of(url).split("."))):
        whole = head
    return told or whole


def _classes(element: Any) -> set[str]:
    return set((element.get("class") or "").split()) if isinstance(element.tag, str) else set()


def _id_form(name: str) -> re.Pattern[str] | None:
    if name.startswith("#"):
        return re.compile(re.escape(name[1:]) + "[0-9a-f]{24}")
    return re.compile(re.escape(name[1:]) + r"\d{1,15}") if name.startswith("~") else None


def _named(block: Any, name: str) -> list[Any]:
    if wanted := _id_form(name):
        return [e for e in block.iter() if isinstance(e.tag, str) and wanted.fullmatch(e.get("id") or "")]
    if name.startswith("@"):
        return [e for e in block.iter() if isinstance(e.tag, str) and name[1:] in (e.get("itemprop") or "").split()]
    return [e for e in block.iter() if name in _classes(e)]
