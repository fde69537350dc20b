"""What is handed over can be checked by whoever receives it, without us; whatever is done to it is noticed."""

from __future__ import annotations

import gzip
import hashlib
import html.parser
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.archive import Archive, Fetch
from crawlers.evidence.records import scan
from pipeline.contracts import Deletion, Post
from pipeline.documents import deletion_write

from .authority import Authority
from .steps import PATH, follow, steps
from .world import TODAY, World, files_under, three_days


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of an alert's posts, stamped; the authority's root lies beside it."""
    base = tmp_path_factory.mktemp("stamped")
    world = three_days(base / "home")
    world.alert()
    with Authority(base / "tsa") as authority:
        env = {"JAGA_TSA_URL": authority.url, "JAGA_TSA_CA": str(authority.root)}
        ran = world.jaga("export", "a0001", "--to", base / "bukti", **env)
    assert ran.code == 0, ran.err
    shutil.copy(authority.root, base / "authority.pem")
    return base / "bukti"


def test_the_written_steps_alone_verify_a_folder(stamped: Path) -> None:
    for name in ("VERIFY.md", "CARA-VERIFIKASI.md"):
        paper = (stamped / name).read_text()
        assert len(steps(paper)) == 6
        assert follow(stamped, paper) == []


def test_warcio_and_sha256sum_verify_a_folder(stamped: Path) -> None:
    files = [str(path) for path in (stamped / "warc").iterdir()]
    ran = subprocess.run(["warcio", "check", "-v", *files], capture_output=True, text=True, env={"PATH": PATH})
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count("digest pass") == 6
    ran = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=stamped, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count(": OK") == len(files_under(stamped)) - 1


def test_our_own_verify_says_what_it_found(stamped: Path) -> None:
    world = World(stamped.parent / "elsewhere")
    report = world.verify(stamped, "--ca", stamped.parent / "authority.pem")
    assert report["ok"]
    assert (report["records"], report["entries"]) == (6, 4)
    assert report["stamps"][0]["signature"] == "checked"
    assert "all well: 19 files, 6 records, 4 entries" in world.jaga("verify", stamped).out


def test_only_the_records_that_are_needed_are_handed_over_as_they_lie_in_the_archive(
    world: World, tmp_path: Path
) -> None:
    post = world.posts[3]
    assert world.jaga("export", post.id, "--to", tmp_path / "x").code == 0
    (record,) = (tmp_path / "x" / "warc").iterdir()
    assert post.evidence is not None
    assert record.read_bytes() in (world.home / "warc" / post.evidence.warc).read_bytes()
    told = json.loads((tmp_path / "x" / "posts.json").read_text())
    assert [one["id"] for one in told["posts"]] == [post.id]
    assert [path.name for path in (tmp_path / "x" / "evidence" / "records").iterdir()] == [
        post.evidence.warc.replace(".warc.gz", ".txt")
    ]
    body = subprocess.run(
        ["warcio", "extract", "--payload", str(record), "0"], capture_output=True, check=True, env={"PATH": PATH}
    ).stdout
    assert b"gudang Kota Contoh" in body


@settings(max_examples=80)
@given(data=st.data())
def test_one_changed_byte_of_any_file_is_noticed_by_us_and_by_the_written_steps(
    data: st.DataObject, stamped: Path
) -> None:
    paper = (stamped / "VERIFY.md").read_text()
    file = data.draw(st.sampled_from(files_under(stamped)))
    whole = file.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    file.write_bytes(whole[:position] + bytes([whole[position] ^ (1 << bit)]) + whole[position + 1 :])
    try:
        report = World(stamped.parent / "elsewhere").verify(stamped)
        found = follow(stamped, paper, only_first=True)
    finally:
        file.write_bytes(whole)
    assert not report["ok"], f"{file}, byte {position}, bit {bit}"
    assert found, f"{file}, byte {position}, bit {bit}"


def forge(folder: Path) -> None:
    """Make SHA256SUMS fit whatever the folder is now: what a forger would do first."""
    (folder / "SHA256SUMS").unlink()
    names = sorted(path.relative_to(folder).as_posix() for path in files_under(folder))
    made = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, check=True).stdout
    (folder / "SHA256SUMS").write_bytes(made)


@pytest.fixture
def forged(stamped: Path, tmp_path: Path) -> Path:
    shutil.copytree(stamped, tmp_path / "palsu")
    shutil.copy(stamped.parent / "authority.pem", tmp_path / "authority.pem")
    return tmp_path / "palsu"


def noticed(folder: Path) -> str:
    """What our verify says of a folder whose SHA256SUMS was made to fit; the written steps must notice it, too."""
    forge(folder)
    found = follow(folder, (folder / "VERIFY.md").read_text())
    assert found, "the written steps found nothing"
    report = World(folder.parent / "elsewhere").verify(folder, "--ca", folder.parent / "authority.pem")
    assert not report["ok"]
    return " | ".join(f"{p['file']}: {p['what']}" for p in report["problems"])


def test_a_forged_record_is_noticed_though_all_digests_in_it_and_sha256sums_fit(forged: Path, tmp_path: Path) -> None:
    file = min((forged / "warc").iterdir())
    archive = Archive(tmp_path / "own" / "warc")
    kept = archive.keep(Fetch("https://kabarwarga.example/1", b"kata yang tak pernah diucapkan", TODAY))
    archive.close()
    data = (tmp_path / "own" / "warc" / kept.warc).read_bytes()
    file.unlink()
    new = kept.record_id.removeprefix("<urn:uuid:").removesuffix(">")
    (forged / "warc" / f"{new}.warc.gz").write_bytes(data)
    said = noticed(forged)
    assert "is in no list of records" in said
    assert f"warc/{file.name}: is missing" in said


def test_a_forged_list_of_records_is_noticed(forged: Path) -> None:
    file = min((forged / "evidence" / "records").iterdir())
    file.write_text(file.read_text() + "0" * 64 + "  00000000-0000-0000-0000-000000000000.warc.gz\n")
    assert "has another SHA-256 than the chain says" in noticed(forged)


def test_an_entry_that_was_rewritten_or_taken_out_is_noticed(forged: Path) -> None:
    first = forged / "evidence" / "000001.txt"
    whole = first.read_text()
    first.write_text(whole.replace('"records": 3', '"records": 4'))
    assert "evidence/000001.txt: is not the one that the next was made after" in noticed(forged)
    first.unlink()
    assert "evidence/000001.txt: is missing" in noticed(forged)


def test_a_chain_made_anew_to_fit_a_forgery_lacks_the_authority_s_stamp(forged: Path) -> None:
    third, last, head = (forged / "evidence" / name for name in ("000003.txt", "000004.txt", "HEAD"))
    before = {file: sha256(file) for file in (third, last)}
    third.write_text(third.read_text().replace('"records": 3', '"records": 4'))
    for file, next_ in ((third, last), (last, head)):
        next_.write_text(next_.read_text().replace(before[file], sha256(file)))
    said = noticed(forged)
    assert said == "evidence/000003.tsr: it is for other bytes"


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_post_with_other_words_than_its_record_s_is_noticed_by_its_digest(forged: Path) -> None:
    told = json.loads((forged / "posts.json").read_text())
    told["posts"][0]["records"][0]["sha256"] = "0" * 64
    (forged / "posts.json").write_text(json.dumps(told))
    forge(forged)
    report = World(forged.parent / "elsewhere").verify(forged)
    assert ["its body is not the one from which" in p["what"] for p in report["problems"]] == [True]


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        (
            "a link out",
            lambda f: (f / "warc" / "keluar.warc.gz").symlink_to("/etc/passwd"),
            "keluar.warc.gz: is a link",
        ),
        ("a linked folder", lambda f: (f / "lain").symlink_to("/"), "lain: is a link"),
        ("a pipe", lambda f: os.mkfifo(f / "warc" / "pipa"), "pipa: is no plain file"),
        ("a file more", lambda f: (f / "baru.txt").write_text("x"), "baru.txt: is not named in SHA256SUMS"),
        ("a path out", lambda f: add_line(f, "../../etc/passwd"), "SHA256SUMS: line 1 of its digests is not in form"),
        ("an absolute path", lambda f: add_line(f, "/etc/passwd"), "SHA256SUMS: line 1 of its digests is not in form"),
        ("no posts", lambda f: (f / "posts.json").unlink(), "posts.json: is missing"),
        ("broken posts", lambda f: (f / "posts.json").write_text("[" * 100_000), "posts.json: cannot be read"),
        (
            "other posts",
            lambda f: (f / "posts.json").write_text('{"posts": [{"id": 1}]}'),
            "posts.json: cannot be read",
        ),
        ("no chain", lambda f: shutil.rmtree(f / "evidence"), "evidence: holds no chain"),
        ("no sums", lambda f: (f / "SHA256SUMS").unlink(), "SHA256SUMS: is missing"),
        ("a linked head", lambda f: relink(f / "evidence" / "HEAD"), "evidence/HEAD"),
    ],
)
def test_a_hostile_folder_is_told_and_never_followed(forged: Path, name: str, damage: Any, said: str) -> None:
    damage(forged)
    report = World(forged.parent / "elsewhere").verify(forged)
    assert not report["ok"], name
    assert said in " | ".join(f"{p['file']}: {p['what']}" for p in report["problems"])


def add_line(folder: Path, path: str) -> None:
    sums = folder / "SHA256SUMS"
    sums.write_text("0" * 64 + f"  {path}\n" + sums.read_text())


def relink(file: Path) -> None:
    file.rename(file.with_name("aside"))
    file.symlink_to("aside")


class Reader(html.parser.HTMLParser):
    """Collects tags, and everything that a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "style", "onload")]


