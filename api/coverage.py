"""How well each source is seen: what the coverage routes and page show."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from api import views
from api.house import House
from api.ids import MAX_ID_BYTES
from api.paging import slice_of
from api.problems import Problem
from api.queries import CoverageQuery
from pipeline.contracts import Heartbeat
from pipeline.coverage import STATES, state
from pipeline.documents import heartbeat_of
from pipeline.ports import BadSource, Document, Filter

log = logging.getLogger("jaga.api")

GAPS_SHOWN = 50
"""Gaps of one source beside its coverage, the newest first."""
TIMELINE = timedelta(days=7)
LOOK_BACK = timedelta(days=30)
"""A gap that began earlier than so long before the timeline is shown only while it is open."""
TIMELINE_GAPS = 1000
"""Gaps of the timeline, the newest first: more than a page can show apart."""
STRIPS = 40
"""Sources in the timeline; the worst come first."""
WIDTH = 1680
"""Units of the timeline: six minutes each."""
NARROWEST = 4
"""What a bar needs to be seen."""


def covered(house: House) -> list[views.SourceCoverage]:
    """Every source that was ever visited or is to be, the worst first. Raises RetryLater."""
    now = house.clock.now()
    listed = _listed(house)
    beats = house.beats()
    waiting = {name for name, one in listed.items() if one["enabled"] and name not in beats}
    made = [_one(name, beats.get(name), listed.get(name), now) for name in {*beats, *waiting}]
    return sorted(made, key=_rank)


def _listed(house: House) -> dict[str, Document]:
    """The registry's sources by id; without one, or where it cannot be read, only what was visited is known."""
    if house.sources is None:
        return {}
    try:
        return {str(one["id"]): one for one in house.sources.sources()}
    except BadSource as error:
        log.warning("the sources cannot be read: %s", error)
        return {}


def _one(name: str, beat: Heartbeat | None, entry: Document | None, now: datetime) -> views.SourceCoverage:
    return views.SourceCoverage(
        source=name,
        name=(beat.name if beat else "") or (entry["name"] if entry else ""),
        kind=beat.kind if beat else entry["kind"] if entry else "",
        # A source that the list does not know may be watched by a crawl from a file of its own.
        state=state(beat, now, on=entry is None or bool(entry["enabled"])),
        heartbeat=beat,
        posts_per_visit=round(beat.new / beat.visits, 2) if beat else None,
    )


def _rank(one: views.SourceCoverage) -> str:
    return f"{STATES.index(one.state)}{one.source}"


def sums(items: list[views.SourceCoverage]) -> views.CoverageSums:
    beats = [one.heartbeat for one in items if one.heartbeat and one.state != "off"]
    return views.CoverageSums(
        states=dict(Counter(one.state for one in items)),
        open_gaps=sum(len(beat.open_gaps) for beat in beats),
        newest_post_at=max((beat.newest_post_at for beat in beats if beat.newest_post_at), default=None),
    )


def listing(house: House, query: CoverageQuery) -> views.CoveragePage:
    """Raises RetryLater, and Problem (400) for a cursor that is none."""
    everything = covered(house)
    asked = [
        one
        for one in everything
        if (not query.state or one.state in query.state) and (not query.kind or one.kind in query.kind)
    ]
    question = f"coverage {sorted(query.state)} {sorted(query.kind)}"
    items, after = slice_of(asked, _rank, question=question, limit=query.limit, cursor=query.cursor)
    return views.CoveragePage(sums=sums(everything), items=items, next=after)


def detail(house: House, source: str) -> views.CoverageDetail:
    """Raises RetryLater, and Problem (404) for a source that was never visited and is not listed."""
    known = len(source.encode()) <= MAX_ID_BYTES
    document = house.store.get("heartbeats", [source]).get(source) if known else None
    entry = _listed(house).get(source)
    if document is None and entry is None:
        raise Problem("not-found", f"no source has the id {source[:100]!r}, or none was visited by that name")
    beat = heartbeat_of(document) if document else None
    hits = house.store.search("gaps", Filter(equals={"source": [source]}), sort="began_at", limit=GAPS_SHOWN)
    one = _one(source, beat, entry, house.clock.now())
    return views.CoverageDetail(**dict(one), gaps=[views.gap_item(hit.document) for hit in hits])


@dataclass(frozen=True)
class Bar:
    """One gap as drawn: `x` and `width` in units of WIDTH."""

    x: int
    width: int
    began_at: datetime
    ended_at: datetime | None
    cause: str

    @property
    def open(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True)
class Strip:
    """The gaps of one source within the timeline."""

    source: str
    gaps: tuple[Bar, ...]


def strips(house: House, items: list[views.SourceCoverage], now: datetime) -> tuple[list[Strip], list[datetime]]:
    """The gaps of the sources shown, in their order, and the days of the timeline: those of the reader's zone, that of `now` the last.

    Raises RetryLater.
    """
    until = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    begin = until - TIMELINE
    found: dict[tuple[str, datetime, str], datetime | None] = {}
    hits = house.store.search(
        "gaps", Filter(since={"began_at": begin - LOOK_BACK}), sort="began_at", limit=TIMELINE_GAPS
    )
    for gap in (views.gap_item(hit.document) for hit in hits):
        # One that nobody ended may have been given up unseen: only what the heartbeat still tells of is open.
        if gap.ended_at is not None:
            found[gap.source, gap.began_at, gap.cause] = gap.ended_at
    for one in items:
        for last in one.heartbeat.open_gaps if one.heartbeat and one.state != "off" else ():
            found[one.source, last.began_at, last.cause] = None
    bars: dict[str, list[Bar]] = {}
    for (source, began_at, cause), ended_at in sorted(found.items(), key=lambda entry: entry[0]):
        end = ended_at or now
        if end >= begin:
            x = _x(began_at, begin)
            bars.setdefault(source, []).append(Bar(x, max(NARROWEST, _x(end, begin) - x), began_at, ended_at, cause))
    order = [one.source for one in items if one.source in bars]
    return [Strip(source, tuple(bars[source])) for source in order], [begin + timedelta(days=n) for n in range(7)]


def _x(at: datetime, begin: datetime) -> int:
    return round(min(1.0, max(0.0, (at - begin) / TIMELINE)) * WIDTH)
