"""`python -m crawlers.bench`: the figures that docs/frontier.md tells, measured here. `--json` prints one object."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.ports import Broker
from pipeline.settings import Settings

from ..frontier import week


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m crawlers.bench")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("crawl", help="pages/s against a plain Scrapy spider that only downloads")
    one.add_argument("--pages", type=int, default=2000)
    one.add_argument("--sources", type=int, default=20)
    one.add_argument("--rounds", type=int, default=3)
    one.add_argument("--latency-ms", type=float, default=0.0, help="how long the server takes to answer")
    one = commands.add_parser("memory", help="RSS over many pages and sources")
    one.add_argument("--pages", type=int, default=5000, help="the goal is stated for 200000")
    one.add_argument("--sources", type=int, default=100, help="the goal is stated for 1000")
    one.add_argument("--every-s", type=float, default=5.0, help="pause between two samples")
    one = commands.add_parser("hot", help="from a post's appearing to its being on the log")
    one.add_argument("--hot", type=int, default=10)
    one.add_argument("--sources", type=int, default=100, help="others, visited beside")
    one.add_argument("--cadence-s", type=float, default=30.0)
    one.add_argument("--gap-s", type=float, default=10.0, help="mean time between a hot source's posts")
    one.add_argument("--seconds", type=float, default=120.0)
    one = commands.add_parser("sources", help="lag of the schedule of one process")
    one.add_argument("--sources", type=int, default=5000)
    one.add_argument("--cadence-s", type=float, default=600.0)
    one.add_argument("--seconds", type=float, default=900.0, help="after the first visit to each")
    one = commands.add_parser("pages", help="posts/s and MB/s of each page object")
    one.add_argument("--fixtures", type=Path, metavar="DIR", help="KIND/CASE/{case.json, input.*}; else made here")
    one.add_argument("--seconds", type=float, default=2.0, help="of CPU for each kind")
    one = commands.add_parser("frontier", help="a week of simulated time against visits at fixed intervals")
    one.add_argument("--sources", type=int, default=300)
    one.add_argument("--days", type=float, default=7.0)
    one.add_argument("--sigma", type=float, default=2.0, help="how much the sources' rates differ (log-normal)")
    one.add_argument("--seed", type=int, default=20241127)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    try:
        told, lines = _COMMANDS[options.command](options)
    except (RuntimeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(told) if options.json else "\n".join(lines))
    return 0


Told = tuple[dict[str, Any], list[str]]
"""For programs, and in lines for people."""


def _crawl(options: argparse.Namespace) -> Told:
    from . import crawl

    told = crawl.measure(options.pages, options.sources, options.rounds, options.latency_ms / 1000).told()
    lines = [
        f"{told['pages']} pages of {options.sources} hosts, {options.rounds} rounds, answers after {options.latency_ms:g} ms",
        f"plain Scrapy   {told['plain_pages_per_s']:8.1f} pages/s, {told['plain_cpu_ms']:6.1f} ms of CPU a page",
        f"the crawler    {told['ours_pages_per_s']:8.1f} pages/s, {told['ours_cpu_ms']:6.1f} ms of CPU a page",
        f"ratio {told['ratio']:.3f} ({told['ratio_low']:.3f} to {told['ratio_high']:.3f})",
    ]
    return told, lines


def _memory(options: argparse.Namespace) -> Told:
    from . import memory

    told = memory.measure(options.pages, options.sources, options.every_s, _progress).told()
    slope = told["slope_mb_per_100k"]
    lines = [
        f"{told['pages']} pages of {options.sources} sources in {told['seconds']:.0f} s",
        f"RSS at most {told['rss_mb_first_half']:.0f} MB in the first half, {told['rss_mb_last_half']:.0f} MB in the last",
        "too few samples for a slope" if slope is None else f"last half: {slope:+.1f} MB per 100,000 pages",
    ]
    return told, lines


def _hot(options: argparse.Namespace) -> Told:
    from . import hot

    told = hot.measure(
        options.hot, options.sources, options.cadence_s, options.gap_s, options.seconds, _open_log
    ).told()
    lines = [
        f"{told['posts']} posts of {options.hot} hot sources beside {options.sources} others, cadence {told['cadence_s']:g} s; missing {told['missing']}",
        f"p50 {told['p50_s']} s, p95 {told['p95_s']} s, longest {told['max_s']} s; allowed at p95: {told['allowed_s']:g} s",
    ]
    return told, lines


def _sources(options: argparse.Namespace) -> Told:
    from . import sources

    told = sources.measure(options.sources, options.cadence_s, options.seconds).told()
    lines = [
        f"{told['visited']} of {told['sources']} sources visited, {told['visits']} visits, {told['revisits']} of them again",
        f"from due to taken p50 {told['taken_p50_s']} s, p95 {told['taken_p95_s']} s; to asked p50 {told['asked_p50_s']} s, p95 {told['asked_p95_s']} s",
        f"the frontier takes {told['frontier_ms_per_visit']} ms of CPU a visit",
    ]
    return told, lines


def _pages(options: argparse.Namespace) -> Told:
    from . import pages

    told = {speed.kind: speed.told() for speed in pages.measure(options.fixtures, options.seconds)}
    lines = [f"{'kind':18} {'pages':>5} {'kB each':>8} {'pages/s':>9} {'posts/s':>9} {'MB/s':>7}"]
    lines += [
        f"{kind:18} {s['pages']:5d} {s['kilobytes']:8.1f} {s['pages_per_s']:9.1f} {s['posts_per_s']:9.1f} {s['megabytes_per_s']:7.2f}"
        for kind, s in told.items()
    ]
    return told, lines


def _frontier(options: argparse.Namespace) -> Told:
    changes = week.world(options.sources, options.days, options.sigma, options.seed)
    began = time.monotonic()
    ways = {
        "frontier": week.adaptive(changes, options.days),
        "frontier, told only whether": week.adaptive(changes, options.days, counted=False),
    }
    requests = sum(map(len, ways["frontier"]))
    ways = {"fixed interval": week.fixed(changes, options.days, requests, options.seed)} | ways
    told = {way: vars(week.figures(changes, visits, options.days)) for way, visits in ways.items()}
    found = sum(map(len, changes))
    best = told["fixed interval"]["delay_s"] / told["frontier"]["delay_s"]
    lines = [
        f"{options.sources} sources, {options.days:g} days, sigma {options.sigma:g}, seed {options.seed}: {found} changes"
    ]
    lines += [
        f"{way:28} {f['requests']:7d} requests, mean delay {f['delay_s']:5.0f} s (hottest tenth {f['delay_hot_s']:5.0f} s, p95 {f['delay_p95_s']:5.0f} s), "
        f"up to date {f['up_to_date']:.1%} of the time, {f['fruitful']:.1%} of requests found something"
        for way, f in told.items()
    ]
    lines.append(
        f"the frontier is {best:.2f} times as fresh; budget {options.sources * options.days * 86_400 / week.CADENCE_S:.0f} requests"
    )
    _progress(f"simulated in {time.monotonic() - began:.0f} s")
    return {"changes": found, **told}, lines


_COMMANDS = {
    "crawl": _crawl,
    "memory": _memory,
    "hot": _hot,
    "sources": _sources,
    "pages": _pages,
    "frontier": _frontier,
}


def _open_log(home: Path) -> Broker:
    from ..__main__ import _open_broker

    return _open_broker(Settings(home=home, broker="sqlite://"))


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