def test_the_page_shows_hostile_words_as_words_and_loads_nothing(world: World, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=https://jahat.example/x onerror=alert(2)>{{ 7 * 7 }}\u202e"
    post = world.keep(77, 1, text=evil)
    assert world.jaga("export", post.id, "--to", tmp_path / "x").code == 0
    page = (tmp_path / "x" / "index.html").read_text()
    reader = Reader()
    reader.feed(page)
    assert not reader.loads
    assert not reader.tags & {"script", "img", "link", "iframe", "object", "a"}
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7 * 7 }}" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "Bukti" in page
    assert "Evidence" in page


def test_who_took_what_out_and_why_is_kept_and_cannot_be_changed_unseen(world: World, tmp_path: Path) -> None:
    post = world.posts[0]
    world.jaga("seal")
    world.jaga("export", post.id, "--to", tmp_path / "x", "--by", "sari", "--why", "permintaan 7")
    (file,) = (world.home / "evidence" / "openings").iterdir()
    told = json.loads(file.read_text())
    assert (told["id"], told["who"], told["why"]) == (post.id, "sari", "permintaan 7")
    assert len(told["records"]) == 1
    assert world.verify()["ok"]
    assert b"permintaan 7" not in b"".join(path.read_bytes() for path in files_under(tmp_path / "x"))
    file.write_text(file.read_text().replace("sari", "budi"))
    assert [p["file"] for p in world.verify()["problems"]] == [f"evidence/openings/{file.name}"]


