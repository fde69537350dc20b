"""Fact-check APIs to claims: Google's claims:search and Mafindo's anti-hoax API, a whole answer or one element of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import claimreview
from .address import canonical, host_of, with_query, with_scheme
from .items import ClaimItem, Item, LinkItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import clean, one_line

_CLAIM_CHARS = 5000
"""Longest claim that the contract takes."""
_MAFINDO = "turnbackhoax.id"
_MAFINDO_PUBLISHER = "TurnBackHoax (Mafindo)"


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    try:
        told = read_json(page)
    except NotJson as error:
        notes.add(str(error), with_query(page.url))
        yield from notes.drain()
        return
    if isinstance(told, dict) and "error" in told:
        refusal = told["error"]
        notes.add(
            f"refused by the API: {one_line(refusal.get('message') if isinstance(refusal, dict) else refusal)}",
            with_query(page.url),
        )
    else:
        elements = _elements(told)
        if elements is None:
            notes.add("shape changed: no claims", with_query(page.url))
        used: dict[str, int] = {}
        for number, element in enumerate(elements or [], start=1):
            where = f"claim {number}"
            try:
                if isinstance(element, dict) and "claimReview" in element:
                    yield from _unlike(_google(element, page, notes, where), used)
                elif isinstance(element, dict) and ("item" in element or "@type" in element):
                    # ClaimReview's feed of Data Commons.
                    yield from _unlike(claimreview.from_blocks([element], page, notes), used)
                elif isinstance(element, dict) and ("classification" in element or "tanggal" in element):
                    yield from _mafindo(element, page, notes, where)
                else:
                    notes.add("shape changed: neither Google's claim nor Mafindo's", where)
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                notes.add(f"claim cannot be read: {error}", where)
        if isinstance(told, dict) and isinstance(told.get("nextPageToken"), str) and told["nextPageToken"]:
            yield LinkItem(with_query(page.url, pageToken=told["nextPageToken"]), "next page")
    yield from notes.drain()


def _unlike(claims: Iterator[ClaimItem], used: dict[str, int]) -> Iterator[ClaimItem]:
    """A review of several statements is one address: each further one gets a number."""
    for claim in claims:
        nth = used[claim.claim_id] = used.get(claim.claim_id, 0) + 1
        if nth > 1:
            claim.claim_id += f"#{nth}"
        yield claim


def _elements(told: Any) -> list[Any] | None:
    if isinstance(told, list):
        return told
    if not isinstance(told, dict):
        return None
    for name in ("claims", "data", "results", "dataFeedElement"):
        if isinstance(told.get(name), list):
            return list(told[name])
    # An empty answer of claims:search is an empty object.
    return [told] if told else []


def _google(claim: dict[str, Any], page: Page, notes: Notes, where: str) -> Iterator[ClaimItem]:
    """https://developers.google.com/fact-check/tools/api/reference/rest/v1alpha1/claims"""
    reviews = claim["claimReview"]
    if not isinstance(reviews, list) or not reviews:
        notes.add("claim without review", where)
        return
    for number, review in enumerate(reviews, start=1):
        place = where if len(reviews) == 1 else f"{where}, review {number}"
        url = with_scheme(page.url, review.get("url"))
        text = one_line(claim.get("text")) or one_line(review.get("title"))
        if url is None or not text:
            notes.add("review without address" if url is None else "claim without text", place)
            continue
        publisher = review.get("publisher") if isinstance(review.get("publisher"), dict) else {}
        yield ClaimItem(
            claim_id=canonical(url),
            text=text,
            rating=one_line(review.get("textualRating")) or None,
            publisher=one_line(publisher.get("name")) or one_line(publisher.get("site")) or host_of(url),
            url=canonical(url),
            date=notes.day(review.get("reviewDate") or claim.get("claimDate"), f"{place}, date"),
        )


def _mafindo(item: dict[str, Any], page: Page, notes: Notes, where: str) -> Iterator[Item]:
    """All values are strings, ids included. `content` is the claim, `fact` and `conclusion` the correction."""
    native = clean(item.get("id")).strip()
    text = one_line(item.get("content"))
    if not text or len(text) > _CLAIM_CHARS:
        text = re.sub(r"^\[[^\]]{1,40}\]\s*", "", one_line(item.get("title")))
    if not native or not text:
        notes.add("item without id or text", where)
        return
    title = one_line(item.get("title"))
    told = title[1 : title.index("]")] if title.startswith("[") and "]" in title else ""
    url = with_scheme(page.url, item.get("url") or item.get("link")) if item.get("url") or item.get("link") else None
    yield ClaimItem(
        claim_id=f"{_MAFINDO}/{native}",
        text=text,
        rating=one_line(item.get("classification")) or one_line(told) or None,
        publisher=_MAFINDO_PUBLISHER,
        url=url,
        date=notes.day(item.get("tanggal"), f"{where}, date"),
    )
