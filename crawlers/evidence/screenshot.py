"""Pictures of an exported folder's pages by Playwright: optional, and without any network: what the WARC records hold is all that is shown."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from .chain import BadEvidence

WIDTH, HEIGHT = 1280, 1600
MAX_PAGES = 200
LOAD_MS = 10_000
HOW = "--screenshot needs Playwright: pip install playwright, then playwright install chromium"


def find_browser() -> None:
    """Raises BadEvidence where Playwright is not installed."""
    if importlib.util.find_spec("playwright") is None:
        raise BadEvidence(HOW)


def photograph(folder: Path) -> list[str]:
    """`index.png` of the folder's page, and `screenshots/UUID.png` of each record that is an HTML page. Notes on what could not be shown.

    Raises BadEvidence where there is no browser.
    """
    from playwright.sync_api import Error, sync_playwright

    notes = []
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        try:
            index = (folder / "index.html").read_bytes()
            _take(browser, "http://evidence.invalid/", index, "text/html", folder / "index.png")
            for file in sorted((folder / "warc").iterdir())[:MAX_PAGES]:
                url, body, kind = _page_of(file)
                if "html" not in kind or not url.startswith("http"):
                    continue
                (folder / "screenshots").mkdir(exist_ok=True)
                to = folder / "screenshots" / f"{file.name.removesuffix('.warc.gz')}.png"
                try:
                    _take(browser, url, body, kind, to)
                except Error as error:
                    notes.append(f"{file.name}: no screenshot: {str(error).splitlines()[0]}")
        finally:
            browser.close()
    return notes


def _launch(playwright: Any) -> Any:
    """The system's Chromium, else Playwright's own."""
    from playwright.sync_api import Error

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        # Chromium cannot shut itself in as root.
        return playwright.chromium.launch(executable_path=program, chromium_sandbox=os.geteuid() != 0)
    except Error as error:
        raise BadEvidence(f"{HOW} ({str(error).splitlines()[0]})") from error


def _take(browser: Any, url: str, body: bytes, kind: str, to: Path) -> None:
    """No script runs and no other address is asked: the picture shows the archived bytes, without their styles and pictures."""
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": WIDTH, "height": HEIGHT}, service_workers="block", offline=False
    )
    try:

        def answer(route: Any) -> None:
            if route.request.url == url:
                route.fulfill(status=200, body=body, headers={"Content-Type": kind})
            else:
                route.abort()

        context.route("**/*", answer)
        page = context.new_page()
        page.goto(url, timeout=LOAD_MS, wait_until="load")
        page.screenshot(path=str(to), full_page=len(body) < 500_000)
    finally:
        context.close()


def _page_of(file: Path) -> tuple[str, bytes, str]:
    with file.open("rb") as opened:
        record = next(iter(ArchiveIterator(opened)))
        http = record.http_headers
        kind = (http.get_header("Content-Type") or "") if http else ""
        return record.rec_headers.get_header("WARC-Target-URI") or "", record.content_stream().read(), kind
