"""Make the pictures of the README from a running instance.

    python -m tests.browser.screenshot --url http://127.0.0.1:8000 --token TOKEN --out docs/screenshot.png [--alert FILE]

Needs Chromium on the path. The token is typed into the login form, as a person would.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""A browser that calls nobody but us."""


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def log_in(page: Page, url: str, token: str) -> None:
    page.goto(f"{url}/login")
    page.fill("#token", token)
    page.click("main button")
    page.wait_for_selector("#items")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--token", required=True)
    parser.add_argument("--out", type=Path, required=True, help="picture of the feed")
    parser.add_argument("--alert", type=Path, help="picture of the first alert, opened")
    parser.add_argument("--width", type=int, default=1360)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--lang", choices=["id", "en"], default="id")
    parser.add_argument("--full", action="store_true", help="the whole page, not only what is first seen")
    args = parser.parse_args()
    path = chromium()
    if path is None:
        print("screenshot: no chromium on the path", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        page = browser.new_page(
            viewport={"width": args.width, "height": args.height},
            color_scheme="dark" if args.dark else "light",
            reduced_motion="reduce",
        )
        page.on("console", lambda message: print(f"console {message.type}: {message.text}", file=sys.stderr))
        log_in(page, args.url.rstrip("/"), args.token)
        page.goto(f"{args.url.rstrip('/')}/?lang={args.lang}")
        page.wait_for_selector("#chart canvas", timeout=15_000)
        page.wait_for_timeout(500)
        page.screenshot(path=args.out, full_page=args.full)
        if args.alert:
            page.click("#items h3 a")
            page.wait_for_selector(".detail")
            page.screenshot(path=args.alert, full_page=args.full)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
