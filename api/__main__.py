"""What `jaga serve` runs: the only file of the API that knows which store and which log are in use."""

from __future__ import annotations

import logging
import sys

import uvicorn

from api.app import create_app
from pipeline.ports import RetryLater
from pipeline.settings import BadSettings, Settings, load_settings
from pipeline.topology import TOPICS

STOP_S = 2
"""How long open streams may finish after Ctrl-C."""

log = logging.getLogger("jaga.api")


def serve(settings: Settings) -> None:
    """Serve until interrupted. A store out of reach stops nothing: requests get 503 until it is back.

    Raises BadSettings; exits with 1 if the address cannot be bound.
    """
    from crawlers.source_list import SourceList
    from pipeline.adapters.choose import open_broker, open_store
    from pipeline.adapters.system_clock import SystemClock

    store, broker = open_store(settings), open_broker(settings)
    try:
        try:
            store.prepare()
            broker.ensure(TOPICS)
        except RetryLater as error:
            log.warning("out of reach, serving 503 until it answers: %s", error)
        app = create_app(settings, store, broker, SystemClock(), sources=SourceList(settings))
        uvicorn.run(
            app,
            host=settings.api_host,
            port=settings.api_port,
            log_level="warning",
            # The addresses of readers are nobody's business until the audit log keeps them.
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
        )
    finally:
        store.close()
        broker.close()


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = load_settings()
        log.info(
            "http://%s:%d/ (token: JAGA_API_TOKENS or %s)",
            settings.api_host,
            settings.api_port,
            settings.home / "token",
        )
        serve(settings)
    except BadSettings as error:
        print(f"jaga serve: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
