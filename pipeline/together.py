"""Several workers in one process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from pipeline.runner import Broken, Runner

log = logging.getLogger("jaga.work")


def run_together(runners: Mapping[str, Runner], *, until_drained: bool) -> list[str]:
    """Each runner in its thread, in the order of the stages; one that breaks stops all. Returns what broke.

    Until drained, a stage ends only after the stages before it, which may still write for it.
    """
    problems: list[str] = []
    done: dict[str, threading.Event] = {name: threading.Event() for name in runners}

    def run(name: str, before: list[str]) -> None:
        try:
            runners[name].run(
                until_drained=until_drained, may_end=lambda: all(done[other].is_set() for other in before)
            )
        except Broken as broken:
            problems.append(f"{name} stopped: {broken}")
        except Exception as error:
            log.exception("%s stopped", name)
            problems.append(f"{name} stopped: {type(error).__name__}: {error}")
        finally:
            done[name].set()
            if problems:
                for runner in runners.values():
                    runner.stop()

    order = [name for name in ("register", "judge", "alert") if name in runners]
    threads = [
        threading.Thread(target=run, args=(name, order[:at]), name=name, daemon=True) for at, name in enumerate(order)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)
    return problems
