"""Pages are read in processes beside the crawl, once there are many: bytes go out, items come back.

Page objects are pure and take as long as a download: in the crawl's own process they hold up the network, and one that never ends holds up all.
A crawl of few pages never starts such a process, and reads by itself what comes before the process is ready.

One ends with the crawl, however that ends: it stops where nobody asks it any more, and a page over which it sits too long is ended by the kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import deque
from typing import Any, BinaryIO

from .pages import read
from .pages.items import Item, ProblemItem
from .pages.page import Page
from .pseudonym import Key, maker

log = logging.getLogger("jaga.crawl")

MANY_PAGES = 100
WITHIN_S = 60.0
"""So many pages in so short a time are worth processes of their own: each takes a second to start, and 150 MB."""
AHEAD = 4
"""Pages handed to one process before its answer to the first, so that it never waits for the crawl. Others wait as they came."""
LONGEST_S = 60.0
"""CPU that one page may take. The slowest that tests know takes 6."""
PIPE_BYTES = 1_048_576
"""What a pipe holds: the next pages lie ready there while the crawl's loop is busy elsewhere."""
ENDING_S = 1.0
MOST_DEATHS = 3
"""Processes that died in a row without having read a page: something is wrong with this machine, and the crawl reads by itself."""
_LENGTH_BYTES = 8


class Readers:
    """To be used within one event loop. `count`: processes; none: pages are read where they come in."""

    def __init__(self, count: int = 0, key: Key | None = None, longest_s: float = LONGEST_S) -> None:
        self.count, self._key, self._longest_s = (count if key else 0), key, longest_s
        self._readers: list[_Reader] = []
        self._lately: deque[float] = deque(maxlen=MANY_PAGES)
        self._deaths = 0

    async def read(self, kind: str, page: Page) -> list[Item]:
        """As `pages.read`. A page that breaks its process or takes too long gives one problem; those that waited behind it are read again."""
        while reader := self._free():
            try:
                items = await reader.read(kind, page)
            except _Ended:
                continue
            self._deaths = 0
            return items
        return read(kind, page)

    def _free(self) -> _Reader | None:
        """The one with the least to do; None where the crawl is to read by itself."""
        if not self.count:
            return None
        now = time.monotonic()
        self._lately.append(now)
        for reader in [reader for reader in self._readers if reader.over]:
            self._readers.remove(reader)
            self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            log.warning("pages are read in the crawl itself: %d processes for it died", self._deaths)
            self.count = 0
            return None
        if len(self._lately) == MANY_PAGES and now - self._lately[0] < WITHIN_S:
            try:
                while len(self._readers) < self.count:
                    self._readers.append(_Reader(self._key, self._longest_s))
            except OSError as error:
                log.warning("no process to read pages in: %s", error)
                self._deaths += 1
        free = [reader for reader in self._readers if reader.ready]
        return min(free, key=lambda reader: reader.asked, default=None)

    async def close(self) -> None:
        self.count = 0
        for reader in self._readers:
            await reader.close()


class _Ended(Exception):
    """The process is gone, over another page than this."""


class _Reader:
    """One process, seen from the crawl."""

    def __init__(self, key: Key | None, longest_s: float) -> None:
        self.ready = self.over = False
        self.asked = 0
        """Pages that it has not answered yet."""
        self._places = asyncio.Semaphore(AHEAD)
        self._waiting: deque[tuple[asyncio.Future[list[Item]], str]] = deque()
        self._questions: asyncio.WriteTransport | None = None
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, AttributeError):  # other systems have pipes of one size
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)  # type: ignore[arg-type]
        self._task = asyncio.get_running_loop().create_task(self._listen(pickle.dumps((key, longest_s))))

    async def read(self, kind: str, page: Page) -> list[Item]:
        """Raises _Ended if the process died over another page."""
        self.asked += 1
        try:
            async with self._places:
                return await self._ask(kind, page)
        finally:
            self.asked -= 1

    async def _ask(self, kind: str, page: Page) -> list[Item]:
        if self.over or self._questions is None:
            raise _Ended
        answer: asyncio.Future[list[Item]] = asyncio.get_running_loop().create_future()
        self._waiting.append((answer, page.url))
        asked = (kind, page.body, page.url, page.content_type, page.fetched_at)
        self._questions.write(_framed(pickle.dumps(asked, pickle.HIGHEST_PROTOCOL)))
        return await answer

    async def _listen(self, hello: bytes) -> None:
        """Hands on what comes, until the process ends."""
        loop, answers = asyncio.get_running_loop(), asyncio.StreamReader()
        heard: asyncio.ReadTransport | None = None
        try:
            heard, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), self._process.stdout)
            self._questions, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, self._process.stdin)
            self._questions.write(_framed(hello))
            while True:
                length = int.from_bytes(await answers.readexactly(_LENGTH_BYTES), "big")
                told = pickle.loads(await answers.readexactly(length))  # noqa: S301 - from our own process
                if told is None:
                    self.ready = True
                    continue
                answer, _ = self._waiting.popleft()
                if not answer.done():
                    answer.set_result(told)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.ready, self.over = False, True
            for pipe in (self._questions, heard):
                if pipe is not None:
                    pipe.close()
            self._bury()

    def _bury(self) -> None:
        try:
            code = self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        for nth, (answer, url) in enumerate(self._waiting):
            if answer.done():
                continue
            if nth:
                answer.set_exception(_Ended())
                continue
            why = "it took too long" if code == -signal.SIGPROF else f"it broke its reader (exit {code})"
            answer.set_result([ProblemItem(f"page cannot be read further: {why}", url)])
        self._waiting.clear()

    async def close(self) -> None:
        """Without waiting for what it still has to read."""
        for answer, _ in self._waiting:
            answer.cancel()
        self._process.kill()
        await self._task


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(_LENGTH_BYTES, "big") + message


# ---------------------------------------------------------------- in the process


def main() -> None:
    """Answers on the standard output what comes on the standard input, until nobody is at the other end."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)  # meant for the crawl, which ends this one
    logging.getLogger().addHandler(logging.NullHandler())
    asked_on, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    with contextlib.suppress(OSError):
        hello = _next(asked_on)
        if hello is None:
            return
        key, longest_s = hello
        import trafilatura  # noqa: F401 - now, and not with the first page

        _answer(answers, None)
        pseudonym = maker(key)
        while asked := _next(asked_on):
            kind, body, url, content_type, fetched_at = asked
            # Nothing is told when it rings: the kernel ends the process, in whatever it is stuck.
            signal.setitimer(signal.ITIMER_PROF, longest_s)
            items = read(kind, Page(body, url, content_type, pseudonym, fetched_at))
            signal.setitimer(signal.ITIMER_PROF, 0)
            _answer(answers, items)


def _next(questions: BinaryIO) -> Any:
    """None once there is nothing more to come."""
    length = questions.read(_LENGTH_BYTES)
    message = questions.read(int.from_bytes(length, "big")) if len(length) == _LENGTH_BYTES else b""
    return pickle.loads(message) if message else None  # noqa: S301 - from the crawl that started this


def _answer(answers: BinaryIO, told: list[Item] | None) -> None:
    answers.write(_framed(pickle.dumps(told, pickle.HIGHEST_PROTOCOL)))
    answers.flush()


if __name__ == "__main__":
    main()
