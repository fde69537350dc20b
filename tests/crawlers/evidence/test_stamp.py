"""Time stamps: an authority vouches for the chain, one that is away loses nothing, one that lies is not believed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .authority import Authority
from .world import World


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    with Authority(tmp_path / "tsa") as running:
        yield running


def settings(authority: Authority) -> dict[str, str]:
    return {"JAGA_TSA_URL": authority.url, "JAGA_TSA_CA": str(authority.root)}


def test_a_sealed_chain_is_stamped_and_openssl_confirms_it(world: World, authority: Authority) -> None:
    done = world.jaga("seal", "--json", **settings(authority))
    assert done.json["stamped_at"]
    assert authority.asked == 1
    report = world.verify(**settings(authority))
    assert report["ok"]
    assert report["stamps"] == [{"entry": 3, "at": done.json["stamped_at"], "signature": "checked"}]
    asked = "openssl ts -verify -in evidence/000003.tsr -data evidence/000003.txt -CAfile"
    subprocess.run([*asked.split(" "), str(authority.root)], cwd=world.home, check=True, capture_output=True)


def test_without_an_authority_none_is_asked(world: World, authority: Authority) -> None:
    assert world.jaga("seal", "--json").json["stamped_at"] is None
    assert authority.asked == 0


def test_an_authority_that_is_away_is_a_warning_and_the_next_run_makes_up_for_it(
    world: World, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    authority.status = 503
    done = world.jaga("seal", "--json", **settings(authority))
    assert done.code == 0
    assert [one["entry"] for one in done.json["entries"]] == [1, 2, 3]
    assert "no time stamp, the next `jaga evidence seal` tries again" in caplog.text
    assert "HTTP 503" in caplog.text
    assert world.verify(**settings(authority))["ok"]
    authority.status = 200
    assert world.jaga("seal", "--json", **settings(authority)).json["stamped_at"]
    assert world.verify(**settings(authority))["stamps"][0]["entry"] == 3


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/tsr", "http://nowhere.invalid/tsr"])
def test_an_authority_that_cannot_be_reached_loses_no_manifest(
    world: World, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    done = world.jaga("seal", "--json", JAGA_TSA_URL=url)
    assert (done.code, done.json["files"]) == (0, 3)
    assert url in caplog.text


@pytest.mark.parametrize("answer", [b"", b"<html>masuk dahulu</html>", b"\x30\x03\x02\x01\x02", b"x" * 300_000])
def test_an_answer_that_is_no_stamp_is_refused(
    world: World, authority: Authority, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    authority.answer = answer
    assert world.jaga("seal", **settings(authority)).code == 0
    assert "no time stamp" in caplog.text
    assert not list((world.home / "evidence").glob("*.tsr"))


def test_a_stamp_for_other_bytes_is_refused(
    world: World, authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other").write_bytes(b"lain")
    authority.answer = authority.reply_for(tmp_path / "other")
    assert world.jaga("seal", **settings(authority)).code == 0
    assert "no time stamp" in caplog.text
    assert not list((world.home / "evidence").glob("*.tsr"))


def test_a_stamp_of_somebody_who_is_not_trusted_is_refused(
    world: World, authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Authority(tmp_path / "other") as other:
        assert world.jaga("seal", JAGA_TSA_URL=other.url, JAGA_TSA_CA=str(authority.root)).code == 0
        assert "its signature does not hold" in caplog.text
        assert world.jaga("seal", JAGA_TSA_URL=other.url).code == 0
    report = world.verify()
    assert report["ok"]
    assert any("signatures not checked" in note for note in report["notes"])
    report = world.verify("--ca", authority.root)
    assert [problem["file"] for problem in report["problems"]] == ["evidence/000003.tsr"]


def test_a_stamp_that_was_exchanged_or_taken_away_is_named(world: World, authority: Authority) -> None:
    world.jaga("seal", **settings(authority))
    world.keep(5, 1)
    world.jaga("seal")
    stamp = world.home / "evidence" / "000003.tsr"
    assert "evidence/000003.tsr" in (world.home / "evidence" / "000004.txt").read_text()
    assert world.verify()["ok"]
    whole = stamp.read_bytes()
    stamp.write_bytes(authority.reply_for(world.home / "evidence" / "000003.txt"))
    assert [p["file"] for p in world.verify()["problems"]] == ["evidence/000003.tsr"]
    stamp.unlink()
    assert [p["what"] for p in world.verify()["problems"]] == ["is missing"]
    stamp.write_bytes(whole)
    assert world.verify()["ok"]


def test_a_file_of_certificates_that_is_none_is_named(world: World, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    ran = world.jaga("verify", "--ca", tmp_path / "ca.pem")
    assert ran.code == 2
    assert "ca.pem: holds no certificate in PEM" in ran.err
    ran = world.jaga("verify", "--ca", tmp_path / "none.pem")
    assert ran.code == 2
