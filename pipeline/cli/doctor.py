"""`jaga doctor`: what is wrong here, in words that help."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console

from classifier.curves import BadCosts
from classifier.manifest import ModelError
from classifier.reasons import Reasons
from pipeline.adapters.choose import open_broker, open_store
from pipeline.adapters.system_clock import SystemClock
from pipeline.cli.app import app
from pipeline.cli.open import open_classifier
from pipeline.ports import RetryLater
from pipeline.settings import BadSettings, Settings, load_settings

FREE_BYTES = 2_000_000_000
"""A busy day of 100,000 posts needs about 1 GB with its evidence."""
FREE_MEMORY_BYTES = 800_000_000
"""A judge with its model takes about 500 MB."""
EARLIEST_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    ok: bool
    said: str
    advice: str = ""


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check settings, servers, model, disk, memory and clock; exits with 1 if anything is wrong."""
    findings = list(examine())
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        console = Console()
        for finding in findings:
            console.print(f"{'[green]ok[/green]   ' if finding.ok else '[red]wrong[/red]'} {finding.what}: ", end="")
            console.print(finding.said, markup=False, highlight=False)
            if not finding.ok and finding.advice:
                console.print(f"      {finding.advice}", markup=False, highlight=False)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Every check, each on its own: one that fails hides none of the others."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), version, "Python 3.11 or newer is needed.")
    try:
        settings = load_settings()
    except BadSettings as error:
        yield Finding("settings", False, str(error), "Correct or unset it; docs/settings.md tells what each one takes.")
        return
    yield Finding(
        "settings", True, f"home {settings.home}, broker {_plain(settings.broker)}, store {_plain(settings.store)}"
    )
    yield _home(settings.home)
    yield _server("broker", "JAGA_BROKER", settings.broker, lambda: open_broker(settings))
    yield _server("store", "JAGA_STORE", settings.store, lambda: open_store(settings))
    yield _model(settings)
    yield _disk(settings.home)
    free = psutil.virtual_memory().available
    yield Finding(
        "memory",
        free > FREE_MEMORY_BYTES,
        f"{free / 1e9:.1f} GB free",
        "A judge needs about 0.5 GB; stop something else.",
    )
    now = SystemClock().now()
    yield Finding(
        "clock",
        now.year >= EARLIEST_YEAR,
        f"{now:%Y-%m-%d %H:%M:%S} UTC",
        "Set the clock (timedatectl set-ntp true): times of alerts are evidence.",
    )


def _plain(url: str) -> str:
    """Without a password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://***@{tail}" if at else url


def _home(home: Path) -> Finding:
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / ".doctor"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Finding(
            "home", False, f"{home}: {error.strerror}", "JAGA_HOME must be a folder that this account may write to."
        )
    return Finding("home", True, f"{home} can be written to")


def _server(what: str, name: str, url: str, opened: Callable[[], object]) -> Finding:
    began = time.monotonic()
    try:
        server = opened()
        try:
            said = server.ping()  # type: ignore[attr-defined]
        finally:
            server.close()  # type: ignore[attr-defined]
    except RetryLater as error:
        return Finding(
            what,
            False,
            str(error),
            f"Is it running, and is {name}={_plain(url)} right? `make servers` starts one for trying out.",
        )
    return Finding(what, True, f"{said} ({1000 * (time.monotonic() - began):.0f} ms)")


def _model(settings: Settings) -> Finding:
    began = time.monotonic()
    try:
        model = open_classifier(settings)
        model.judge(["Apa kabar, semoga pilkada damai."])
        reasons = Reasons.load(model)
    except BadCosts as error:
        return Finding("model", False, str(error), "Correct JAGA_COSTS (jaga model thresholds shows the trade).")
    except ModelError as error:
        return Finding(
            "model",
            False,
            str(error),
            "Restore the file (git checkout classifier/weights), or correct JAGA_MODEL or jaga model use.",
        )
    why = "" if reasons else "; alerts name no words: it has no reasons.npz (python -m classifier.reasons_fit)"
    return Finding("model", True, f"{model.model_id} loads and judges in {time.monotonic() - began:.1f} s{why}")


def _disk(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    return Finding(
        "disk",
        free > FREE_BYTES,
        f"{free / 1e9:.1f} GB free in {home}",
        "Make room or move JAGA_HOME; at zero the workers wait and lose nothing.",
    )
