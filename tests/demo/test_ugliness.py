"""The ugliness of the small web behaves as its README says, so that a crawler can be tried on it."""

from __future__ import annotations

import gzip
import json
import socket
import time
from http.client import HTTPConnection

import pytest

from demo import SmallWeb, serve
from demo.compose import compose
from demo.ugliness import GIANT_BYTES, INTERNAL_LINK
from tests.demo.conftest import Client


def path_of(fault: str) -> str:
    article = next(a for listed in compose().articles.values() for a in listed if a.ugly == fault)
    return f"/{article.site}/{article.path}"


def test_fifty_megabytes_come_in_pieces_and_a_crawler_may_hang_up(web: SmallWeb) -> None:
    connection = HTTPConnection(web.base_url.removeprefix("http://"), timeout=60)
    connection.request("GET", "/wartapesisir/raksasa/")
    response = connection.getresponse()
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers["Content-Length"] is None
    assert len(response.read(1_000_000)) == 1_000_000
    connection.close()
    assert Client(web.base_url).get("/__demo__/health").status == 200
    assert len(Client(web.base_url).get("/wartapesisir/raksasa/").body) >= GIANT_BYTES


def test_redirects_go_in_a_circle_and_towards_the_metadata_address(client: Client) -> None:
    first = client.get("/wartapesisir/putar/a/").headers["Location"]
    assert client.get(first).headers["Location"] == client.base_url + "/wartapesisir/putar/a/"
    away = client.get("/wartapesisir/awan/")
    assert (away.status, away.headers["Location"]) == (302, "http://169.254.169.254/latest/meta-data/")
    assert b"<link>http://169.254.169.254/" in client.get("/wartapesisir/rss.xml").body


def test_the_five_hundred_and_the_four_twenty_nine_recover_on_the_second_try(client: Client) -> None:
    assert [client.get(path_of("500")).status for _ in range(3)] == [500, 200, 200]
    refused = client.get(path_of("429"))
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert client.get(path_of("429")).status == 200


def test_gone_empty_and_always_failing_pages(client: Client) -> None:
    assert client.get("/wartapesisir/hilang/").status == 404
    assert client.get("/wartapesisir/rusak/").status == 500
    empty = client.get("/wartapesisir/kosong/")
    assert (empty.status, empty.body, empty.headers["Content-Length"]) == (200, b"", "0")


def test_the_slow_page_takes_two_seconds_and_blocks_nobody_else(client: Client) -> None:
    started = time.monotonic()
    assert client.get(path_of("slow")).status == 200
    assert 1.9 < time.monotonic() - started < 20


def test_wrong_content_types_and_charsets(client: Client) -> None:
    packed = client.get(path_of("gzip"))
    assert (packed.headers["Content-Encoding"], packed.headers["Content-Type"]) == (
        "gzip",
        "application/octet-stream",
    )
    assert b"Barrang Lompo" in gzip.decompress(packed.body)
    sitemap = client.get("/kabarnusa/sitemap-arsip.xml.gz")
    assert sitemap.headers["Content-Type"].startswith("text/html")
    assert b"<urlset" in gzip.decompress(sitemap.body)
    wrong = client.get(path_of("charset"))
    assert "utf-8" in wrong.headers["Content-Type"]
    assert "½" in wrong.body.decode("cp1252")
    with pytest.raises(UnicodeDecodeError):
        wrong.body.decode("utf-8")


def test_nul_bytes_broken_html_missing_and_absurd_dates(client: Client) -> None:
    assert b"\x00" in client.get(path_of("nul")).body
    broken = client.get(path_of("broken")).body
    assert b"</article>" not in broken
    assert not broken.endswith(b"</html>")
    assert b"published_time" not in client.get(path_of("no-date")).body
    assert b"2099-01-01" in client.get(path_of("absurd-date")).body


def test_a_lone_surrogate_escape_stands_in_the_timeline(client: Client) -> None:
    torn = next(status for status in compose().statuses if "\ud83d" in status.text)
    answer = client.get(f"/mikro/api/v1/statuses/{torn.id}")
    assert b"\\ud83d<" in answer.body
    with pytest.raises(UnicodeEncodeError):
        json.loads(answer.body)["content"].encode()


def test_robots_forbid_a_path_and_every_visit_there_is_counted(client: Client) -> None:
    robots = client.get("/robots.txt").body.decode()
    assert "Disallow: /kabarnusa/internal/" in robots
    assert client.get("/__demo__/hits").json()["forbidden"] == 0
    client.get(INTERNAL_LINK)
    client.get(path_of("slow") + "cetak")
    hits = client.get("/__demo__/hits").json()
    assert hits["forbidden"] == 2
    assert hits["paths"][INTERNAL_LINK] == 1


def test_forbidden_addresses_are_linked_so_that_obedience_is_a_choice(client: Client) -> None:
    assert INTERNAL_LINK.encode() in client.get("/kabarnusa/").body
    assert INTERNAL_LINK.encode() in client.get(path_of("nul")).body


def test_one_connection_serves_many_requests_and_head_has_no_body(web: SmallWeb) -> None:
    connection = HTTPConnection(web.base_url.removeprefix("http://"), timeout=60)
    connection.connect()
    kept = connection.sock
    for method in ("GET", "HEAD", "GET"):
        connection.request(method, "/kabarnusa/rss.xml")
        response = connection.getresponse()
        body = response.read()
        assert int(response.headers["Content-Length"]) > 5000
        assert bool(body) == (method == "GET")
        assert connection.sock is kept
    connection.close()


def test_a_strange_host_header_does_not_get_into_addresses(web: SmallWeb) -> None:
    with socket.create_connection(web.server_address[:2], timeout=60) as raw:
        raw.sendall(b'GET /kabarnusa/rss.xml HTTP/1.1\r\nHost: "><script>\r\nConnection: close\r\n\r\n')
        received = b""
        while piece := raw.recv(65536):
            received += piece
    assert b"<script>" not in received
    assert web.base_url.encode() in received


def test_the_port_is_free_again_after_close() -> None:
    server = serve(0)
    port = server.server_address[1]
    server.close()
    serve(port).close()
