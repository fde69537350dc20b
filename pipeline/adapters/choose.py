"""Which adapter a URL asks for. Only entry points import this; what is not asked for is not loaded."""

from __future__ import annotations

from urllib.parse import urlsplit

from pipeline.ports import Broker, SearchStore
from pipeline.settings import Settings


def open_broker(settings: Settings) -> Broker:
    """Raises RetryLater when a file cannot be opened; servers are first spoken to by the first call."""
    if urlsplit(settings.broker).scheme == "kafka":
        from pipeline.adapters.kafka_broker import KafkaBroker

        return KafkaBroker(urlsplit(settings.broker).netloc.split(","), prefix=settings.index_prefix)
    from pipeline.adapters.sqlite_broker import SqliteBroker

    return SqliteBroker(settings.log_file)


def open_store(settings: Settings) -> SearchStore:
    """As `open_broker`."""
    if urlsplit(settings.store).scheme == "elasticsearch":
        from pipeline.adapters.elastic_store import ElasticStore

        return ElasticStore(settings.store, prefix=settings.index_prefix)
    from pipeline.adapters.sqlite_store import SqliteStore

    return SqliteStore(settings.store_file)
