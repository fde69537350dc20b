"""The API and the pages as one ASGI app."""

from __future__ import annotations

from pathlib import Path

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry
from starlette.staticfiles import StaticFiles

from api import openapi, problems
from api.house import Counts, House, Terms, reader
from api.metrics import Meter, PipelineCollector
from api.routes import alerts, claims, coverage, gaps, health, pages, posts, stats, stream
from api.routes import sources as sources_route
from api.shield import Shield
from api.tokens import load_tokens
from pipeline import analysis, conservation
from pipeline.ports import Broker, Clock, SearchStore, SourceRegistry
from pipeline.settings import Settings

PREFIX = "/api/v1"
STATIC = Path(__file__).with_name("dashboard") / "static"


def create_app(
    settings: Settings,
    store: SearchStore,
    broker: Broker,
    clock: Clock,
    *,
    terms: Terms = analysis.terms,
    counts: Counts = conservation.counts,
    sources: SourceRegistry | None = None,
) -> FastAPI:
    """API under `/api/v1`, pages under `/`. Store and broker stay the caller's to close.

    Raises BadSettings for a token that cannot be.
    """
    app = FastAPI(
        title="Jaga Ruang",
        version="1",
        description=openapi.DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        # Their pages load scripts from elsewhere, which our Content-Security-Policy rightly refuses.
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    house = House(settings, store, broker, clock, load_tokens(settings), terms, counts, sources)
    app.state.house = house
    app.state.streams = 0
    app.state.registry = CollectorRegistry()
    app.state.registry.register(PipelineCollector(house))
    app.add_middleware(Shield, meter=Meter(app.state.registry), prefix=PREFIX)
    problems.install(app, pages.as_page)

    guarded = [Depends(reader)]
    # `stream` before `alerts`, whose /alerts/{id} would take its path.
    routers = [module.router for module in (stream, alerts, posts, claims, gaps, coverage, sources_route, stats)]
    for router in routers:
        app.include_router(router, prefix=PREFIX, dependencies=guarded)
    for prefix in ("", PREFIX):
        # At the root for those who expect them there; described once.
        app.include_router(health.router, prefix=prefix, include_in_schema=bool(prefix))
        app.include_router(health.metrics, prefix=prefix, dependencies=guarded, include_in_schema=bool(prefix))
    app.include_router(pages.router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    openapi.describe(app, PREFIX, [*routers, health.router, health.metrics])
    return app
