"""A post that is gone from its own page is told to be gone; what was fetched of it stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawlers.seen import Seen
from pipeline.contracts import Deletion, Post
from pipeline.topology import DELETIONS, GAPS, HEARTBEATS, POSTS_RAW

from .conftest import ROOT
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


# ---------------------------------------------------------------- looking again


@dataclass
class Found:
    told: dict[str, int]
    posts: list[Post]
    deletions: list[Deletion]
    said: str


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Found]:
    """Rechecks posts in a process of its own."""

    def run(site: Site, *posts: Post) -> Found:
        out = tmp_path / "recheck.bin"
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("JAGA_")},
            "JAGA_HOME": str(tmp_path / "home"),
            "JAGA_GUARD_ALLOW": f"127.0.0.1:{site.port}",
            "JAGA_CRAWL_DELAY_S": "0",
        }
        script = (
            "import json, sys\n"
            "from pathlib import Path\n"
            "from crawlers import recheck\n"
            "from pipeline.contracts import Post\n"
            "from pipeline.settings import load_settings\n"
            "from tests.crawlers.fakes import FakeBroker\n"
            "from crawlers.__main__ import _log_in_words\n"
            "_log_in_words()\n"
            "recheck.BLUESKY = sys.argv[3]\n"
            "posts = [Post.model_validate_json(line) for line in sys.argv[1].splitlines()]\n"
            "done = recheck.recheck(load_settings(), posts, lambda: FakeBroker(0, Path(sys.argv[2])))\n"
            "print(json.dumps(done.as_dict()))\n"
        )
        told = "\n".join(post.model_dump_json() for post in posts)
        ran = subprocess.run(
            [sys.executable, "-c", script, told, str(out), f"http://127.0.0.1:{site.port}"],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert ran.returncode == 0, ran.stderr
        return Found(
            json.loads(ran.stdout.splitlines()[-1]), published(out, POSTS_RAW), published(out, DELETIONS), ran.stderr
        )

    return run


def a_post(platform: str, native_id: str, url: str | None, text: str = "Kabar dari pasar") -> Post:
    return Post(
        platform=platform,
        native_id=native_id,
        text=text,
        url=url,
        fetched_at=datetime(2026, 11, 20, tzinfo=UTC),
        source="warga",
        region="33",
    )


def status(site: Site, text: str) -> Answer:
    told = {
        "id": "7",
        "uri": f"http://127.0.0.1:{site.port}/users/ani/statuses/7",
        "url": f"http://127.0.0.1:{site.port}/@ani/7",
        "created_at": "2026-11-20T08:00:00Z",
        "visibility": "public",
        "content": f"<p>{text}</p>",
        "account": {"acct": "ani", "url": f"http://127.0.0.1:{site.port}/@ani"},
    }
    return Answer(json.dumps(told), headers={"Content-Type": "application/json"})


def test_looking_again_finds_what_was_edited_deleted_and_left_as_it_was(look: Callable[..., Found]) -> None:
    with Site({}) as site:
        here = f"http://127.0.0.1:{site.port}"
        site.answers["/api/v1/statuses/7"] = status(site, "Kabar yang disunting")
        site.answers["/api/v1/statuses/8"] = Answer('{"error": "Record not found"}', status=404)
        site.answers["/xrpc/app.bsky.feed.getPosts"] = Answer(
            '{"posts": []}', headers={"Content-Type": "application/json"}
        )
        edited = a_post("mastodon", f"{here}/users/ani/statuses/7", f"{here}/@ani/7")
        deleted = a_post("mastodon", f"{here}/users/ani/statuses/8", f"{here}/@ani/8")
        sky = a_post("bluesky", "at://did:plc:contoh/app.bsky.feed.post/3k", None)
        placeless = a_post("import", "1", None)
        found = look(site, edited, deleted, sky, placeless)
        same = look(site, edited.model_copy(update={"text": "Kabar yang disunting"}))
    assert found.told == {"asked": 3, "edited": 1, "deleted": 2, "unasked": 1, "unpublished": 0}
    (post,) = found.posts
    assert (post.id, post.text, post.source, post.region) == (edited.id, "Kabar yang disunting", "warga", "33")
    assert post.evidence is not None
    assert {one.post_id: one.how for one in found.deletions} == {
        deleted.id: "HTTP 404",
        sky.id: "not among the posts that the server has",
    }
    assert all(one.evidence is not None and one.source == "warga" for one in found.deletions)
    assert same.told["edited"] == 0


def test_what_masks_took_out_of_a_post_is_no_edit_of_it(look: Callable[..., Found]) -> None:
    with Site({}) as site:
        here = f"http://127.0.0.1:{site.port}"
        site.answers["/api/v1/statuses/7"] = status(site, "Hubungi 0812-3456-7890")
        kept = a_post("mastodon", f"{here}/users/ani/statuses/7", f"{here}/@ani/7", "Hubungi [phone]")
        found = look(site, kept)
    assert (found.told["asked"], found.told["edited"]) == (1, 0)
    assert found.posts == []


def test_single_posts_that_are_looked_at_again_are_no_sources_of_the_coverage(
    look: Callable[..., Found], tmp_path: Path
) -> None:
    with Site({}) as site:
        here = f"http://127.0.0.1:{site.port}"
        site.answers["/api/v1/statuses/7"] = status(site, "Kabar yang disunting")
        edited = a_post("mastodon", f"{here}/users/ani/statuses/7", f"{here}/@ani/7")
        refused = a_post("web", f"{here}/larang", f"{here}/larang")
        site.answers["/larang"] = Answer("", status=403)
        assert look(site, edited, refused).told["edited"] == 1
    assert published(tmp_path / "recheck.bin", HEARTBEATS) == []
    assert published(tmp_path / "recheck.bin", GAPS) == []
    with closing(Seen(tmp_path / "home" / "crawl.db")) as seen:
        assert seen.get(f"shape:recheck.{edited.id}") is None


def test_looking_again_takes_nothing_for_a_deletion_that_does_not_say_so(look: Callable[..., Found]) -> None:
    with Site({}) as site:
        here = f"http://127.0.0.1:{site.port}"
        site.answers["/masuk"] = Answer(
            "<title>Masuk</title><input type=password>", headers={"Content-Type": "text/html"}
        )
        site.answers["/larang"] = Answer("", status=403)
        site.answers["/robots.txt"] = Answer("User-agent: *\nDisallow: /rahasia\n")
        posts = [a_post("web", f"{here}{path}", f"{here}{path}") for path in ("/masuk", "/larang", "/rahasia")]
        found = look(site, *posts)
    assert (found.told["deleted"], found.told["edited"]) == (0, 0)
    assert "HTTP 403" in found.said
    assert "robots.txt forbids it" in found.said
