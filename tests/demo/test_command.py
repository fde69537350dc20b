"""`python -m demo` starts fast, stops cleanly on a signal, and says what is wrong in one line."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

from demo import serve
from tests.demo.conftest import Client
from tests.pace import cpu_units

ROOT = Path(__file__).parents[2]


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "demo", *arguments], capture_output=True, text=True, timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_serves_until_it_is_told_to_stop() -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert f"127.0.0.1:{port}" in process.stdout.readline()
        assert Client(f"http://127.0.0.1:{port}").get("/__demo__/health").json()["status"] == "ok"
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


def test_the_small_web_is_up_within_half_a_second_of_cpu() -> None:
    with cpu_units() as spent:
        serve(0).close()
    assert spent() < 2.5


def test_a_taken_port_is_one_line_and_an_exit_code() -> None:
    with serve(0) as server:
        taken = demo("--port", str(server.server_address[1]))
    assert taken.returncode == 1
    assert taken.stderr.count("\n") == 1
    assert str(server.server_address[1]) in taken.stderr


def test_truth_and_score_speak_json(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in demo("--truth").stdout.splitlines()]
    members = [[row["platform"], row["native_id"]] for row in rows if row["alert"] and row["narrative"] == "serbu-kpu"]
    alerts = tmp_path / "alerts.json"
    alerts.write_text(json.dumps([{"id": "a", "posts": members}]))
    result = json.loads(demo("--score", str(alerts)).stdout)
    assert (result["precision"], result["found"]) == (1.0, ["serbu-kpu"])


def test_a_file_that_holds_no_alerts_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('[{"id": 1}]')
    answer = demo("--score", str(wrong))
    assert answer.returncode == 1
    assert "wrong.json" in answer.stderr
    assert "Traceback" not in answer.stderr
