"""`jaga bench`: speeds as ratios and shares within one run, on this machine."""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli.app import PASS_ON, app, fail, run_package
from pipeline.cli.open import House, open_house
from pipeline.conservation import counts
from pipeline.contracts import Alert, Post, pack, unpack
from pipeline.ports import Filter, Record
from pipeline.rows import Row, read_rows
from pipeline.settings import Settings, load_settings
from pipeline.topology import ALERTS, POSTS_RAW

bench = typer.Typer(help="Measure the classifier and the whole way of a post.", no_args_is_help=True)
app.add_typer(bench, name="bench")

CLAIMS_FILE = "claims/turnbackhoax_2024_jan_aug.csv"
ORDINARY_FOLDER = "ordinary"


@bench.command("model", context_settings=PASS_ON)
def model(context: typer.Context) -> None:
    """The classifier against the plain transformers pipeline (needs the [train] extra): --data PATH."""
    run_package("classifier.bench", None, context.args)


@dataclass
class Measured:
    """What one form of deployment did."""

    form: str
    figures: dict[str, Any] = field(default_factory=dict)
    alerts: set[tuple[Any, ...]] = field(default_factory=set)


@bench.command()
def flow(
    data: Annotated[Path, typer.Option(help="Folder with claims/ and ordinary/ as docs/model describes.")],
    rate: Annotated[
        float, typer.Option(min=0.1, help="Posts a second while the time from log to alert is taken.")
    ] = 20.0,
    paced: Annotated[int, typer.Option(min=0, help="Posts sent at that rate.")] = 400,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows of each file of posts.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """All real posts through the whole pipeline: the embedded form, and the grown one if the settings name its servers."""
    posts = [*sorted((data / ORDINARY_FOLDER).glob("*.csv")), data / CLAIMS_FILE]
    if len(posts) < 2 or not posts[-1].exists():
        raise fail(f"{data}: needs {CLAIMS_FILE} and {ORDINARY_FOLDER}/*.csv", 2)
    settings = load_settings()
    forms = {"embedded": settings.model_copy(update={"broker": "sqlite://", "store": "sqlite://"})}
    if "sqlite" not in (urlsplit(settings.broker).scheme, urlsplit(settings.store).scheme):
        forms["grown"] = settings
    results = []
    with tempfile.TemporaryDirectory(prefix="jaga-bench-") as folder:
        if limit:
            posts = [_head(path, Path(folder) / path.name, limit) for path in posts]
        for form, chosen in forms.items():
            own = chosen.model_copy(update={"home": Path(folder) / form, "index_prefix": f"bench-{os.getpid()}-{form}"})
            results.append(_measure(form, own, posts, data / CLAIMS_FILE, rate, paced))
    equal = len({frozenset(one.alerts) for one in results}) == 1
    if as_json:
        typer.echo(json.dumps({"forms": {one.form: one.figures for one in results}, "equal_alerts": equal}))
        return
    console = Console()
    table = Table("figure", *(one.form for one in results))
    for name in results[0].figures:
        table.add_row(name, *(str(one.figures[name]) for one in results))
    console.print(table)
    if len(results) > 1:
        console.print(f"equal alerts in both forms: {'yes' if equal else 'NO'}")
        if not equal:
            for one in sorted(results[0].alerts ^ results[1].alerts, key=str)[:20]:
                console.print(f"  only in one: {one[:2]} {len(one[2])} posts", markup=False)


def _measure(form: str, settings: Settings, files: Sequence[Path], claims: Path, rate: float, paced: int) -> Measured:
    measured = Measured(form)
    figures = measured.figures
    _say(form, "loading claims")
    _run(settings, "pipeline", "claims", "load", str(claims), check=False)
    _run(settings, "pipeline", "work", "register", "--until-drained")
    _say(form, "ingesting")
    began = time.monotonic()
    out, _ = _run(settings, "crawlers", "ingest", "--json", *map(str, files), check=False)
    ingested = json.loads(out.splitlines()[-1])
    figures["read, published, rejected"] = ", ".join(str(ingested[name]) for name in ("read", "published", "rejected"))
    figures["ingest, posts/s"] = round(ingested["published"] / (time.monotonic() - began))
    _say(form, "judging")
    began = time.monotonic()
    out, memory = _run(settings, "pipeline", "work", "--until-drained", "--json")
    took = time.monotonic() - began
    worked = json.loads(out.splitlines()[-1])
    with open_house(settings) as house:
        found = counts(house.broker, house.store)
        measured.alerts = set(_alerts(house))
        figures["conservation"] = (
            f"{found['in']} = {found['indexed']} + {found['duplicate']} + {found['dead']} + {found['discarded']}"
            f" + {found['lag']}" + (" balanced" if found["balanced"] else " NOT BALANCED")
        )
        figures["revisions stored, open dead letters"] = f"{found['stored']}, {found['open']}"
        figures["alerts"] = len(measured.alerts)
        figures["posts/s, log to alerts"] = round(found["in"] / took)
        figures["share of the judge's time outside the model"] = round(
            1 - worked["model_s"]["judge"] / worked["busy_s"]["judge"], 3
        )
        figures["memory of the workers, MB"] = round(memory / 1e6)
        if paced:
            _say(form, f"{paced} posts at {rate:g}/s")
            figures["log to alert at that rate, p50 and p95, s"] = _latency(house, settings, claims, rate, paced)
    return measured


def _latency(house: House, settings: Settings, claims: Path, rate: float, paced: int) -> str:
    """Posts that alert, one after the other, with the workers waiting for them: from the log's time of each to the alert's."""
    texts = [row.fields["text"] for row in read_rows(claims, ["text"]) if isinstance(row, Row)][:paced]
    already = len(house.broker.read(ALERTS, limit=1_000_000))
    # Waiting until this one is through, the worker has its model and its claims in hand before the clock counts.
    _send(house, "first", "selamat pagi semua, semoga harimu menyenangkan")
    worker = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "work"], env=settings.environment(), stdout=subprocess.DEVNULL
    )
    try:
        _settle(house, worker)
        began = time.monotonic()
        for number, text in enumerate(texts):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            _send(house, f"paced-{number}", text[:5000])
        _settle(house, worker)
    finally:
        worker.terminate()
        worker.wait(20)
    logged = {}
    for hit in house.store.scan("posts", Filter(equals={"platform": ["bench"]})):
        logged[hit.id] = datetime.fromisoformat(hit.document["logged_at"])
    took: dict[str, float] = {}
    for message in house.broker.read(ALERTS, limit=1_000_000)[already:]:
        alert: Alert = unpack("alert", message.value)
        for post_id in alert.post_ids:
            if post_id in logged:
                took.setdefault(post_id, (message.logged_at - logged[post_id]).total_seconds())
    if len(took) < 2:
        return "no alerts"
    cuts = statistics.quantiles(took.values(), n=20)
    return f"{cuts[9]:.2f}, {cuts[18]:.2f} ({len(took)} of {len(texts)} posts in alerts)"


