"""The things of the small web: accounts, statuses, topics, articles. Plain data, no HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

WIB = timezone(timedelta(hours=7), "WIB")
WEEK_STARTS_AT = datetime(2026, 11, 16, tzinfo=WIB)
WEEK_ENDS_AT = datetime(2026, 11, 22, 23, 30, tzinfo=WIB)

# Path prefix on the one loopback origin -> invented public host that canonical addresses name. `.example`
# never resolves (RFC 2606), so an address of the demo cannot be mistaken for anybody's.
HOSTS = {
    "cekfakta": "cekfakta.example",
    "kabarnusa": "kabarnusa.example",
    "wartapesisir": "wartapesisir.example",
    "mikro": "mikro.example",
    "forum": "wargakita.example",
}

# Kinds whose posts carry a story that deserves an alert; the same words as `truth()` uses.
ALERT_KINDS = frozenset({"hoax", "provocation", "hate"})


@dataclass(frozen=True)
class Meaning:
    """What an item is: its kind, the narrative and the claim (canonical URL of the fact-check) it belongs
    to."""

    kind: str = "ordinary"
    narrative: str | None = None
    claim: str | None = None

    @property
    def alert(self) -> bool:
        return self.kind in ALERT_KINDS and self.narrative is not None


@dataclass(frozen=True)
class Account:
    """An invented microblog account; `host` differs from mikro.example for remote ones."""

    id: str
    handle: str
    name: str
    host: str
    region: str
    role: str
    note: str

    @property
    def acct(self) -> str:
        return self.handle if self.host == HOSTS["mikro"] else f"{self.handle}@{self.host}"


@dataclass
class Status:
    """One microblog status. `at` is an aware datetime of the unshifted week; ids are made from it and
    never change."""

    id: str
    uri: str
    url: str
    account: Account
    text: str
    at: datetime
    meaning: Meaning
    language: str | None = "id"
    reply_to: Status | None = None
    reblog: Status | None = None
    edited_at: datetime | None = None
    media: str = ""
    favourites: int = 0
    reblogs: int = 0
    replies: int = 0
    absurd_at: str = ""


@dataclass
class Comment:
    """One forum post; `number` counts from 1 inside its topic, `id` over the whole forum."""

    id: int
    number: int
    author: str
    text: str
    at: datetime
    meaning: Meaning
    reply_to: int | None = None
    likes: int = 0


@dataclass
class Topic:
    id: int
    slug: str
    title: str
    category: str
    comments: list[Comment] = field(default_factory=list)
    views: int = 0

    def native_id(self, comment: Comment) -> str:
        return f"https://{HOSTS['forum']}/t/{self.slug}/{self.id}/{comment.number}"


@dataclass
class Article:
    """A page of a news or fact-check site. `path` is site-relative, e.g. `2026/11/16/slug/`."""

    id: int
    site: str
    path: str
    title: str
    body: list[str]
    at: datetime
    meaning: Meaning
    section: str = "berita"
    author: str = "Redaksi"
    ugly: str = ""
    claim: str = ""
    rating: str = ""

    @property
    def canonical(self) -> str:
        return f"https://{HOSTS[self.site]}/{self.path}"


@dataclass
class World:
    """Everything the small web says. Statuses are oldest first; articles by site, oldest first."""

    accounts: list[Account]
    statuses: list[Status]
    topics: list[Topic]
    articles: dict[str, list[Article]]


def utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
