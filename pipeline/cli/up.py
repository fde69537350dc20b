"""`jaga up`: all of it on this machine, until Ctrl-C."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pipeline.cli.app import app, fail
from pipeline.cli.open import House, open_house
from pipeline.conservation import DOORS, counts
from pipeline.contracts import Alert
from pipeline.documents import alert_of
from pipeline.ports import Filter, RetryLater
from pipeline.settings import Settings, load_settings

DEMO_PORT = 8765
SMALL_WEB = "small web"
STOP_S = 10.0
"""How long the programs may take to finish what they have in hand after Ctrl-C."""

LOOK_S = 0.5
SHOWN = 5
"""Alerts told in full when the first crawl is through."""


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    process: subprocess.Popen[bytes]


@app.command()
def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="Serve and crawl the bundled small web, in a fresh folder of its own.")
    ] = False,
    once: Annotated[bool, typer.Option(help="Stop when the first crawl is through and nothing waits.")] = False,
    demo_port: Annotated[int, typer.Option(help="Port of the small web.")] = DEMO_PORT,
) -> None:
    """Crawl, judge, alert and serve, all on this machine; Ctrl-C stops it."""
    began = time.monotonic()
    console = Console(highlight=False)
    settings = load_settings()
    if demo:
        settings = _demo_settings(settings, demo_port)
    elif settings.sources is None and not settings.registry_file.exists():
        raise fail(
            "nothing is to be watched yet: turn sources on (jaga sources list, jaga sources on ID) or name a file with JAGA_SOURCES; "
            "for a first look: jaga up --demo",
            2,
        )
    for port, host in [(settings.api_port, settings.api_host), *([(demo_port, "127.0.0.1")] if demo else [])]:
        if _taken(host, port):
            raise fail(f"port {port} on {host} is taken; stop what uses it or set another (JAGA_API_PORT, --demo-port)")
    # Both by name: a program that a script starts in the background finds Ctrl-C's signal ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as stack:
        try:
            programs = stack.enter_context(_programs(settings, demo_port if demo else None, once=once))
            house = stack.enter_context(open_house(settings))
            _follow(console, house, programs, began, once=once)
        except KeyboardInterrupt:
            console.print("\nstopping ...")
    console.print("all programs have stopped")


def _demo_settings(settings: Settings, port: int) -> Settings:
    """The demo's own: a fresh home, no pause between fetches, and its loopback address as the guard's one exception."""
    home = settings.home / "demo"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    sources = home / "sources.json"
    listed = subprocess.run(
        [sys.executable, "-c", f"import demo, json; print(json.dumps(demo.sources('http://127.0.0.1:{port}')))"],
        check=True,
        capture_output=True,
    )
    sources.write_bytes(listed.stdout)
    return settings.model_copy(
        update={
            "home": home,
            "sources": sources,
            "guard_allow": f"127.0.0.1:{port}",
            "crawl_delay_s": 0.0,
            # Here a first alert soon is worth more than posts a second.
            "batch_posts": 64,
            # On servers a fresh start means names of its own.
            "index_prefix": f"demo-{time.time():.0f}",
        }
    )


@contextmanager
def _programs(settings: Settings, demo_port: int | None, *, once: bool) -> Iterator[list[Program]]:
    """Started together, stopped together: on the way out each is told to finish, and killed only if it does not."""
    settings.home.mkdir(parents=True, exist_ok=True)
    words = {
        "work": ["pipeline", "work"],
        "serve": ["api"],
        "crawl": ["crawlers", "crawl", "--once" if once or demo_port else "--follow"],
    }
    if demo_port:
        words = {SMALL_WEB: ["demo", "--port", str(demo_port)], **words}
    programs: list[Program] = []
    with (settings.home / "up.log").open("ab") as log:
        try:
            for name, arguments in words.items():
                process = subprocess.Popen(
                    [sys.executable, "-m", *arguments],
                    env=settings.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # Ctrl-C on the terminal reaches only us; we tell the others in our own order.
                    start_new_session=True,
                )
                programs.append(Program(name, process))
            yield programs
        finally:
            _stop(programs)


def _stop(programs: list[Program]) -> None:
    # A second Ctrl-C must not leave programs behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for program in reversed(programs):
        if program.process.poll() is None:
            program.process.terminate()
    until = time.monotonic() + STOP_S
    for program in programs:
        try:
            program.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            program.process.kill()
            program.process.wait()


def _follow(console: Console, house: House, programs: list[Program], began: float, *, once: bool) -> None:
    """Tell what happens; returns only if `once` and everything is through."""
    settings = house.settings
    address = f"http://{settings.api_host}:{settings.api_port}"
    console.print(
        f"starting: {', '.join(program.name for program in programs)} (their log: {settings.home / 'up.log'})"
    )
    first_alert = told_all = False
    last: tuple[Any, ...] = ()
    while True:
        time.sleep(LOOK_S)
        try:
            found = counts(house.broker, house.store)
        except RetryLater as later:
            console.print(f"waiting: {later}")
            continue
        waiting = sum(topic["lag"] for topics in found["stages"].values() for topic in topics.values())
        alerts = sum(found["alerts"].values())
        now = (found["in"], found["indexed"], found["duplicate"], found["dead"], waiting, alerts)
        if now != last:
            console.print(
                f"[{time.monotonic() - began:5.1f} s] {found['in']} posts in, {found['indexed']} indexed, {found['duplicate']} duplicate, "
                f"{found['dead']} dead letters, {waiting} waiting, {alerts} alerts",
                markup=False,
            )
            last = now
        if alerts and not first_alert:
            first_alert = True
            console.print(f"first alert after {time.monotonic() - began:.1f} s", style="bold")
        crawled = _watch(programs)
        if crawled and waiting == 0 and not told_all and _serving(settings):
            told_all = True
            _tell(console, house, found, address, time.monotonic() - began)
            if any(program.name == SMALL_WEB for program in programs):
                _score(console, house)
            if once:
                return


def _watch(programs: list[Program]) -> bool:
    """Whether the crawl is through. Raises typer.Exit if a program died."""
    crawled = False
    for program in programs:
        code = program.process.poll()
        if code is None:
            continue
        if program.name == "crawl" and code == 0:
            crawled = True
        else:
            raise fail(f"{program.name} stopped with code {code}; its last words are in up.log in JAGA_HOME")
    return crawled


def _serving(settings: Settings) -> bool:
    return _taken(settings.api_host, settings.api_port)


def _taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, port)) == 0


def _token(settings: Settings) -> str:
    if settings.api_tokens:
        return settings.api_tokens.split(",")[0].strip().rpartition(":")[2]
    path: Path = settings.home / "token"
    return path.read_text().strip() if path.exists() else "(in JAGA_HOME/token)"


def _tell(console: Console, house: House, found: dict[str, Any], address: str, took_s: float) -> None:
    house.store.refresh()
    hits = house.store.search("alerts", Filter(equals={"status": ["new"]}), sort="reach", limit=1000)
    alerts = [alert_of(hit.document) for hit in hits]
    console.rule(f"{len(alerts)} alerts from {found['indexed']} posts in {took_s:.1f} s")
    for alert in _various(alerts)[:SHOWN]:
        console.print(f"[{alert.rule}] {alert.headline}", style="bold", markup=False)
        for reason in alert.reasons:
            console.print(f"    {reason}", markup=False)
    console.rule()
    said = " + ".join(f"{found[door]} {door}" for door in DOORS)
    console.print(f"{found['in']} in = {said}; {found['gaps']} gaps", markup=False)
    console.print(
        f"page and API: {address}   token: {_token(house.settings)}", markup=False, style="bold", soft_wrap=True
    )
    console.print("Ctrl-C stops everything", markup=False)


def _score(console: Console, house: House) -> None:
    """Hold the alerts against what the small web says of its own posts."""
    alerts = []
    for hit in house.store.scan("alerts", Filter(equals={"status": ["new"]})):
        members = house.store.scan("posts", Filter(equals={"narrative_id": [hit.document["narrative_id"]]}))
        posts = [(one.document["platform"], one.document["post"]["native_id"]) for one in members]
        alerts.append({"id": hit.document["headline"], "posts": posts})
    file = house.settings.home / "alerts.json"
    file.write_text(json.dumps(alerts))
    scored = subprocess.run(
        [sys.executable, "-m", "demo", "--score", str(file), "--words"], capture_output=True, check=True
    )
    console.print("against what the small web says of itself:", style="bold")
    console.print(scored.stdout.decode().rstrip(), markup=False)


def _various(alerts: list[Alert]) -> list[Alert]:
    """The widest of each rule first, so that a short list shows every kind."""
    seen: dict[str, int] = {}
    ranked = []
    for alert in alerts:
        ranked.append((seen.setdefault(alert.rule, 0), -alert.reach, alert))
        seen[alert.rule] += 1
    return [alert for _, _, alert in sorted(ranked, key=lambda one: one[:2])]
