"""The small web, served once for all tests of it, and a client that speaks plain HTTP and follows nothing."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from demo import SmallWeb, serve


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def get(self, address: str, method: str = "GET") -> Answer:
        """The answer to one request for a path or an address of the small web."""
        parts = urlsplit(address if address.startswith("http") else self.base_url + address)
        assert f"{parts.scheme}://{parts.netloc}" == self.base_url, f"led away to {address}"
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


@pytest.fixture
def web() -> Iterator[SmallWeb]:
    with serve(0) as server:
        yield server


@pytest.fixture
def client(web: SmallWeb) -> Client:
    return Client(web.base_url)