def test_every_revision_of_an_edited_post_is_handed_over(world: World, tmp_path: Path) -> None:
    first = world.keep(50, 2, text="Sebelum disunting")
    archive = Archive(world.home / "warc")
    evidence = archive.keep(Fetch(first.url or "", b"<p>Sesudah disunting</p>", TODAY))
    archive.close()
    world.put(first.model_copy(update={"text": "Sesudah disunting", "fetched_at": TODAY, "evidence": evidence}))
    done = world.jaga("export", first.id, "--to", tmp_path / "x", "--json")
    assert (done.code, done.json["records"]) == (0, 2)
    bodies = b"".join(_body(path) for path in (tmp_path / "x" / "warc").iterdir())
    assert b"Sebelum disunting" in bodies
    assert b"Sesudah disunting" in bodies


def _body(path: Path) -> bytes:
    asked = ["warcio", "extract", "--payload", str(path), "0"]
    return subprocess.run(asked, capture_output=True, check=True, env={"PATH": PATH}).stdout


def test_a_post_that_is_gone_is_handed_over_with_the_answer_that_said_so(world: World, tmp_path: Path) -> None:
    post = world.posts[0]
    archive = Archive(world.home / "warc")
    evidence = archive.keep(Fetch(post.url or "", b"tidak ada", TODAY, 404))
    archive.close()
    gone = Deletion(platform="web", native_id=post.native_id, seen_at=TODAY, how="HTTP 404", evidence=evidence)
    store = world.store
    store.put([deletion_write(gone)])
    store.close()
    done = world.jaga("export", post.id, "--to", tmp_path / "x", "--json")
    assert (done.code, done.json["records"]) == (0, 2)
    page = (tmp_path / "x" / "index.html").read_text()
    assert "Terlihat sudah dihapus pada" in page
    assert "HTTP 404" in page
    assert world.verify(tmp_path / "x")["ok"]


