"""The next page of an article that its site cut into several."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .address import canonical, resolve
from .text import one_line

_ONWARD = {
    "selanjutnya", "halaman selanjutnya", "baca selanjutnya", "baca halaman selanjutnya", "halaman berikutnya", "halaman berikut", "berikutnya", "lanjut",
    "next", "next page", ">", "›", "»", "→",
}  # fmt: skip
_ARROWS = " \t<>‹›«»→←|"
_PAGE_PARAMETERS = {"page", "hal", "halaman", "p", "paged", "pg"}
_WHOLE_PARAMETERS = {("page", "all"), ("showpage", "all"), ("single", "1"), ("show", "all"), ("view", "all")}
_MAY_BE_PAGE = re.compile(r"[?&](page|hal|halaman|p|paged|pg|showpage|single|show|view)=", re.I)
_MOST_PAGES = 200


def next_page(root: Any, url: str, here: str) -> str | None:
    """Of the article at `url`, whose page at `here` was read: the page that follows, by its number or by what its link says; else the page
    with the whole of it, where a site offers that alone. `rel=next` leads to the next article of a blog as well, and links in lists to
    their next page: only addresses under the article's own count."""
    own = _bare(url)
    if _is_whole(here):
        return None
    number = _number_in(here) or 1
    numbered: str | None = None
    whole: str | None = None
    for link in root.iter("link", "a"):
        said = (link.text_content() if len(link) else link.text) if link.tag == "a" else None
        onward = _leads_on(link, said)
        if not (onward or (said and said.strip().isdigit()) or _MAY_BE_PAGE.search(link.get("href") or "")):
            continue
        following = resolve(here, link.get("href"))
        if (
            following is None
            or not _is_under(own, following)
            or canonical(following) in (canonical(url), canonical(here))
        ):
            continue
        if _is_whole(following):
            whole = whole or following
        elif onward:
            return following
        elif link.tag == "a" and _number_of(said, link, following) == number + 1:
            numbered = numbered or following
    return numbered or whole


def _leads_on(link: Any, said: str | None) -> bool:
    """Whether it calls itself the next page. A news page has hundreds of links that do not: each gets a cheap look first."""
    for marks in (link.get("rel"), link.get("class")):
        if marks and "next" in marks and "next" in marks.split():
            return True
    if not said or len(said) > 200:
        return False
    words = one_line(said).casefold()
    return words in _ONWARD or words.strip(_ARROWS) in _ONWARD


def _number_of(said: str | None, link: Any, address: str) -> int | None:
    """The number that a link to a page shows, or tells beside, or has in its address."""
    for told in (said, link.get("data-page"), link.get("data-ci-pagination-page")):
        if told and (told := told.strip()).isdigit() and len(told) < 4:
            return int(told)
    return _number_in(address)


def _number_in(address: str) -> int | None:
    for name, value in parse_qsl(urlsplit(address).query):
        if name.casefold() in _PAGE_PARAMETERS and value.isdigit() and 0 < int(value) <= _MOST_PAGES:
            return int(value)
    return None


def _is_whole(address: str) -> bool:
    return any(
        (name.casefold(), value.casefold()) in _WHOLE_PARAMETERS for name, value in parse_qsl(urlsplit(address).query)
    )


def _bare(address: str) -> str:
    return canonical(address).partition("?")[0].partition("//")[2].rstrip("/")


def _is_under(own: str, address: str) -> bool:
    told = canonical(address).partition("//")[2]
    rest = told[len(own) :]
    return told.startswith(own) and bool(re.match(r"/?\?|/.", rest)) and "comment" not in rest
