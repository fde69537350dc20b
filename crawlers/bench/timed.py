"""As `crawlers.bench.wire`, and in JAGA_HOME/decisions.json what the frontier's decisions cost and how late they came."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from . import wire

FILE = "decisions.json"


class Ledger:
    """Stands around a frontier's methods."""

    def __init__(self) -> None:
        self.due: dict[str, list[float]] = {}
        """Source -> when each visit was due."""
        self.late_s: list[float] = []
        """From due to taken, first visits apart."""
        self.cpu_s = 0.0
        """Of `take`, `next_due` and the visits' ends; the last come from another thread, and its clock counts its own time alone."""
        self._within = threading.local()
        self.visits = 0

    def watch(self, frontier: type[Any]) -> None:
        take = frontier.take

        def taking(store: Any, *args: Any, **more: Any) -> Any:
            taken = self._timed(take, store, *args, **more)
            now = store.clock()
            for due in taken:
                # Holding a source leaves the moment at which it was due as it was.
                with store._lock:
                    due_at, visited_at = store._db.execute(
                        "SELECT due_at, visited_at FROM sources WHERE id = ?", (due.source,)
                    ).fetchone()
                self.visits += 1
                self.due.setdefault(due.source, []).append(due_at)
                if visited_at is not None:
                    self.late_s.append(now - due_at)
            return taken

        frontier.take = taking
        for name in ("next_due", "_end"):
            setattr(frontier, name, self._counted(getattr(frontier, name)))

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **more: self._timed(method, *args, **more)

    def _timed(self, method: Callable[..., Any], *args: Any, **more: Any) -> Any:
        outermost = not getattr(self._within, "one", False)
        self._within.one = True
        began = time.thread_time()
        try:
            return method(*args, **more)
        finally:
            if outermost:
                self.cpu_s += time.thread_time() - began
                self._within.one = False

    def told(self) -> str:
        return json.dumps({"due": self.due, "late_s": self.late_s, "cpu_s": self.cpu_s, "visits": self.visits})


def main(port: int, arguments: list[str]) -> int:
    wire.join(port)
    from pipeline.settings import load_settings

    from ..__main__ import main as crawlers
    from ..frontier.store import Frontier

    ledger = Ledger()
    ledger.watch(Frontier)
    code = crawlers(arguments)
    (load_settings().home / FILE).write_text(ledger.told())
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
