"""python -m tests.servers start|stop|status [kafka] [elasticsearch] [--dir .servers]

Starts real servers that stay until stopped, and says how to point tests and `jaga` at them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from tests.servers import elasticsearch, kafka
from tests.servers.server import Missing, Server, alive

SERVERS: dict[str, Server] = {"kafka": kafka.start, "elasticsearch": elasticsearch.start}
VARIABLES = {"kafka": "TEST_KAFKA", "elasticsearch": "TEST_ELASTICSEARCH"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.add_argument("what", choices=["start", "stop", "status"])
    parser.add_argument("names", nargs="*", metavar="kafka|elasticsearch", help="default: both")
    parser.add_argument("--dir", type=Path, default=Path(".servers"), help="where they keep their data")
    asked = parser.parse_args()
    names = asked.names or list(SERVERS)
    if unknown := set(names) - set(SERVERS):
        parser.error(f"{sorted(unknown)[0]} is neither kafka nor elasticsearch")
    for name in names:
        state = asked.dir.resolve() / f"{name}.json"
        running = json.loads(state.read_text()) if state.exists() else None
        if running and not alive(running["pid"]):
            running = None
        if asked.what == "start" and running is None:
            try:
                started = SERVERS[name](asked.dir.resolve(), stay=True)
            except Missing as error:
                print(error, file=sys.stderr)
                return 1
            running = {"pid": started.process.pid, "url": started.url}
            state.write_text(json.dumps(running))
        elif asked.what == "stop" and running:
            os.kill(running["pid"], signal.SIGTERM)
            until = time.monotonic() + 30
            while alive(running["pid"]) and time.monotonic() < until:
                time.sleep(0.2)
            state.unlink()
            running = None
        if running and asked.what == "start":
            print(f"export {VARIABLES[name]}={running['url']}")
        else:
            print(f"{name}: {running['url'] if running else 'not running'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
