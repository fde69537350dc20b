"""A real Kafka in one process: KRaft, broker and controller together."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.servers import jars
from tests.servers.server import Missing, Running, answers, free_port, java, jvm, launch

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # The fault runs kill many members, and would wait 6 s for each to be missed.
    "group.min.session.timeout.ms": "500",
    # As in docker-compose.yml: a topic nobody made is an error, posts of 5 MB pass, a group that rests keeps its place.
    "auto.create.topics.enable": "false",
    "message.max.bytes": "8454144",
    "offsets.retention.minutes": "5256000",
}


def start(folder: Path, port: int | None = None, *, stay: bool = False) -> Running:
    """Raises Missing where Java or a jar cannot be had."""
    class_path = ":".join(str(path) for path in jars.fetch("kafka").values())
    command = [java() / "bin" / "java", "-Xmx384m", "-Xms128m", *jvm(stay), "-cp", class_path]
    home = folder / "kafka"
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    controller = free_port()
    properties = home / "server.properties"
    properties.write_text(
        "".join(f"{name}={value}\n" for name, value in SETTINGS.items())
        + f"log.dirs={home / 'data'}\n"
        + f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
        + f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n"
        + f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n"
    )
    if not (home / "data").exists():
        done = subprocess.run(
            [*command, "kafka.tools.StorageTool", "format", "-t", "amFnYS1ydWFuZy10ZXN0cw", "-c", properties],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Missing(f"Kafka cannot format {home / 'data'}: {done.stderr.strip()[-300:]}")
    return launch(
        [*command, "kafka.Kafka", properties], home, f"kafka://127.0.0.1:{port}", lambda: answers(port), stay=stay
    )
