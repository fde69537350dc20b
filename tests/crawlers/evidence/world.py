"""A JAGA_HOME with an archive of some days and a store whose posts point into it; the commands run as a person would run them."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawlers.__main__ import main
from crawlers.archive import Archive, Fetch
from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.contracts import Alert, Judged, Post, Verdict
from pipeline.documents import alert_document, post_document, revision_write
from pipeline.ports import Write

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=1, microsecond=0)
PAGE = "<html><title>Kabar {n}</title><body><p>Surat suara di gudang Kota Contoh sudah tercoblos, kata warga. ({n})</p></body></html>"


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


@dataclass
class World:
    home: Path
    posts: list[Post] = field(default_factory=list)

    def jaga(self, *words: str | Path, **env: str) -> Ran:
        """`jaga evidence WORDS`, in this process."""
        out, err = io.StringIO(), io.StringIO()
        settings = {"JAGA_HOME": str(self.home), **env}
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(["evidence", *(str(word) for word in words)])
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        return Ran(code, out.getvalue(), err.getvalue())

    def verify(self, *words: str | Path, **env: str) -> Any:
        ran = self.jaga("verify", "--json", *words, **env)
        told = ran.json
        assert (ran.code == 0) is told["ok"]
        return told

    @property
    def store(self) -> SqliteStore:
        made = SqliteStore(self.home / "store.db")
        made.prepare()
        return made

    def keep(
        self, number: int, days_ago: int, *, archive: Archive | None = None, text: str = "", kind: str = ""
    ) -> Post:
        """A page fetched so many days ago, and its post in the store."""
        at = TODAY - timedelta(days=days_ago)
        url = f"https://kabarwarga.example/{number}"
        own = archive or Archive(self.home / "warc")
        body = PAGE.format(n=text or number).encode()
        evidence = own.keep(Fetch(url, body, at, 200, [("Content-Type", "text/html; charset=utf-8")], kind=kind))
        own.sync()
        if archive is None:
            own.close()
        post = Post(
            platform="web",
            native_id=url,
            text=text or f"Surat suara di gudang Kota Contoh sudah tercoblos, kata warga. ({number})",
            fetched_at=at,
            published_at=at,
            url=url,
            author=f"{number:016x}",
            evidence=evidence,
        )
        self.posts.append(post)
        self.put(post)
        return post

    def put(self, post: Post, narrative: str = "n0001") -> None:
        verdict = Verdict(
            post_id=post.id, revision=post.revision, model="m", scores={}, decisions={}, judged_at=post.fetched_at
        )
        judged = Judged(post=post, verdict=verdict, logged_at=post.fetched_at)
        store = self.store
        store.put([revision_write(post, f"posts.raw.v1.0.{len(self.posts)}")])
        store.put([Write("posts", post.id, post_document(judged, narrative))])
        store.close()

    def alert(self, name: str = "a0001", narrative: str = "n0001") -> Alert:
        made = Alert(
            id=name,
            narrative_id=narrative,
            rule="provocation",
            labels=("provocation",),
            headline="Surat suara <b>tercoblos</b>",
            reasons=("3 unggahan oleh 3 akun.",),
            score=0.9,
            posts=len(self.posts),
            authors=1,
            reach=0,
            platforms=("web",),
            regions=(),
            first_seen_at=TODAY,
            last_seen_at=TODAY,
            opened_at=TODAY,
            updated_at=TODAY,
            version=1,
            models=("m",),
            post_ids=tuple(post.id for post in self.posts[:200]),
        )
        store = self.store
        store.put([Write("alerts", made.id, alert_document(made))])
        store.close()
        return made


def files_under(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def three_days(home: Path) -> World:
    """Six posts: two each three, two and one days ago; one file a day, a row of an import among the records."""
    world = World(home)
    for days_ago in (3, 2, 1):
        archive = Archive(home / "warc")
        for n in range(2):
            world.keep(10 * days_ago + n, days_ago, archive=archive)
        archive.keep_row("file:contoh.csv#line=2", b"1,Halo\n", "text/csv", TODAY - timedelta(days=days_ago))
        archive.close()
    return world


__all__: Sequence[str] = ("TODAY", "Ran", "World", "files_under", "three_days")
