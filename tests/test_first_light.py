"""`jaga up --demo` as a newcomer runs it: a small web is crawled, judged and shown, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

PATIENCE_S = 240
"""A loaded machine with two cores needs about a minute."""


@dataclass
class Lit:
    process: subprocess.Popen[str]
    said: str
    api: httpx.Client
    web: str
    home: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def lit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lit]:
    home = tmp_path_factory.mktemp("home")
    port, web = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAGA_")}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pipeline", "up", "--demo", "--demo-port", str(web)],
        env=environment | {"JAGA_HOME": str(home), "JAGA_API_PORT": str(port), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said, until = "", time.monotonic() + PATIENCE_S
    for line in process.stdout:
        said += line
        if line.startswith("recall") or time.monotonic() > until:
            break
    token = re.search(r"token: (\S+)", said)
    assert token, said + (home / "demo" / "up.log").read_text()[-3000:]
    api = httpx.Client(
        base_url=f"http://127.0.0.1:{port}/api/v1", headers={"Authorization": f"Bearer {token.group(1)}"}, timeout=30
    )
    yield Lit(process, said, api, f"http://127.0.0.1:{web}", home / "demo")
    api.close()
    process.terminate()
    try:
        process.wait(15)  # it stops the programs that it started; killed at once, it would leave them
    finally:
        process.kill()


def get(lit: Lit, path: str, **query: Any) -> Any:
    answer = lit.api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def alerts(lit: Lit) -> list[dict[str, Any]]:
    return list(get(lit, "/alerts", limit=200, status="new")["items"])


def test_every_post_of_the_small_web_left_by_one_door(lit: Lit) -> None:
    stats = get(lit, "/stats")["conservation"]
    assert stats["in"] == sum(stats[door] for door in ("indexed", "duplicate", "dead", "discarded", "lag"))
    assert stats["lag"] == 0
    assert stats["in"] > 600


def test_the_terminal_tells_of_alerts_with_their_reasons_and_of_the_score(lit: Lit) -> None:
    assert len(re.findall(r"^\[(?:hoax|provocation|hate)\] ", lit.said, re.MULTILINE)) == 5
    assert "Menyebarkan klaim yang sudah diperiksa oleh" in lit.said
    assert "first alert after" in lit.said


def test_hoaxes_provocation_and_hate_are_found(lit: Lit) -> None:
    assert {alert["rule"] for alert in alerts(lit)} == {"hoax", "provocation", "hate"}


def test_the_demo_is_scored_against_what_it_says_of_itself(lit: Lit) -> None:
    scored = subprocess.run(
        [sys.executable, "-m", "demo", "--score", str(lit.home / "alerts.json")], capture_output=True, text=True
    )
    score = json.loads(scored.stdout)
    # 16 of 18 narratives were found when this was written; the first model misses calls to violence in plain words.
    assert score["recall"] >= 0.85, score["missed"]
    assert score["precision"] >= 0.9, score["wrong"]
    assert score["protected"] == []


def test_an_alert_leads_to_its_posts_and_each_post_to_its_evidence(lit: Lit) -> None:
    alert = get(lit, f"/alerts/{alerts(lit)[0]['id']}")
    posts = get(lit, f"/alerts/{alert['id']}/posts", limit=200)["items"]
    assert len(posts) == alert["posts"]
    for post in posts:
        assert post["verdict"]["model"] in alert["models"]
        evidence = get(lit, f"/posts/{post['id']}/evidence")
        assert (lit.home / "warc" / evidence["warc"]).exists()


def test_what_robots_txt_forbids_was_never_fetched_and_traps_are_gaps(lit: Lit) -> None:
    assert httpx.get(f"{lit.web}/__demo__/hits").json()["forbidden"] == 0
    causes = " ".join(gap["cause"] for gap in get(lit, "/gaps")["items"])
    assert "169.254.169.254" in causes
    assert "redirect" in causes


def test_account_names_are_pseudonyms(lit: Lit) -> None:
    authors = {post["post"]["author"] for post in get(lit, "/posts", limit=200)["items"]} - {None}
    assert authors
    assert all(re.fullmatch(r"a_[0-9a-f]{20}", author) for author in authors)


def test_zz_ctrl_c_stops_every_process_cleanly(lit: Lit) -> None:
    children = psutil.Process(lit.process.pid).children(recursive=True)
    assert len(children) >= 3
    lit.process.send_signal(signal.SIGINT)
    assert lit.process.wait(60) == 0
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    assert "Traceback" not in (lit.home / "up.log").read_text()
