"""The grown form is the one that was tested."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.house.repository import ROOT, papers, text_of


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


@pytest.mark.parametrize(
    ("server", "artifact"),
    [
        ("kafka", "org.apache.kafka:kafka_2.13"),
        ("elasticsearch", "org.elasticsearch:elasticsearch"),
    ],
)
def test_compose_starts_the_version_that_the_tests_run_against(server: str, artifact: str) -> None:
    from tests.servers import jars

    images = [service["image"] for service in services().values() if server in service.get("image", "")]
    assert images, f"docker-compose.yml has no {server}"
    assert {image.rpartition(":")[2] for image in images} == {jars.version(server, artifact)}


def test_no_image_is_left_to_chance() -> None:
    for name, service in services().items():
        image = service.get("image", "")
        assert not image or re.search(r":[\w.-]*\d", image), f"{name}: {image} names no version"


def test_services_that_the_papers_scale_exist() -> None:
    scaled = {name for path in papers() for name in re.findall(r"--scale ([\w-]+)=", text_of(path))}
    assert scaled
    assert scaled <= services().keys()
