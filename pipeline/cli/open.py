"""What the commands work on, opened by the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from classifier.engine import Classifier
from classifier.shelf import Shelf, open_model
from pipeline.adapters.choose import open_broker, open_store
from pipeline.adapters.system_clock import SystemClock
from pipeline.ports import Broker, Clock, SearchStore
from pipeline.settings import Settings, load_settings
from pipeline.stages.alert import Thresholds
from pipeline.topology import TOPICS


@dataclass(frozen=True, slots=True)
class House:
    settings: Settings
    broker: Broker
    store: SearchStore
    clock: Clock

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(
            posts=self.settings.alert_posts, reach=self.settings.alert_reach, score=self.settings.alert_score
        )


@contextmanager
def open_house(settings: Settings | None = None) -> Iterator[House]:
    """Log and store, made ready. Raises BadSettings, or RetryLater when one is out of reach."""
    settings = settings or load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    broker, store = open_broker(settings), open_store(settings)
    try:
        broker.ensure(TOPICS)
        store.prepare()
        yield House(settings, broker, store, SystemClock())
    finally:
        store.close()
        broker.close()


def open_classifier(settings: Settings, model: Path | None = None) -> Classifier:
    """The model of that folder, else the one in force, with the bands of JAGA_COSTS.

    Raises classifier.manifest.ModelError naming the file that is wrong, or classifier.curves.BadCosts.
    """
    return open_model(model or settings.model, Shelf(settings.models_folder), settings.costs)