def _send(house: House, native_id: str, text: str) -> None:
    post = Post(platform="bench", native_id=native_id, text=text, fetched_at=datetime.now(UTC))
    house.broker.publish([Record(POSTS_RAW, pack("post", post), post.id.encode())])


def _head(path: Path, to: Path, rows: int) -> Path:
    """The first rows of a CSV."""
    with path.open(newline="", encoding="utf-8") as source, to.open("w", newline="", encoding="utf-8") as target:
        csv.writer(target).writerows(islice(csv.reader(source), rows + 1))
    return to


def _settle(house: House, worker: subprocess.Popen[bytes]) -> None:
    """Until nothing waits and the worker lives."""
    time.sleep(2)
    while sum(t["lag"] for topics in counts(house.broker, house.store)["stages"].values() for t in topics.values()):
        if worker.poll() is not None:
            raise fail(f"the worker stopped with code {worker.returncode}")
        time.sleep(0.5)


def _alerts(house: House) -> Iterator[tuple[Any, ...]]:
    """What must be equal whatever the deployment: rule, claim, the posts, reach, reasons."""
    house.store.refresh()
    for hit in house.store.scan("alerts", Filter(equals={"status": ["new"]})):
        alert = hit.document
        claim = alert["claim"]["claim_id"] if alert["claim"] else None
        yield (
            alert["rule"],
            claim,
            tuple(sorted(alert["post_ids"])),
            alert["posts"],
            alert["reach"],
            tuple(alert["reasons"]),
        )


def _run(settings: Settings, *words: str, check: bool = True) -> tuple[str, int]:
    """Standard output and peak resident memory (bytes) of one of our programs."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([sys.executable, "-m", *words], env=settings.environment(), stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if code and check:
            raise fail(f"{' '.join(words)} stopped with code {code}")
        said.seek(0)
        return said.read(), usage.ru_maxrss * 1024


def _say(form: str, what: str) -> None:
    typer.echo(f"{form}: {what} ...", err=True)
