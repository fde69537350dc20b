"""A small stored world for tests of the API: real SQLite store and log, a clock that stands still, invented posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from api.app import create_app
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.contracts import (
    Alert,
    Claim,
    ClaimMatch,
    Evidence,
    Gap,
    Heartbeat,
    Judged,
    OpenGap,
    Post,
    Reason,
    Verdict,
)
from pipeline.documents import alert_document, claim_document, gap_write, heartbeat_write, post_document, verdict_write
from pipeline.ports import BadSource, Broker, Document, NoSuchSource, SearchStore, Write
from pipeline.settings import Settings
from pipeline.topology import TOPICS

NOW = datetime(2024, 11, 24, 9, 30, tzinfo=UTC)
TOKEN = "rahasia-uji-1234567890"
OTHER_TOKEN = "rahasia-lain-0987654321"
MODEL = "m-uji-1"


class StandingClock:
    def __init__(self, now: datetime = NOW) -> None:
        self.at = now
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        # Every look is 10 s later: nothing that is kept for a second outlives it.
        self.seconds += 10
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


CLAIM = Claim(
    claim_id="cek-118",
    text="Surat suara di gudang KPU Kota Surabaya sudah tercoblos",
    rating="Salah",
    publisher="Cek Fakta Lestari",
    url="https://cekfakta-lestari.example/surat-suara",
    date=NOW - timedelta(days=1),
)


def post(number: int, text: str = "", **changes: object) -> Post:
    values: dict[str, object] = {
        "platform": "mastodon" if number % 2 else "forum",
        "native_id": f"kabar-{number}",
        "text": text or f"Gudang KPU Surabaya penuh surat suara tercoblos, sebarkan! ({number})",
        "fetched_at": NOW,
        "published_at": NOW - timedelta(minutes=7 * number),
        "url": f"https://kabarwarga.example/{number}",
        "author": f"{number:016x}",
        "counts": {"likes": number % 5, "reposts": number % 3},
        "evidence": Evidence(warc="2024-11-24/kabar-1.warc.gz", record_id=f"<urn:uuid:{number}>", sha256="ab" * 32),
    }
    return Post(**(values | changes))  # type: ignore[arg-type]


def verdict(of: Post, *labels: str, model: str = MODEL, at: datetime = NOW, claims_version: int = 1) -> Verdict:
    decisions = {name: "yes" if name in labels else "no" for name in ("abusive", "hate", "provocation")}
    hoax = "hoax" in labels
    return Verdict(
        post_id=of.id,
        revision=of.revision,
        model=model,
        scores={name: 0.91 if name in labels else 0.04 for name in decisions},
        decisions=decisions,  # type: ignore[arg-type]
        claims=(ClaimMatch(claim_id=CLAIM.claim_id, score=0.93, decision="yes", stance="spreads"),) if hoax else (),
        reasons=tuple(Reason(label=label, text=of.text[:30]) for label in labels),
        claims_version=claims_version,
        judged_at=at,
    )


def alert(number: int, **changes: object) -> Alert:
    at = NOW - timedelta(minutes=10 * number)
    values: dict[str, object] = {
        "id": f"a{number:04d}",
        "narrative_id": f"n{number:04d}",
        "rule": ("hoax", "provocation", "hate")[number % 3],
        "labels": (("hoax", "provocation", "hate")[number % 3],),
        "headline": f"Surat suara tercoblos nomor {number}",
        "reasons": ("Menyebarkan klaim yang sudah diperiksa.", "3 unggahan oleh 3 akun."),
        "claim": CLAIM if number % 3 == 0 else None,
        "score": 0.9,
        "posts": 3,
        "authors": 3,
        "reach": number // 2,
        "platforms": ("mastodon",) if number % 2 else ("forum", "mastodon"),
        "regions": ("35", "35.78") if number % 2 else ("32",),
        "first_seen_at": at - timedelta(hours=1),
        "last_seen_at": at,
        "opened_at": at - timedelta(minutes=30),
        "updated_at": at,
        "version": 1,
        "models": (MODEL,),
        "post_ids": (),
    }
    return Alert(**(values | changes))  # type: ignore[arg-type]


def alert_writes(made: Alert) -> list[Write]:
    return [Write("alerts", made.id, alert_document(made))]


def post_writes(made: Post, narrative: str | None, *labels: str, regions: Sequence[str] = ()) -> list[Write]:
    judged = Judged(post=made, verdict=verdict(made, *labels), regions=tuple(regions), logged_at=NOW)
    return [Write("posts", made.id, post_document(judged, narrative)), verdict_write(judged.verdict)]


def claim_writes(claim: Claim, seq: int) -> list[Write]:
    return [Write("claims", claim.claim_id, claim_document(claim, seq))]


def gap_writes(source: str, hours_ago: int) -> list[Write]:
    began_at = NOW - timedelta(hours=hours_ago)
    return [gap_write(Gap(source=source, began_at=began_at, ended_at=NOW, cause="503"))]


def beat(source: str, minutes_ago: float = 5, **changes: object) -> Heartbeat:
    at = NOW - timedelta(minutes=minutes_ago)
    values: dict[str, object] = {
        "source": source,
        "kind": "feed",
        "name": f"Kabar {source}",
        "cadence_s": 900,
        "slowest_s": 7200,
        "visited_at": at,
        "seen_at": at,
        "whole_at": at,
        "new_at": at,
        "newest_post_at": at - timedelta(minutes=3),
        "visits": 20,
        "pages": 25,
        "posts": 40,
        "new": 30,
        "delay_median_s": 95,
        "delay_p95_s": 410,
        "delays": 30,
    }
    return Heartbeat(**(values | changes))  # type: ignore[arg-type]


def put_all(store: SearchStore, writes: Sequence[Write]) -> None:
    for written in store.put(writes):
        assert written.outcome == "stored", written.cause
    store.refresh()


def put_alert(store: SearchStore, made: Alert) -> None:
    put_all(store, alert_writes(made))


def put_post(store: SearchStore, made: Post, narrative: str | None, *labels: str, regions: Sequence[str] = ()) -> None:
    put_all(store, post_writes(made, narrative, *labels, regions=regions))


def open_small(home: Path) -> tuple[Settings, SearchStore, Broker]:
    settings = Settings(home=home, api_tokens=f"{TOKEN},{OTHER_TOKEN}", _env_file=None)
    store, broker = SqliteStore(settings.store_file), SqliteBroker(settings.log_file)
    store.prepare()
    broker.ensure(TOPICS)
    return settings, store, broker


def fill(store: SearchStore, alerts: int = 25) -> None:
    """Alerts 0 .. n-1, the newest first; alert 0 has 45 posts, of which many share a reach."""
    writes: list[Write] = []
    for number in range(alerts):
        writes += alert_writes(alert(number))
    for number in range(45):
        writes += post_writes(post(number), "n0000", "hoax", regions=("35", "35.78"))
    writes += post_writes(post(100, "Cuaca cerah di Bandung hari ini"), None, regions=("32", "32.73"))
    writes += claim_writes(CLAIM, 1)
    writes += claim_writes(Claim(claim_id="https://cek.example/a/b?c=1", text="Libur nasional dibatalkan"), 2)
    writes += gap_writes("kabarwarga", 5) + gap_writes("forum-kota", 30)
    writes += [
        heartbeat_write(one)
        for one in (
            beat("kabarwarga"),
            beat("forum-kota", 300),
            beat("saluran", failures=3, open_gaps=(OpenGap(began_at=NOW - timedelta(hours=5), cause="HTTP 503"),)),
            beat("lama", 60 * 24 * 9),
        )
    ]
    put_all(store, writes)


def small_app(home: Path) -> tuple[FastAPI, SearchStore, Broker, StandingClock]:
    settings, store, broker = open_small(home)
    clock = StandingClock()
    return create_app(settings, store, broker, clock, sources=Listed()), store, broker, clock


class Listed:
    """A registry of two sources that cannot be edited: of one that is visited, and of one that is off."""

    broken = False

    def sources(self) -> list[Document]:
        if self.broken:
            raise BadSource("sources.yaml: not YAML")
        told = {"kind": "feed", "region": ["35"], "cadence_s": 900.0, "legal_basis": "", "origin": "file"}
        return [
            told | {"id": name, "name": f"Daftar {name}", "url": f"https://{name}.example/rss", "enabled": on}
            for name, on in (("saluran", True), ("mati-lampu", False))
        ]

    def source(self, name: str) -> Document:
        for one in self.sources():
            if one["id"] == name:
                return one | {"edits": []}
        raise NoSuchSource(f"no source {name!r}")

    def add(self, fields: Mapping[str, Any], *, who: str, why: str) -> Document:
        raise NotImplementedError

    def change(self, name: str, fields: Mapping[str, Any], *, who: str, why: str) -> Document:
        raise NotImplementedError

    def edits(self, name: str | None = None) -> list[Document]:
        raise NotImplementedError
