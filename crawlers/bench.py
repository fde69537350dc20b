"""`python -m crawlers.bench frontier`: what the frontier's visits are worth, in simulated time."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

from .frontier import week


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m crawlers.bench")
    commands = parser.add_subparsers(dest="command", required=True)
    frontier = commands.add_parser("frontier", help="a week of simulated time against visits at fixed intervals")
    frontier.add_argument("--sources", type=int, default=300)
    frontier.add_argument("--days", type=float, default=7.0)
    frontier.add_argument("--sigma", type=float, default=2.0, help="how much the sources' rates differ (log-normal)")
    frontier.add_argument("--seed", type=int, default=20241127)
    frontier.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    changes = week.world(options.sources, options.days, options.sigma, options.seed)
    began = time.monotonic()
    ways = {
        "frontier": week.adaptive(changes, options.days),
        "frontier, told only whether": week.adaptive(changes, options.days, counted=False),
    }
    requests = sum(map(len, ways["frontier"]))
    ways = {"fixed interval": week.fixed(changes, options.days, requests, options.seed)} | ways
    told = {way: vars(week.figures(changes, visits, options.days)) for way, visits in ways.items()}
    if options.json:
        print(json.dumps({"changes": sum(map(len, changes)), **told}))
        return 0
    print(
        f"{options.sources} sources, {options.days:g} days, sigma {options.sigma:g}, seed {options.seed}: {sum(map(len, changes))} changes"
    )
    for way, f in told.items():
        print(
            f"{way:28} {f['requests']:7d} requests, mean delay {f['delay_s']:5.0f} s (hottest tenth {f['delay_hot_s']:5.0f} s, p95 {f['delay_p95_s']:5.0f} s), "
            f"up to date {f['up_to_date']:.1%} of the time, {f['fruitful']:.1%} of requests found something"
        )
    best = told["fixed interval"]["delay_s"] / told["frontier"]["delay_s"]
    print(
        f"the frontier is {best:.2f} times as fresh; budget {options.sources * options.days * 86_400 / week.CADENCE_S:.0f} requests"
    )
    print(f"simulated in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
