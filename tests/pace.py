"""CPU time told in a unit of this machine's own, so that a bound on work holds on a slow machine as on a fast one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def _unit_s() -> float:
    """CPU seconds of three million additions: about 0.2 on a machine of 2024."""
    began, total = time.process_time(), 0
    for number in range(3_000_000):
        total += number
    return time.process_time() - began


@contextmanager
def cpu_units() -> Iterator[Callable[[], float]]:
    """Gives what tells, after the block, how many units of CPU it took. The unit is measured before and after: machines change their pace."""
    before, began = _unit_s(), time.process_time()

    def spent() -> float:
        return spent_s / unit_s

    yield spent
    spent_s = time.process_time() - began
    unit_s = max(before, _unit_s())
