"""Pages for people: the feed, one alert, the login. They show what the API answers, through the same queries."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse

from api import coverage, regions, statistics, views
from api.caching import tagged_bytes
from api.dashboard.wording import LANGUAGES, ZONES, Wording, is_web
from api.deletions import post_items
from api.house import COOKIE, House, HouseDep, house_of
from api.ids import Id, found
from api.paging import page
from api.problems import KINDS, Problem, bad_parameter
from api.queries import AlertQuery, CoverageQuery, alerts_where
from api.tokens import SESSION_S
from pipeline.coverage import STATES
from pipeline.ports import Filter, RetryLater

TEMPLATES = Path(__file__).parent.parent / "dashboard" / "templates"
FEED_ITEMS = 30
POSTS_ON_PAGE = 20
SOURCES_ON_PAGE = 200
MAX_FORM_BYTES = 10_000
PREFERENCE_S = 365 * 24 * 3600
PREFERENCES = {"lang": "jaga_lang", "zone": "jaga_zone"}
"""Query parameter -> cookie that remembers it."""

RULES = ("hoax", "provocation", "hate")
SORTS = ("last_seen_at", "opened_at", "reach", "score", "posts")
MACHINE_PATHS = ("/api/", "/static/", "/healthz", "/readyz", "/metrics", "/feed", "/coverage/items")

router = APIRouter()


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["web"] = is_web
    return environment


def _wording(request: Request) -> Wording:
    return Wording(
        *(request.query_params.get(name) or request.cookies.get(cookie, "") for name, cookie in PREFERENCES.items())
    )


def _render(request: Request, template: str, **values: Any) -> str:
    words = _wording(request)
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in PREFERENCES]
    other = next(language for language in LANGUAGES if language != words.language)
    return (
        _templates()
        .get_template(template)
        .render(
            w=words,
            say=words.say,
            zones={zone: "?" + urlencode([*query, ("zone", zone)]) for zone in ZONES},
            other_language=other,
            other_name=LANGUAGES[other],
            other_href="?" + urlencode([*query, ("lang", other)]),
            path=request.url.path,
            **values,
        )
    )


def _html(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    response = HTMLResponse(_render(request, template, **values), status_code=status)
    for name, cookie in PREFERENCES.items():
        value = request.query_params.get(name)
        if value in (LANGUAGES if name == "lang" else ZONES):
            response.set_cookie(cookie, value or "", max_age=PREFERENCE_S, httponly=True, samesite="strict")
    return response


def _enter(house: House, request: Request) -> None:
    """Raises Problem (401) without a session."""
    cookie = request.cookies.get(COOKIE, "")
    if house.tokens.check_session(cookie, house.clock.now()) is None:
        raise Problem("no-token", "log in first", headers={"WWW-Authenticate": 'Bearer realm="jaga", scope="read"'})


def as_page(request: Request, problem: Problem) -> Response | None:
    """A problem for a person: the login, or a page that says what is wrong. None for programs."""
    path = request.url.path
    if path.startswith(MACHINE_PATHS) or "text/html" not in request.headers.get("accept", ""):
        return None
    if problem.kind == "no-token":
        asked = path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(asked, safe='')}", status_code=303)
    heading, hint = {"unavailable": ("unavailable", "unavailable_hint"), "not-found": ("missing", "missing_hint")}.get(
        problem.kind, ("bad", None)
    )
    words = _wording(request)
    return _html(
        request,
        "problem.html",
        KINDS[problem.kind][0],
        heading=words.say(heading),
        hint=words.say(hint) if hint else problem.detail,
        retry=problem.kind == "unavailable",
        signed_in=house_of(request).tokens.check_session(request.cookies.get(COOKIE, ""), house_of(request).clock.now())
        is not None,
    )


# ---------------------------------------------------------------- the feed


def _query(request: Request) -> AlertQuery:
    """The filters of the form: empty fields do not count, nor do parameters that are the page's own."""
    asked: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if value == "" or name not in AlertQuery.model_fields:
            continue
        if name in ("status", "rule", "label", "region", "platform"):
            asked.setdefault(name, []).append(value)
        else:
            asked[name] = value
    asked["limit"] = FEED_ITEMS
    try:
        return AlertQuery.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise bad_parameter(str(first["loc"][0]), first["msg"]) from error


def _feed(house: House, request: Request) -> dict[str, Any]:
    query = _query(request)
    where = alerts_where(query, house.terms)
    hits, after = page(house.store, "alerts", where, sort=query.sort, limit=query.limit, cursor=query.cursor)
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor" and v]
    return {
        "alerts": [views.alert_item(hit.document) for hit in hits],
        "older": "/?" + urlencode([*kept, ("cursor", after)]) if after else None,
        "newest": "/?" + urlencode(kept) if query.cursor else None,
        "query": query,
        "filtered": any((query.status, query.rule, query.label, query.region, query.platform, query.q, query.since)),
    }


