"""Settings that are wrong stop the program and are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.settings import BadSettings, load_settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_setting_is_read_from_the_environment_and_from_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "jaga.env").write_text("JAGA_API_PORT=9001\nJAGA_ALERT_POSTS=7\n")
    monkeypatch.setenv("JAGA_API_PORT", "9002")
    settings = load_settings()
    assert (settings.api_port, settings.alert_posts) == (9002, 7)


def test_an_unknown_name_in_the_file_is_named_with_the_file(here: Path) -> None:
    (here / "jaga.env").write_text("JAGA_BROKR=kafka://x:1\n")
    with pytest.raises(BadSettings, match=r"JAGA_BROKR \(in jaga.env\) is no setting"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JAGA_STORE", "mongodb://x"),
        ("JAGA_BROKER", "kafka://"),
        ("JAGA_API_PORT", "70000"),
        ("JAGA_INDEX_PREFIX", "Große"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=name):
        load_settings()


def test_settings_pass_to_another_program_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(alert_posts=9, guard_allow="127.0.0.1:8765")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
