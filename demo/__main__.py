"""`python -m demo`: serves the small web until Ctrl-C.

With `--truth` it prints what it says of itself, with `--score FILE` how well alerts fit that, and stops.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from demo import serve, truth
from demo.report import said
from demo.score import alerts_from, score


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument(
        "--shift-to-now",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="move the week by whole days so that it ends today (default: yes)",
    )
    parser.add_argument("--truth", action="store_true", help="print one JSON a line for every item and stop")
    parser.add_argument(
        "--score", metavar="FILE", help="score alerts: a JSON list of {id, posts: [[platform, native_id]]}"
    )
    parser.add_argument("--words", action="store_true", help="with --score: in words, not as JSON")
    arguments = parser.parse_args()
    if arguments.truth:
        for row in truth():
            print(json.dumps(row))
        return 0
    if arguments.score:
        return _print_score(Path(arguments.score), words=arguments.words)
    try:
        server = serve(arguments.port, arguments.host, shift_to_now=arguments.shift_to_now)
    except OSError as error:
        print(f"demo: cannot listen on {arguments.host}:{arguments.port}: {error}", file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print(f"Jaring kecil menyala di {server.base_url}", flush=True)
    stop.wait()
    server.close()
    return 0


def _print_score(path: Path, *, words: bool) -> int:
    try:
        alerts = alerts_from(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        print(f"demo: {path}: {error.strerror}", file=sys.stderr)
        return 1
    except (ValueError, LookupError, TypeError) as error:
        print(f"demo: {path}: not a list of alerts with posts: {error!r}", file=sys.stderr)
        return 1
    found = score(alerts, truth())
    print("\n".join(said(found)) if words else json.dumps(asdict(found), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