def _stats(house: House) -> views.Stats | None:
    """For the footer; a page with alerts is worth showing even if the sums fail."""
    try:
        return statistics.stats(house)
    except RetryLater:
        return None


@router.get("/", response_class=HTMLResponse)
def show_feed(house: HouseDep, request: Request) -> Response:
    _enter(house, request)
    stats = _stats(house)
    return _html(
        request,
        "feed.html",
        **_feed(house, request),
        stats=stats,
        rules=RULES,
        sorts=SORTS,
        provinces=regions.provinces(),
        platforms=sorted(house.store.terms("alerts", "platforms", Filter())),
    )


@router.get("/feed", response_class=HTMLResponse)
def show_feed_items(house: HouseDep, request: Request) -> Response:
    """The feed's items alone, tagged: what the page asks for every few seconds."""
    _enter(house, request)
    content = _render(request, "items.html", **_feed(house, request))
    return tagged_bytes(request, content.encode(), "text/html")


# ---------------------------------------------------------------- one alert


@router.get("/alerts/{alert_id}", response_class=HTMLResponse)
def show_alert(house: HouseDep, request: Request, alert_id: Id, cursor: str | None = None) -> Response:
    _enter(house, request)
    alert = views.alert_item(found(house.store, "alerts", alert_id, "alert"))
    where = Filter(equals={"narrative_id": [alert.narrative_id]})
    hits, after = page(house.store, "posts", where, sort="reach", limit=POSTS_ON_PAGE, cursor=cursor)
    return _html(
        request,
        "alert.html",
        alert=alert,
        posts=post_items(house.store, [hit.document for hit in hits]),
        more=f"?{urlencode({'cursor': after})}" if after else None,
        first=not cursor,
        stats=_stats(house),
    )


# ---------------------------------------------------------------- coverage


def _coverage(house: House, request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = {"limit": SOURCES_ON_PAGE}
    for name, value in request.query_params.multi_items():
        if value and name in ("state", "kind"):
            asked.setdefault(name, []).append(value)
        elif value and name == "cursor":
            asked[name] = value
    try:
        query = CoverageQuery.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise bad_parameter(str(first["loc"][0]), first["msg"]) from error
    found = coverage.listing(house, query)
    words = _wording(request)
    strips, days = coverage.strips(house, found.items, words.local(house.clock.now()))
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in ("cursor", *PREFERENCES) and v]
    return {
        "page": found,
        "query": query,
        "states": STATES,
        "strips": strips[: coverage.STRIPS],
        "more_strips": max(0, len(strips) - coverage.STRIPS),
        "days": [words.day(day) for day in days],
        "width": coverage.WIDTH,
        "older": "/coverage?" + urlencode([*kept, ("cursor", found.next)]) if found.next else None,
    }


@router.get("/coverage", response_class=HTMLResponse)
def show_coverage(house: HouseDep, request: Request) -> Response:
    _enter(house, request)
    follow = "/coverage/items" + (f"?{request.url.query}" if request.url.query else "")
    return _html(request, "coverage.html", **_coverage(house, request), items_href=follow, stats=_stats(house))


@router.get("/coverage/items", response_class=HTMLResponse)
def show_coverage_items(house: HouseDep, request: Request) -> Response:
    """The page's changing part alone, tagged."""
    _enter(house, request)
    content = _render(request, "coverage_items.html", **_coverage(house, request))
    return tagged_bytes(request, content.encode(), "text/html")


# ---------------------------------------------------------------- coming and going


@router.get("/login", response_class=HTMLResponse)
def show_login(request: Request) -> Response:
    return _login_page(request, request.query_params.get("next", "/"))


def _login_page(request: Request, target: str, status: int = 200, failed: str | None = None) -> Response:
    return _html(request, "login.html", status, target=_local(target), failed=failed)


@router.post("/login", response_class=HTMLResponse)
async def log_in(house: HouseDep, request: Request) -> Response:
    form = await _form(request)
    target = _local(form.get("next", "/"))
    if not _is_ours(request):
        return _login_page(request, target, 403, "login_foreign")
    token = await run_in_threadpool(house.tokens.find, form.get("token", "").strip())
    if token is None:
        return _login_page(request, target, 401, "login_failed")
    response = RedirectResponse(target, status_code=303)
    response.set_cookie(
        COOKIE,
        house.tokens.open_session(token, house.clock.now()),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/logout", response_class=HTMLResponse)
def log_out(request: Request) -> Response:
    response = RedirectResponse("/login", status_code=303)
    if _is_ours(request):
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _is_ours(request: Request) -> bool:
    """Whether a form was sent from our own page; clients that say nothing of it are no browsers and carry no cookies unasked."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def _local(target: str) -> str:
    """A path of ours to go on to; anything that a browser could read as another host becomes the feed."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise Problem("bad-parameter", f"a form of more than {MAX_FORM_BYTES} bytes")
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