def test_an_imported_row_is_handed_over_as_a_record_like_any_other(world: World, tmp_path: Path) -> None:
    archive = Archive(world.home / "warc")
    row = b'{"id": "7", "text": "Dari ekspor"}\n'
    evidence = archive.keep_row("file:ekspor.ndjson#line=7", row, "application/json", TODAY)
    archive.close()
    post = Post(platform="import", native_id="7", text="Dari ekspor", fetched_at=TODAY, evidence=evidence)
    world.put(post)
    assert world.jaga("export", post.id, "--to", tmp_path / "x").code == 0
    (record,) = (tmp_path / "x" / "warc").iterdir()
    assert _body(record) == row
    assert follow(tmp_path / "x", (tmp_path / "x" / "VERIFY.md").read_text()) == []
    assert world.verify(tmp_path / "x")["ok"]


def test_todays_page_is_sealed_for_the_export_while_its_crawler_goes_on(world: World, tmp_path: Path) -> None:
    archive = Archive(world.home / "warc")
    post = world.keep(60, 0, archive=archive)
    assert world.jaga("export", post.id, "--to", tmp_path / "x").code == 0
    later = world.keep(61, 0, archive=archive)
    archive.close()
    assert post.evidence is not None
    assert later.evidence is not None
    assert later.evidence.warc != post.evidence.warc
    assert world.verify(tmp_path / "x")["ok"]
    assert {p["what"][:20] for p in world.verify()["problems"]} == {"its day is over and "}, (
        "older days wait for their own seal"
    )


@pytest.mark.parametrize("name", ["p00000000000000000000", "a9999", "../../etc/passwd", "", "x" * 300, "\n"])
def test_an_unknown_id_is_told_and_nothing_is_written(world: World, tmp_path: Path, name: str) -> None:
    ran = world.jaga("export", "--to", tmp_path / "x", "--", name)
    assert ran.code == 2
    assert ran.err.startswith("jaga: ")
    assert "Traceback" not in ran.err
    assert not (tmp_path / "x").exists()


def test_a_folder_that_exists_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine").write_text("mine")
    ran = world.jaga("export", world.posts[0].id, "--to", tmp_path / "x")
    assert ran.code == 2
    assert "x: exists already; nothing was written" in ran.err
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["mine"]


