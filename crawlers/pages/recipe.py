"""Pages of sites that no page object knows, read by a recipe: a list of items, and the page that an item leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parsel import Selector

from pipeline.contracts import digest

from ..recipe import ArticleRecipe, Recipe
from .address import canonical, host_of, resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import Markup, document, one_line, read_element, read_markup, tidy, titled, unique

PLATFORM = "web"
MOST_ITEMS = 1000


def read_list(page: Page, recipe: Recipe) -> Iterator[Item]:
    """The items of a list as posts, a link to each one's page, and one to the next page of the list."""
    notes = Notes(page)
    top = _top(page, recipe.format, notes)
    parts = _Json(page) if recipe.format == "json" else _Html(page)
    found = parts.all(top, recipe.items)[:MOST_ITEMS] if top is not None else []
    if top is not None and not found:
        notes.add("shape changed: recipe.items finds nothing", page.url)
    seen = dict.fromkeys(("title", "text", "time", "author"), 0)
    read = 0
    for number, item in enumerate(found, start=1):
        where = f"item {number}"
        try:
            post = _post(parts, item, recipe, page, notes, where, seen)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            notes.add(f"item cannot be read: {error}", where)
            continue
        if post is not None:
            read += 1
            yield post
            if post.url:
                yield LinkItem(post.url, "article")
    for name, times in seen.items():
        if read and not times and getattr(recipe, name):
            notes.add(f"shape changed: recipe.{name} finds nothing in any of {read} items", page.url)
    if top is not None and recipe.next and (following := resolve(page.url, parts.word(top, recipe.next, href=True))):
        yield LinkItem(following, "next page")
    yield from notes.drain()


def read_article(page: Page, recipe: ArticleRecipe) -> Iterator[Item]:
    """The page that an item leads to, as one post."""
    notes = Notes(page)
    top = _top(page, "html", notes)
    if top is not None:
        parts = _Html(page)
        body = parts.words(top, recipe.text)
        title = parts.word(top, recipe.title) if recipe.title else ""
        for name, value in (("title", title), ("text", body.text)):
            if getattr(recipe, name) and not value:
                notes.add(f"shape changed: recipe.article.{name} finds nothing", page.url)
        text = titled(one_line(title), body.text)
        told = next((e.get("href") for e in top.root.iter("link") if (e.get("rel") or "").lower() == "canonical"), None)
        own = resolve(page.url, told) or page.url
        author = one_line(parts.word(top, recipe.author)) if recipe.author else ""
        if text:
            yield PostItem(
                platform=PLATFORM,
                native_id=canonical(own),
                url=own,
                author=page.author(PLATFORM, f"{host_of(own)}/{author}") if author else None,
                text=text,
                published_at=notes.when(parts.time(top, recipe.time), f"{page.url}, published_at"),
                links=[link for link in body.links if link != own],
                media=body.media,
            )
    yield from notes.drain()


def _top(page: Page, form: str, notes: Notes) -> Selector | None:
    if form == "json":
        try:
            read_json(page)
        except NotJson as error:
            notes.add(str(error), page.url)
            return None
        return Selector(text=page.text.strip(), type="json")
    root = document(page.text)
    if root is None:
        notes.add("empty page", page.url)
        return None
    return Selector(root=root, type="html")


def _post(
    parts: _Html | _Json, item: Selector, recipe: Recipe, page: Page, notes: Notes, where: str, seen: dict[str, int]
) -> PostItem | None:
    url = resolve(page.url, parts.link(item, recipe.link))
    title = one_line(parts.title(item, recipe.title))
    body = parts.words(item, recipe.text) if recipe.text else Markup("")
    time = parts.time(item, recipe.time)
    author = one_line(parts.word(item, recipe.author)) if recipe.author else ""
    for name, value in (("title", title), ("text", body.text), ("time", time), ("author", author)):
        seen[name] += bool(value)
    text = titled(title, body.text)
    if not text:
        notes.add("item without title and text", where)
        return None
    return PostItem(
        platform=PLATFORM,
        native_id=canonical(url) if url else f"{canonical(page.url)}#{digest(text)[:16]}",
        url=url,
        author=page.author(PLATFORM, f"{host_of(url or page.url)}/{author}") if author else None,
        text=text,
        published_at=notes.when(time, f"{where}, published_at"),
        links=[link for link in body.links if link != url],
        media=body.media,
    )


class _Html:
    """Parts of an HTML page by CSS."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def all(self, top: Selector, css: str) -> list[Selector]:
        return list(top.css(css))

    def word(self, item: Selector, css: str, *, href: bool = False) -> str:
        """The first match: an attribute or text as it is, of an element its words, or where it leads."""
        for found in item.css(css)[:1]:
            if isinstance(found.root, str):
                return found.root
            return (self._href(found.root) or "") if href else str(found.root.text_content())
        return ""

    def words(self, item: Selector, css: str) -> Markup:
        """All matches as lines, with what they link to."""
        told = [
            Markup(tidy(found.root)) if isinstance(found.root, str) else read_element(found.root, self.page.url)
            for found in item.css(css)[:MOST_ITEMS]
        ]
        return Markup(
            "\n".join(part.text for part in told if part.text),
            unique(link for part in told for link in part.links),
            unique(picture for part in told for picture in part.media),
        )

    def time(self, item: Selector, css: str | None) -> str:
        for found in item.css(css)[:1] if css else []:
            if isinstance(found.root, str):
                return found.root
            inner = [found.root, *found.root.iter("time")]
            return next((e.get("datetime") for e in inner if e.get("datetime")), None) or one_line(
                found.root.get("content") or found.root.text_content()
            )
        return ""

    def link(self, item: Selector, css: str | None) -> str | None:
        return self.word(item, css, href=True) if css else self._href(item.root)

    def title(self, item: Selector, css: str | None) -> str:
        if css:
            return self.word(item, css)
        anchor = item.root if item.root.tag == "a" else next(item.root.iter("a"), None)
        return str(anchor.text_content()) if anchor is not None else ""

    @staticmethod
    def _href(element: Any) -> str | None:
        found: str | None = next((a.get("href") for a in element.iter("a") if a.get("href")), None)
        return found


class _Json:
    """Parts of a JSON body by JMESPath. A string that holds markup is read as such."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def all(self, top: Selector, path: str) -> list[Selector]:
        return [found for found in top.jmespath(path) if isinstance(found.root, dict)]

    def word(self, item: Selector, path: str, *, href: bool = False) -> str:
        told = item.jmespath(path).get()
        return "" if told is None or isinstance(told, (dict, list, bool)) else str(told)

    def words(self, item: Selector, path: str) -> Markup:
        told = self.word(item, path)
        return read_markup(told, self.page.url) if "<" in told else Markup(tidy(told))

    def time(self, item: Selector, path: str | None) -> str:
        return self.word(item, path) if path else ""

    def link(self, item: Selector, path: str | None) -> str | None:
        return self.word(item, path) if path else None

    def title(self, item: Selector, path: str | None) -> str:
        return self.word(item, path) if path else ""
