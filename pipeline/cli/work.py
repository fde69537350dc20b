"""`jaga work`: the workers."""

from __future__ import annotations

import json
import logging
import signal
from typing import Annotated

import typer

from classifier.claim_vectors import ClaimVectors
from classifier.manifest import ModelError
from pipeline.adapters.classifier_scorer import ClassifierScorer
from pipeline.adapters.system_clock import SystemClock
from pipeline.cli.app import app, fail
from pipeline.cli.open import House, open_classifier, open_house
from pipeline.ports import Clock, RetryLater, Scorer
from pipeline.runner import Processor, Runner
from pipeline.settings import Settings, load_settings
from pipeline.together import run_together
from pipeline.topology import WORKERS
from pipeline.workers.alert import AlertWorker
from pipeline.workers.judge import Judge
from pipeline.workers.register import Register

log = logging.getLogger("jaga.work")


def processor(name: str, house: House, scorer: Scorer | None) -> Processor:
    if name == "alert":
        return AlertWorker(house.store, house.clock, house.thresholds)
    assert scorer is not None, "judge and register need a model"  # noqa: S101 - a defect of ours, not of input
    return Judge(house.store, scorer, house.clock) if name == "judge" else Register(house.store, scorer, house.clock)


def scorers(names: list[str], house: House) -> dict[str, ClassifierScorer]:
    """One for each worker that judges; they share the loaded model but each has its own claims."""
    judging = [name for name in names if name != "alert"]
    model = open_classifier(house.settings) if judging else None
    vectors = ClaimVectors.load() if judging else None
    return {name: ClassifierScorer(model, vectors) for name in judging if model is not None}


@app.command()
def work(
    stages: Annotated[list[str] | None, typer.Argument(help="judge, register, alert; all if none is named.")] = None,
    until_drained: Annotated[bool, typer.Option(help="Stop when the log is empty.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON at the end.")] = False,
) -> None:
    """A worker. Start as many as wanted: they share the load."""
    names = list(dict.fromkeys(stages or WORKERS))
    for name in names:
        if name not in WORKERS:
            raise fail(f"stage {name!r} is unknown; there are {', '.join(WORKERS)}", 2)
    settings = load_settings()
    with _patiently_opened(settings) as house:
        try:
            judges = scorers(names, house)
        except ModelError as error:
            raise fail(str(error)) from None
        runners = {
            name: Runner(
                processor(name, house, judges.get(name)),
                house.broker,
                house.store,
                house.clock,
                batch=settings.batch_posts,
                retry_max_s=settings.retry_max_s,
            )
            for name in names
        }

        def stop(*_: object) -> None:
            for runner in runners.values():
                runner.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        problems = run_together(runners, until_drained=until_drained)
    counts = {name: dict(sorted(runner.counts.items())) for name, runner in runners.items()}
    if as_json:
        busy = {name: round(runner.busy_s, 3) for name, runner in runners.items()}
        model = {name: round(judge.model_s, 3) for name, judge in judges.items()}
        typer.echo(json.dumps({"outcomes": counts, "busy_s": busy, "model_s": model}))
    elif until_drained:
        for name, outcomes in counts.items():
            typer.echo(
                f"{name}: " + (", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()) or "nothing to do")
            )
    if problems:
        raise fail(problems[0])


class _patiently_opened:
    """The house, waiting for servers that are not up yet: a worker that starts before its servers must not die of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> House:
        clock: Clock = SystemClock()
        pause = 0.5
        while True:
            self._opened = open_house(self._settings)
            try:
                return self._opened.__enter__()
            except RetryLater as later:
                log.warning("cannot start yet: %s; trying again in %.0f s", later, pause)
                clock.sleep(pause)
                pause = min(2 * pause, self._settings.retry_max_s)

    def __exit__(self, *error: object) -> None:
        self._opened.__exit__(*error)  # type: ignore[arg-type]
