"""What `jaga evidence seal` and `verify` promise of the whole archive."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.archive import Archive, Fetch
from crawlers.evidence.chain import Chain
from crawlers.evidence.records import scan
from crawlers.evidence.seal import seal

from .world import TODAY, World, files_under, three_days


def of_chain(world: World, name: str) -> Path:
    return world.home / "evidence" / name


def warc_of(world: World, nth: int) -> Path:
    return sorted((world.home / "warc").glob("*.warc.gz"))[nth]


def told(report: object) -> str:
    return " | ".join(f"{p['file']}: {p['record']}: {p['what']}" for p in report["problems"])  # type: ignore[index]


def test_each_day_that_is_over_gets_one_manifest_with_its_files_sizes_and_digests(world: World) -> None:
    world.keep(1, 0)
    done = world.jaga("seal", "--json").json
    assert [one["day"] for one in done["entries"]] == [f"{TODAY - timedelta(days=d):%Y-%m-%d}" for d in (3, 2, 1)]
    assert (done["files"], done["records"]) == (3, 9)
    entry = Chain(world.home).entry(2)
    name = warc_of(world, 1).name
    assert entry.files == {name: {"bytes": warc_of(world, 1).stat().st_size, "records": 3}}
    digests = subprocess.run(["sha256sum", f"warc/{name}"], cwd=world.home, capture_output=True, text=True, check=True)
    assert digests.stdout in of_chain(world, "000002.txt").read_text()
    report = world.verify()
    assert report["ok"]
    assert (report["files"], report["records"], report["entries"]) == (3, 10, 3)
    assert any("today's, not sealed yet" in note for note in report["notes"])


def test_sealing_again_changes_nothing(world: World) -> None:
    world.jaga("seal")
    before = {path: path.read_bytes() for path in files_under(world.home / "evidence")}
    assert world.jaga("seal", "--json").json["files"] == 0
    assert {path: path.read_bytes() for path in files_under(world.home / "evidence")} == before


def test_sha256sum_alone_follows_the_chain(world: World) -> None:
    world.jaga("seal")
    ran = subprocess.run(
        "sha256sum --check --strict evidence/0*.txt evidence/HEAD",
        shell=True,
        cwd=world.home,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count(": OK") == 9


def test_an_archive_of_an_earlier_version_says_that_it_is_not_sealed_and_can_be(tmp_path: Path) -> None:
    world = three_days(tmp_path / "home")
    report = world.verify()
    assert len(report["problems"]) == 3
    assert "no manifest names it: `jaga evidence seal`" in told(report)
    assert report["records"] == 9
    assert world.jaga("seal").code == 0
    assert world.verify()["ok"]


def test_a_home_without_any_archive_is_well(tmp_path: Path) -> None:
    world = World(tmp_path / "home")
    assert world.jaga("seal").code == 0
    assert world.verify()["ok"]


@settings(max_examples=60)
@given(data=st.data())
def test_one_changed_byte_anywhere_is_noticed_and_its_file_named(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = SEALED.get("home") or SEALED.setdefault("home", sealed(tmp_path_factory.mktemp("sealed")))
    world = World(home)
    files = [path for path in files_under(home) if path.name not in ("lock", "store.db")]
    file = data.draw(st.sampled_from(files))
    whole = file.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    file.write_bytes(whole[:position] + bytes([whole[position] ^ (1 << bit)]) + whole[position + 1 :])
    try:
        report = world.verify()
    finally:
        file.write_bytes(whole)
    assert not report["ok"], f"{file}, byte {position}, bit {bit}"
    names = {problem["file"] for problem in report["problems"]}
    path = file.relative_to(home).as_posix()
    assert path in names or path == "evidence/HEAD"


SEALED: dict[str, Path] = {}


def sealed(folder: Path) -> Path:
    world = three_days(folder / "home")
    world.jaga("seal")
    assert world.verify()["ok"]
    return world.home


def test_a_changed_record_is_named(world: World) -> None:
    world.jaga("seal")
    file = warc_of(world, 1)
    with file.open("rb") as opened:
        second = list(scan(opened))[1]
    data = bytearray(file.read_bytes())
    data[second.offset + second.length // 2] ^= 1
    file.write_bytes(data)
    (problem,) = world.verify()["problems"]
    assert (problem["file"], problem["record"]) == (f"warc/{file.name}", second.id)


def test_a_record_that_was_exchanged_for_a_sound_one_is_named(world: World) -> None:
    world.jaga("seal")
    file = warc_of(world, 0)
    with file.open("rb") as opened:
        first = next(scan(opened))
    data = file.read_bytes()
    plain = gzip.decompress(data[: first.length])
    file.write_bytes(gzip.compress(plain, 1) + data[first.length :])
    problems = world.verify()["problems"]
    assert [problem["record"] for problem in problems] == [first.id]
    assert "not those of the list" in problems[0]["what"]


def test_a_truncated_file_is_named_with_the_record_that_broke_off(world: World) -> None:
    world.jaga("seal")
    file = warc_of(world, 2)
    with file.open("rb") as opened:
        last = list(scan(opened))[-1]
    os.truncate(file, last.offset + 10)
    (problem,) = world.verify()["problems"]
    assert (problem["file"], problem["record"]) == (f"warc/{file.name}", last.id)
    assert "ends in the middle" in problem["what"]


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda w: warc_of(w, 1).unlink(), "is missing (evidence/000002.txt)"),
        (lambda w: of_chain(w, "000002.txt").unlink(), "evidence/000002.txt: None: is missing"),
        (lambda w: of_chain(w, "000003.txt").unlink(), "evidence/000003.txt: None: is missing"),
        (lambda w: of_chain(w, "HEAD").unlink(), "evidence/HEAD: None: is missing"),
        (lambda w: min(of_chain(w, "records").iterdir()).unlink(), "is missing (evidence/000001.txt)"),
        (lambda w: shutil.rmtree(of_chain(w, "")), "its manifest was taken away"),
        (lambda w: exchange(of_chain(w, "000001.txt"), of_chain(w, "000002.txt")), "says that it is number 2"),
        (lambda w: link(warc_of(w, 0)), "is no plain file"),
        (lambda w: link(of_chain(w, "000001.txt")), "cannot be read"),
        (lambda w: of_chain(w, "000003.txt").write_bytes(b"#" * 60_000_000), "longer than"),
    ],
)
def test_whatever_is_taken_away_exchanged_or_not_plain_is_named(world: World, damage: object, named: str) -> None:
    world.jaga("seal")
    damage(world)  # type: ignore[operator]
    report = world.verify()
    assert named in told(report)


def exchange(one: Path, other: Path) -> None:
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)


def link(file: Path) -> None:
    aside = file.parent.parent / f"aside-{file.name}"
    file.rename(aside)
    file.symlink_to(aside)


def test_a_chain_that_was_written_anew_is_noticed_by_whoever_noted_its_head(world: World) -> None:
    noted = world.jaga("seal", "--json").json["entries"][-1]["sha256"]
    shutil.rmtree(of_chain(world, ""))
    warc_of(world, 0).unlink()
    world.jaga("seal")
    assert world.verify()["ok"]
    assert noted in told(world.verify("--head", noted))


def test_nothing_is_added_to_a_broken_chain(world: World) -> None:
    world.jaga("seal")
    of_chain(world, "000002.txt").write_text("nothing\n")
    world.keep(1, 1)
    ran = world.jaga("seal")
    assert ran.code == 1
    assert "evidence/000002.txt: is no entry of a chain" in ran.err
    assert not of_chain(world, "000004.txt").exists()


def test_a_chain_whose_end_was_taken_away_is_not_gone_on_with(world: World) -> None:
    world.jaga("seal")
    of_chain(world, "000003.txt").unlink()
    warc_of(world, 2).unlink()
    world.keep(5, 1)
    for words in (("seal",), ("hold", "add", world.posts[0].id, "--why", "perkara")):
        ran = world.jaga(*words)
        assert ran.code == 1
        assert "evidence/000003.txt: is missing: evidence/HEAD names it" in ran.err
    assert "evidence/000003.txt: None: is missing" in told(world.verify())


def test_half_a_record_of_a_killed_process_is_cut_off_and_told(world: World) -> None:
    file = warc_of(world, 0)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:200])
    ran = world.jaga("seal")
    assert "the last 200 bytes were half a record of a killed process" in ran.err
    assert file.read_bytes() == whole
    assert Chain(world.home).entry(1).files[file.name]["cut_bytes"] == 200
    assert world.verify()["ok"]


def test_damage_from_before_the_sealing_stays_in_sight(world: World) -> None:
    file = warc_of(world, 0)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    ran = world.jaga("seal")
    assert ran.code == 0
    assert f"warc/{file.name}: byte" in ran.err
    assert f"warc/{file.name}" in told(world.verify())


def test_a_record_that_unpacks_without_end_is_refused_in_bounded_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawlers.evidence.records.MAX_RECORD_BYTES", 3_000_000)
    file = world.home / "warc" / f"{TODAY:%Y%m%d}-9.warc.gz"
    file.write_bytes(gzip.compress(b"WARC/1.1\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000))
    assert "a record of more than 3000000 bytes" in told(world.verify())


def test_a_crawler_goes_on_in_another_file_once_its_file_was_sealed(world: World) -> None:
    archive = Archive(world.home / "warc")
    first = archive.keep(Fetch("https://a.example/1", b"satu", TODAY))
    archive.sync()
    done = seal(world.home, today_too=True)
    assert first.warc in done.entries[-1].files
    second = archive.keep(Fetch("https://a.example/2", b"dua", TODAY))
    archive.close()
    assert second.warc != first.warc
    assert world.verify()["ok"]
    world.jaga("seal", "--today")
    assert world.verify()["records"] == 11


def test_a_file_in_the_middle_of_a_batch_is_left_for_the_next_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawlers.evidence.seal.BUSY_S", 0.1)
    archive = Archive(world.home / "warc")
    kept = archive.keep(Fetch("https://a.example/1", b"satu", TODAY))
    assert [f"warc/{kept.warc}: in use, left for the next time"] == seal(world.home, today_too=True).notes
    archive.close()
    assert kept.warc in seal(world.home, today_too=True).entries[-1].files


def test_a_large_day_is_spread_over_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.archive.FILE_RECORDS", 4)
    archive = Archive(world.home / "warc")
    names = {archive.keep(Fetch(f"https://a.example/{n}", b"x", TODAY)).warc for n in range(10)}
    archive.close()
    assert len(names) == 3
    assert world.jaga("seal", "--today").code == 0
    assert world.verify()["records"] == 19


def test_a_late_page_of_a_sealed_day_gets_a_further_manifest(world: World) -> None:
    world.jaga("seal")
    world.keep(99, 2)
    (entry,) = world.jaga("seal", "--json").json["entries"]
    assert (entry["entry"], entry["day"]) == (4, f"{TODAY - timedelta(days=2):%Y-%m-%d}")
    assert world.verify()["ok"]


def test_a_full_disk_stops_the_sealing_and_loses_nothing(world: World) -> None:
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from crawlers.__main__ import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))\n"
        "sys.exit(main(['evidence', 'seal']))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "JAGA_HOME": str(world.home)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "File too large" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not Chain(world.home).numbers()
    assert world.jaga("seal").code == 0
    assert world.verify()["ok"]


WRITER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from crawlers.archive import Archive, Fetch
archive = Archive(Path(sys.argv[1]))
while not Path(sys.argv[2]).exists():
    for n in range(5):
        kept = archive.keep(Fetch(f"https://a.example/{n}", b"isi " * 500, datetime.now(UTC)))
        print(kept.record_id)
    archive.sync()
    time.sleep(0.01)
archive.close()
"""


