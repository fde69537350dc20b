from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pipeline.ports import SearchStore
from tests.api.small_store import fill, small_app
from tests.browser.live_app import serving
from tests.browser.screenshot import ARGS

WAIT_MS = 60_000
"""Longest wait for what an idle machine shows at once: a guard, not a promise."""
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on the path")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield found
        found.close()


@dataclass
class Visit:
    """A reader's tab, and everything that went wrong in it."""

    url: str
    page: Page
    store: SearchStore
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """Any error in the console, uncaught exception, refused script or style, or call to another host fails the test."""
    app, store, broker, _ = small_app(tmp_path)
    fill(store)
    with serving(app) as url:
        context = browser.new_context(locale="id-ID", timezone_id="UTC")
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        found = Visit(url, page, store)
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " (e) => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI));"
        )
        page.on("console", lambda m: found.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (found.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda r: None if r.url.startswith(url) else found.complaints.append(f"asked {r.url}"))
        yield found
        page.wait_for_timeout(100)
        context.close()
    store.close()
    broker.close()
    assert found.complaints == []