def test_what_cannot_be_handed_over_is_told_and_the_rest_is_handed_over(world: World, tmp_path: Path) -> None:
    world.alert()
    bare = Post(platform="import", native_id="1", text="Tanpa rekaman", fetched_at=TODAY)
    world.put(bare)
    assert world.posts[0].evidence is not None
    (world.home / "warc" / world.posts[0].evidence.warc).unlink()
    done = world.jaga("export", "a0001", "--to", tmp_path / "x", "--json")
    assert done.code == 1
    assert done.json["records"] == 4
    assert f"post {bare.id}: came without bytes" in done.err
    assert "is not in warc/" in done.err
    report = world.verify(tmp_path / "x")
    assert report["ok"]
    assert len([note for note in report["notes"] if "is not in the folder" in note]) == 2


def test_a_post_without_any_bytes_gives_no_folder(world: World, tmp_path: Path) -> None:
    bare = Post(platform="import", native_id="1", text="Tanpa rekaman", fetched_at=TODAY)
    world.put(bare)
    ran = world.jaga("export", bare.id, "--to", tmp_path / "x")
    assert ran.code == 2
    assert "came without bytes" in ran.err
    assert not (tmp_path / "x").exists()


def test_a_pointer_that_leads_out_of_the_archive_is_not_followed(world: World, tmp_path: Path) -> None:
    post = world.posts[0]
    assert post.evidence is not None
    world.put(
        post.model_copy(update={"text": "x", "evidence": post.evidence.model_copy(update={"warc": "../store.db"})})
    )
    ran = world.jaga("export", post.id, "--to", tmp_path / "x")
    assert ran.code == 2
    assert "'../store.db' is no name of a WARC file" in ran.err


def test_a_record_that_was_changed_in_the_archive_is_not_handed_over(world: World, tmp_path: Path) -> None:
    world.jaga("seal")
    first, second = world.posts[:2]
    assert first.evidence is not None
    file = world.home / "warc" / first.evidence.warc
    with file.open("rb") as opened:
        record = next(scan(opened))
    data = file.read_bytes()
    forged = gzip.decompress(data[: record.length]).replace(b"sudah tercoblos", b"tidak tercoblos")
    file.write_bytes(gzip.compress(forged) + data[record.length :])
    ran = world.jaga("export", first.id, "--to", tmp_path / "x")
    assert ran.code == 2
    assert "was changed since it was sealed" in ran.err
    assert not (tmp_path / "x").exists()
    assert world.jaga("export", second.id, "--to", tmp_path / "y").code == 0


def test_a_pointer_to_another_post_s_record_is_noticed(world: World, tmp_path: Path) -> None:
    first, second = world.posts[:2]
    assert first.evidence is not None
    assert second.evidence is not None
    swapped = first.evidence.model_copy(update={"record_id": second.evidence.record_id})
    world.put(first.model_copy(update={"fetched_at": TODAY, "evidence": swapped}))
    ran = world.jaga("export", first.id, "--to", tmp_path / "x")
    assert ran.code == 1
    assert "holds another body than the post names" in ran.err
    assert world.verify(tmp_path / "x")["ok"]


def test_a_full_disk_leaves_no_half_folder(world: World, tmp_path: Path) -> None:
    world.jaga("seal")
    ran = subprocess.run(
        [sys.executable, "-c", FULL, world.posts[0].id, str(tmp_path / "x"), str(world.home)],
        capture_output=True,
        text=True,
    )
    assert "File too large" in ran.stdout, ran.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


FULL = """
import resource, signal, sys
from pathlib import Path
from crawlers.evidence.export import export
from crawlers.evidence.find import find
from pipeline.adapters.sqlite_store import SqliteStore
home = Path(sys.argv[3])
asked = find(SqliteStore(home / "store.db"), sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2200, resource.RLIM_INFINITY))
try:
    export(home, asked, Path(sys.argv[2]), who="sari")
except OSError as error:
    print(error)
"""
