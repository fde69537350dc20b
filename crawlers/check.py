"""A look at a source before anyone relies on it: the very spider, guard and page objects, one page, and nothing kept."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.contracts import Claim, Gap, Post, unpack
from pipeline.ports import Record
from pipeline.settings import Settings
from pipeline.topology import CLAIMS, DELETIONS, GAPS, POSTS_RAW

from . import places, pseudonym
from .crawl import crawl
from .sources import Source

PAGES = {"sitemap": 3, "wordpress": 2, "discourse": 2, "forum": 2, "mastodon": 2, "recipe": 2}
"""Pages of a look where the first one may only lead to others (an index, a list of topics, an account's number); else one."""
_SCHEMAS = {POSTS_RAW: "post", CLAIMS: "claim", GAPS: "gap", DELETIONS: "deletion"}


@dataclass
class Finding:
    """What one source gave."""

    source: Source
    pages: int = 0
    posts: list[Post] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether it can be read: something came."""
        return bool(self.posts or self.claims)

    def as_dict(self, shown: int) -> dict[str, Any]:
        return {
            "id": self.source.id,
            "kind": self.source.kind,
            "url": self.source.url,
            "first": places.first(self.source.kind, self.source.url),
            "ok": self.good,
            "pages": self.pages,
            "posts": len(self.posts),
            "claims": len(self.claims),
            "gaps": [gap.cause for gap in self.gaps],
            "problems": self.problems,
            "preview": [post.model_dump(mode="json", include=_SHOWN, exclude_none=True) for post in self.posts[:shown]],
            "claims_preview": [claim.model_dump(mode="json", exclude_none=True) for claim in self.claims[:shown]],
        }


_SHOWN = {
    "platform", "native_id", "url", "author", "text", "published_at", "edited_at", "reply_to", "repost_of", "links", "media", "counts", "region",
}  # fmt: skip


class _Tray:
    """A log that only holds what is laid in it."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding

    def ensure(self, topics: Mapping[str, int]) -> None:
        pass

    def publish(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.topic not in _SCHEMAS:
                continue  # heartbeats: a look is no visit
            body = unpack(_SCHEMAS[record.topic], record.value)
            if isinstance(body, Post):
                self.finding.posts.append(body)
            elif isinstance(body, Gap):
                self.finding.gaps.append(body)
            elif isinstance(body, Claim):
                self.finding.claims.append(body)

    def close(self) -> None:
        pass


class _Ears(logging.Handler):
    """What the visit says of problems, which are no messages of the log."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(logging.WARNING)
        self.finding = finding

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage().removeprefix(f"{self.finding.source.id}: ")
        if said not in (gap.cause for gap in self.finding.gaps):
            self.finding.problems.append(said)


def look(settings: Settings, source: Source, pages: int | None = None) -> Finding:
    """Visit it once, in a folder of its own that is gone afterwards. Once per process. Raises OSError."""
    finding = Finding(source)
    key = pseudonym.key(settings)
    ears = _Ears(finding)
    crawl_log = logging.getLogger("jaga.crawl")
    propagated, crawl_log.propagate = crawl_log.propagate, False
    crawl_log.addHandler(ears)
    try:
        with tempfile.TemporaryDirectory(prefix="jaga-check-") as folder:
            seen = settings.model_copy(update={"home": Path(folder), "pseudonym_key": key.written()})
            once = source.model_copy(update={"max_pages": pages or PAGES.get(source.kind, 1)})
            tally = crawl(seen, [once], lambda: _Tray(finding))  # type: ignore[arg-type,return-value]
    finally:
        crawl_log.removeHandler(ears)
        crawl_log.propagate = propagated
    finding.pages = tally.counts.pages
    causes = {gap.cause for gap in finding.gaps}
    finding.problems = [said for said in finding.problems if said not in causes]
    return finding
