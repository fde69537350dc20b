"""A worker in a process of its own: the real runner on the real adapters, with a judge that needs no model, and a way to die."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

# The whole house, so that the process from which workers are forked has it loaded.
import pipeline.adapters.choose
import pipeline.adapters.elastic_store
import pipeline.adapters.kafka_broker
import pipeline.adapters.sqlite_broker
import pipeline.adapters.sqlite_store  # noqa: F401
from pipeline.ports import RetryLater
from pipeline.runner import Step
from pipeline.settings import Settings
from pipeline.together import run_together
from tests.scorer import WordScorer


@dataclass(frozen=True, slots=True)
class Kill:
    """kill -9 of the whole process, at the nth time that one of its workers comes by this step."""

    worker: str
    step: Step
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    names: tuple[str, ...] = ("register", "judge", "alert")
    batch: int = 16
    kill: Kill | None = None
    until_drained: bool = True


def work(settings: Settings, lease_s: float, plan: Plan) -> None:
    from tests.faults.site import open_site

    told = (settings.home / "worker.log").open("a", buffering=1)
    logging.basicConfig(
        stream=told, level=logging.INFO, force=True, format="%(asctime)s %(process)d %(name)s: %(message)s"
    )
    for noisy in ("elastic_transport", "elastic_transport.transport", "kafka"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    while True:
        try:
            house = open_site(settings, lease_s)
            break
        except RetryLater as later:  # as `jaga work` does
            logging.info("cannot start yet: %s; trying again", later)
            time.sleep(0.3)
    seen: Counter[tuple[str, Step]] = Counter()

    def observe(worker: str, step: Step) -> None:
        seen[worker, step] += 1
        if step == "committed":
            logging.info("%s committed", worker)
        if plan.kill == Kill(worker, step, seen[worker, step]):
            os.kill(os.getpid(), signal.SIGKILL)

    runners = {
        name: house.runner(name, WordScorer(), batch=plan.batch, observe=partial(observe, name)) for name in plan.names
    }

    def stop(*_: object) -> None:
        for runner in runners.values():
            runner.stop()

    signal.signal(signal.SIGTERM, stop)
    problems = run_together(runners, until_drained=plan.until_drained)
    house.close()
    for problem in problems:
        logging.error(problem)
    # Not through the interpreter's end: what is to be durable has to be so by now.
    os._exit(1 if problems else 0)
