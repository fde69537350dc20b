"""Sealing beside a crawl: once a day is over its files get their manifest, in a process of its own so that no spider waits for it."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

from pipeline.settings import Settings

from .chain import BadChain, unstamped
from .seal import waiting

log = logging.getLogger("jaga.evidence")

LOOK_S = 600.0
"""Between two looks whether a day is over."""
GRACE_S = 300.0
"""After midnight (UTC): what was fetched before it may still be on its way into the archive; what comes later gets a further manifest."""
AGAIN_S = 3600.0
"""Until the next try after one that did not do it, or an authority that was away."""


class Nightly(threading.Thread):
    """`end` it. Says nothing of its own: the process it starts tells on stderr what went wrong, and the crawl goes on."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="nightly", daemon=True)
        self._settings = settings
        self._over = threading.Event()
        self._running: subprocess.Popen[bytes] | None = None
        self._tried_at = -AGAIN_S

    def run(self) -> None:
        while True:
            if self._wanted() and not self._over.is_set():
                self._tried_at = time.monotonic()
                self._running = subprocess.Popen(
                    [sys.executable, "-m", "crawlers", "evidence", "seal"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=self._settings.environment(),
                    start_new_session=True,  # Ctrl-C is the crawl's to answer; it ends this one
                )
                self._running.wait()
            if self._over.wait(LOOK_S):
                return

    def _wanted(self) -> bool:
        if time.monotonic() - self._tried_at < AGAIN_S:
            return False
        before = f"{datetime.now(UTC) - timedelta(seconds=GRACE_S):%Y%m%d}"
        try:
            home = self._settings.home
            return bool(waiting(home, before=before) or (self._settings.tsa_url and unstamped(home)))
        except (BadChain, OSError) as error:
            log.warning("evidence is not sealed: %s; `jaga evidence verify` says more", error)
            self._tried_at = time.monotonic()
            return False

    def end(self, *, wait: bool) -> None:
        """With `wait` a sealing under way is finished, else it is broken off, which loses nothing."""
        self._over.set()
        if (running := self._running) is not None and not wait:
            running.terminate()
        self.join()