def test_sealing_beside_crawlers_at_work_loses_and_spoils_no_record(tmp_path: Path) -> None:
    home, stop = tmp_path / "home", tmp_path / "stop"
    writers = []
    for n in range(2):
        with (tmp_path / f"written{n}").open("w") as out:
            writers.append(subprocess.Popen([sys.executable, "-c", WRITER, home / "warc", stop], stdout=out))
    sealed = 0
    while sealed < 8:
        sealed += seal(home, today_too=True).files
        assert all(writer.poll() is None for writer in writers)
    stop.touch()
    assert [writer.wait() for writer in writers] == [0, 0]
    written = [line for n in range(2) for line in (tmp_path / f"written{n}").read_text().split()]
    seal(home, today_too=True)
    listed = [
        line.split("  ")[1].removesuffix(".warc.gz")
        for file in (home / "evidence" / "records").iterdir()
        for line in file.read_text().splitlines()
    ]
    assert sorted(f"<urn:uuid:{name}>" for name in listed) == sorted(written)
    assert World(home).verify()["ok"]


def test_each_post_s_record_is_looked_for_where_that_is_asked(world: World) -> None:
    world.jaga("seal")
    today = world.keep(1, 0)
    report = world.verify("--posts")
    assert report["ok"]
    assert report["posts"] == 14, "seven posts and as many revisions"
    assert today.evidence is not None
    (world.home / "warc" / today.evidence.warc).unlink()
    assert world.verify()["ok"], "nobody has sealed it yet"
    assert f"the record of post {today.id} is in no file" in told(world.verify("--posts"))


def test_a_post_that_names_another_body_than_its_record_holds_is_named(world: World) -> None:
    world.jaga("seal")
    post = world.posts[0]
    assert post.evidence is not None
    other = post.evidence.model_copy(update={"sha256": "0" * 64})
    world.put(post.model_copy(update={"fetched_at": TODAY, "evidence": other}))
    assert f"its body is not the one that post {post.id} names" in told(world.verify("--posts"))


def test_removed_records_are_not_missed_by_their_posts(world: World) -> None:
    world.jaga("prune", JAGA_EVIDENCE_DAYS="2")
    assert world.verify("--posts")["ok"]
