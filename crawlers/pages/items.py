"""What page objects give: posts, claims, links and problems, as `jaga parse` prints them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(slots=True)
class PostItem:
    """One public post. Times are RFC 3339 with the zone the page told, or the zone assumed where it told none."""

    type: ClassVar[str] = "post"
    platform: str
    native_id: str
    url: str | None = None
    author: str | None = None
    """A pseudonym, never an account's name."""
    text: str = ""
    """A title is its first line."""
    published_at: str | None = None
    edited_at: str | None = None
    reply_to: str | None = None
    repost_of: str | None = None
    links: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    public: bool = True
    """Whether everyone may read it where it stands. What a payload holds for followers alone is read for who saved it, and never published."""


@dataclass(slots=True)
class ClaimItem:
    """A fact-checked statement. `date` may be a bare day, as most fact-checkers write it."""

    type: ClassVar[str] = "claim"
    claim_id: str
    text: str
    rating: str | None = None
    publisher: str | None = None
    url: str | None = None
    date: str | None = None


@dataclass(slots=True)
class LinkItem:
    """Where to go on: `why` is next page, article, sitemap, topic or posts."""

    type: ClassVar[str] = "link"
    url: str
    why: str


@dataclass(slots=True)
class ProblemItem:
    """Something that could not be read; the rest of the page was."""

    type: ClassVar[str] = "problem"
    what: str
    where: str


@dataclass(slots=True)
class GoneItem(ProblemItem):
    """A post that its platform says for certain is there no more. `what` says how it was seen."""

    platform: str = ""
    native_id: str = ""


Item = PostItem | ClaimItem | LinkItem | ProblemItem


def as_dict(item: Item) -> dict[str, Any]:
    """Its fields as they are printed: whether it is public is told by a problem beside it."""
    if isinstance(item, GoneItem):
        return {"type": item.type, "what": f"deleted: {item.native_id}", "where": item.where}
    return {"type": item.type, **{name: value for name, value in asdict(item).items() if name != "public"}}


def as_json(item: Item) -> str:
    """One line of JSON."""
    return json.dumps(as_dict(item), ensure_ascii=False)
