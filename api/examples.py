"""Invented answers for the API's description, built from the types themselves so that they cannot drift from them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from api import views
from api.problems import KINDS, ParameterError, Problem, body_of
from pipeline.contracts import Alert, Claim, ClaimMatch, Evidence, Gap, Heartbeat, Post, Reason, Verdict

_SEEN = datetime(2024, 11, 24, 3, 12, tzinfo=UTC)
_FETCHED = datetime(2024, 11, 24, 3, 15, 9, tzinfo=UTC)
MODEL = "jaga-e5-small-int8-5f0c2d11"

CLAIM = Claim(
    claim_id="cek-fakta-lestari-118",
    text="Surat suara di gudang KPU Kota Surabaya sudah tercoblos sebelum hari pemungutan.",
    rating="Salah",
    publisher="Cek Fakta Lestari",
    url="https://cekfakta-lestari.example/surat-suara-tercoblos",
    date=datetime(2024, 11, 23, 9, 0, tzinfo=UTC),
)

POST = Post(
    platform="mastodon",
    native_id="https://kabarwarga.example/@w-17/1134",
    url="https://kabarwarga.example/@w-17/1134",
    text="SEBARKAN! Gudang KPU Surabaya penuh surat suara yg udah dicoblos duluan",
    author="a3f19c02be7740d1",
    published_at=_SEEN,
    fetched_at=_FETCHED,
    counts={"likes": 40, "reposts": 88, "replies": 12, "views": 5100},
    source="kabarwarga",
    region="35.78",
    evidence=Evidence(
        warc="2024-11-24/kabarwarga-00003.warc.gz",
        record_id="<urn:uuid:6a1f2b1e-8d0c-4a53-9d1b-0f3c6f1d2e11>",
        sha256="9f2c" * 16,
    ),
)

VERDICT = Verdict(
    post_id=POST.id,
    revision=POST.revision,
    model=MODEL,
    scores={"abusive": 0.03, "hate": 0.02, "provocation": 0.06},
    decisions={"abusive": "no", "hate": "no", "provocation": "no"},
    claims=(ClaimMatch(claim_id=CLAIM.claim_id, score=0.94, decision="yes", stance="spreads"),),
    reasons=(Reason(label="hoax", text="surat suara yg udah dicoblos duluan"),),
    claims_version=118,
    judged_at=datetime(2024, 11, 24, 3, 15, 11, tzinfo=UTC),
)

ALERT = Alert(
    id="al-5b1d7c20e9f4",
    narrative_id="n-5b1d7c20e9f4",
    rule="hoax",
    labels=("hoax",),
    headline="Surat suara di gudang KPU Kota Surabaya sudah tercoblos",
    reasons=(
        'Menyebarkan klaim yang sudah diperiksa oleh Cek Fakta Lestari ("Salah").',
        "14 unggahan oleh 9 akun di forum (5), mastodon (9); 612 tanggapan warganet.",
    ),
    claim=CLAIM,
    score=0.94,
    posts=14,
    authors=9,
    reach=612,
    platforms=("mastodon", "forum"),
    regions=("35", "35.78"),
    first_seen_at=datetime(2024, 11, 24, 0, 40, tzinfo=UTC),
    last_seen_at=_SEEN,
    opened_at=datetime(2024, 11, 24, 0, 43, tzinfo=UTC),
    updated_at=_FETCHED,
    version=6,
    models=(MODEL,),
    post_ids=(POST.id,),
)

GAP = Gap(
    source="kabarwarga",
    began_at=datetime(2024, 11, 23, 18, 2, tzinfo=UTC),
    ended_at=datetime(2024, 11, 23, 18, 47, tzinfo=UTC),
    cause="503 from the server",
)

ALERT_ITEM = views.AlertItem(**ALERT.model_dump(), region_names=["Kota Surabaya"])
POST_FIELDS: dict[str, Any] = views.post_fields(
    {
        "post": POST.model_dump(),
        "verdict": VERDICT.model_dump(),
        "labels": ["hoax"],
        "regions": ["35", "35.78"],
        "claim_id": CLAIM.claim_id,
        "narrative_id": ALERT.narrative_id,
    }
)
POST_ITEM = views.PostItem(**POST_FIELDS)
POST_DETAIL = views.PostDetail(**POST_FIELDS, verdicts=[VERDICT])
ALERT_DETAIL = views.AlertDetail(
    **ALERT_ITEM.model_dump(), widest_posts=[POST_ITEM], posts_url=views.posts_url(ALERT.id)
)
EVIDENCE = views.EvidencePointer(
    **(POST.evidence.model_dump() if POST.evidence else {}), post_id=POST.id, url=POST.url, fetched_at=POST.fetched_at
)
ALERTS = views.AlertPage(items=[ALERT_ITEM], next="WyI1YjFkN2MyMGU5ZjQiLDE3MzI0MTc5MjAsImFsLTViMSJd")
POSTS = views.PostPage(items=[POST_ITEM], next=None)
CLAIMS = views.ClaimPage(items=[CLAIM], next=None)
GAPS = views.GapPage(items=[views.GapItem(**GAP.model_dump(), gap_id=GAP.id)], next=None)
HEARTBEAT = Heartbeat(
    source="kabarwarga",
    kind="mastodon",
    name="Kabar Warga",
    cadence_s=300,
    slowest_s=2400,
    visited_at=_FETCHED,
    seen_at=_FETCHED,
    whole_at=_FETCHED,
    new_at=_FETCHED,
    newest_post_at=_SEEN,
    visits=20,
    pages=23,
    posts=41,
    new=36,
    problems=1,
    delay_median_s=74,
    delay_p95_s=212,
    delays=36,
)
COVERED = views.SourceCoverage(
    source="kabarwarga", name="Kabar Warga", kind="mastodon", state="healthy", heartbeat=HEARTBEAT, posts_per_visit=1.8
)
COVERAGE = views.CoveragePage(
    sums=views.CoverageSums(states={"healthy": 1}, open_gaps=0, newest_post_at=_SEEN), items=[COVERED], next=None
)
COVERAGE_DETAIL = views.CoverageDetail(**dict(COVERED), gaps=GAPS.items)
SOURCE_DETAIL = views.SourceDetail(
    source=views.SourceItem(
        id="kabarwarga",
        kind="mastodon",
        url="https://kabarwarga.example/api/v1/timelines/public",
        name="Kabar Warga",
        region=["35"],
        cadence_s=300,
        legal_basis="public timeline; terms of the server allow reading by robots",
        enabled=True,
        origin="file",
    ),
    edits=[
        views.SourceEdit(
            number=3,
            at=_FETCHED,
            who="sari",
            source="kabarwarga",
            act="on",
            fields={"enabled": True},
            was={"enabled": False},
            why="campaign week in Jawa Timur",
        )
    ],
)
SOURCES = views.SourcePage(items=[SOURCE_DETAIL.source], next=None)
NEW_SOURCE = {
    "fields": {"id": "kabar-kota", "kind": "feed", "url": "https://kabar-kota.example/rss", "region": ["35.78"]},
    "why": "asked for by the desk of Jawa Timur",
}
SOURCE_EDIT = {"fields": {"enabled": True}, "why": "campaign week in Jawa Timur"}
STATS = views.Stats(
    conservation=views.Conservation(
        **{"in": 641}, indexed=622, duplicate=15, dead=3, discarded=1, lag=0, balanced=True
    ),
    stages={
        "judge": {
            "posts.raw.v1": views.StageProgress(
                logged=641, lag=0, outcomes={"dead": 4, "duplicate": 15, "indexed": 622}
            )
        }
    },
    alerts=views.AlertCounts(by_rule={"hoax": 3, "provocation": 1, "hate": 1}, by_status={"new": 5}),
    posts=622,
    claims=118,
    gaps=1,
    labels={"hoax": 57, "abusive": 31, "provocation": 12},
)
TIMELINE = views.Timeline(
    of="posts",
    interval="hour",
    split="label",
    since=datetime(2024, 11, 17, 4, tzinfo=UTC),
    until=datetime(2024, 11, 24, 4, tzinfo=UTC),
    points=[views.Point(at=datetime(2024, 11, 24, 3, tzinfo=UTC), value="hoax", count=6)],
)
HEALTH = views.Health(status="alive")
READY = views.Ready(status="ready", store="SQLite 3.46 at var/store.db", log="SQLite 3.46 at var/log.db")
STREAM = (
    f"id: 2024-11-24T03:15:09+00:00\nevent: alert\ndata: {json.dumps({'id': ALERT.id, 'version': ALERT.version})}\n\n"
)

_PROBLEMS = {
    "bad-parameter": Problem(
        "bad-parameter",
        "limit: Input should be less than or equal to 200",
        errors=[
            ParameterError(parameter="limit", where="query", detail="Input should be less than or equal to 200"),
        ],
    ),
    "no-token": Problem("no-token", "the token in the Authorization header is not in force"),
    "forbidden": Problem("forbidden", "this token lacks the scope `sources`"),
    "not-found": Problem("not-found", "no alert has the id 'al-000000000000'"),
    "bad-method": Problem("bad-method", "this method is not served here"),
    "unavailable": Problem("unavailable", "Elasticsearch does not answer; try again in 5 s"),
    "internal": Problem("internal", "this was logged; the answer holds no more about it"),
}


def problem(kind: str, path: str = "/api/v1/alerts") -> dict[str, Any]:
    """An example body of that kind; every kind has one."""
    return body_of(_PROBLEMS[kind], path)


def plain(example: BaseModel) -> Any:
    return json.loads(example.model_dump_json(by_alias=True))


assert _PROBLEMS.keys() == KINDS.keys()  # noqa: S101 - a kind without an example is a mistake of ours
