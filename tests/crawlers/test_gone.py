"""A post that is gone from its own page is told to be gone; what was fetched of it stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from pipeline.topology import DELETIONS

from .fakes import Answer, Site, published

ARTICLE = (
    "<html><head><title>Kabar {n}</title></head><body><article><h1>Kabar {n}</h1><p>"
    + "Warga Kota Contoh membicarakan kabar ini sejak pagi di pasar. " * 8
    + "</p></article></body></html>"
)


def page(n: int) -> Answer:
    return Answer(ARTICLE.format(n=n), headers={"Content-Type": "text/html; charset=utf-8"})


def source(site: Site, path: str) -> dict[str, Any]:
    return {"id": "kabar", "kind": "article", "url": f"http://127.0.0.1:{site.port}{path}", "legal_basis": "uji"}


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_gave_a_post_and_is_gone_makes_a_deletion_with_its_own_evidence(
    crawl: Callable[..., Any], tmp_path: Path, status: int
) -> None:
    with Site({"/a": page(1)}) as site:
        (post,) = crawl(site, [source(site, "/a")]).posts
        site.answers["/a"] = Answer("tidak ada", status=status)
        result = crawl(site, [source(site, "/a")])
        (deletion,) = published(tmp_path / "log.bin", DELETIONS)
        assert crawl(site, [source(site, "/a")]).tally["deletions"] == 0, "told once"
    assert (deletion.platform, deletion.native_id) == (post.platform, post.native_id)
    assert deletion.post_id == post.id
    assert deletion.how == f"HTTP {status}"
    assert result.tally["deletions"] == 1
    with (result.home / "warc" / deletion.evidence.warc).open("rb") as file:
        (record,) = [r for r in ArchiveIterator(file) if r.rec_headers["WARC-Record-ID"] == deletion.evidence.record_id]
        assert record.http_headers.get_statuscode() == str(status)


@pytest.mark.parametrize("status", [403, 451, 503])
def test_an_answer_that_does_not_say_it_for_certain_makes_none(crawl: Callable[..., Any], status: int) -> None:
    with Site({"/a": page(1)}) as site:
        crawl(site, [source(site, "/a")])
        site.answers["/a"] = Answer("", status=status)
        assert crawl(site, [source(site, "/a")]).tally["deletions"] == 0


def test_a_page_that_never_gave_a_post_makes_none(crawl: Callable[..., Any]) -> None:
    with Site({}) as site:
        assert crawl(site, [source(site, "/a")]).tally["deletions"] == 0


def test_an_edit_is_a_revision_and_no_deletion(crawl: Callable[..., Any]) -> None:
    with Site({"/a": page(1)}) as site:
        (before,) = crawl(site, [source(site, "/a")]).posts
        site.answers["/a"] = page(2)
        result = crawl(site, [source(site, "/a")])
    (after,) = result.posts
    assert (after.id, result.tally["deletions"]) == (before.id, 0)
    assert after.revision != before.revision
