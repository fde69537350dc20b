"""What the papers say is what the code does."""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml

from pipeline import contracts
from pipeline.settings import PREFIX, Settings, load_settings
from tests.house import settings_table
from tests.house.repository import ROOT, papers, text_of, tracked

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)")
MENTION = re.compile(r"\bdocs/[\w./-]*\w")


def paper(name: str) -> str:
    return (ROOT / name).read_text()


def commands() -> dict[str, Any]:
    """Every command that `jaga` offers, by the words one types after `jaga`."""
    from pipeline.__main__ import app

    found: dict[str, Any] = {}

    def walk(command: Any, name: str) -> None:
        if name:
            found[name] = command
        for child, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{name} {child}".strip())

    walk(typer.main.get_command(app), "")
    return found


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_with_its_default(name: str) -> None:
    assert Settings.model_fields[name].description, f"{PREFIX}{name.upper()} has no description in pipeline/settings.py"
    row = re.search(rf"^\| `{PREFIX}{name.upper()}` \|.*$", paper("docs/settings.md"), re.MULTILINE)
    assert row, f"{PREFIX}{name.upper()} is missing in docs/settings.md: make settings-table"
    assert settings_table.default_of(Settings.model_fields[name]) in row.group()


def test_the_table_of_settings_is_the_one_made_from_the_code() -> None:
    table = settings_table.written(paper("docs/settings.md"))
    assert table == settings_table.table(), "docs/settings.md is out of date: make settings-table"


def test_every_label_and_target_has_a_definition() -> None:
    from classifier.labels import DECISIONS, LABELS, TARGETS

    defined = set(re.findall(r"^\| `(\w+)` \|", paper("docs/words.md"), re.MULTILINE))
    wanted = {*LABELS, *TARGETS, *DECISIONS, *get_args(contracts.Stance), *get_args(contracts.Rule)}
    assert wanted <= defined, f"docs/words.md does not define {sorted(wanted - defined)}"


def test_every_word_of_the_contracts_has_a_definition() -> None:
    defined = set(re.findall(r"^\| \*\*([\w ]+)\*\* \|", paper("docs/words.md"), re.MULTILINE))
    words = {"post", "verdict", "claim", "stance", "narrative", "alert", "gap", "evidence", "dead letter", "source"}
    assert words <= defined, f"docs/words.md does not define {sorted(words - defined)}"


def test_every_command_and_option_is_described() -> None:
    text = paper("docs/cli.md")
    options = []
    for name, command in commands().items():
        assert f"jaga {name}" in text, f"docs/cli.md does not describe `jaga {name}`"
        options += [
            (name, max(option.opts, key=len))
            for option in command.params
            if option.param_type_name == "option" and not option.hidden
        ]
    assert len(options) > 10, "the commands' options were not found"
    for name, option in options:
        assert option in text, f"docs/cli.md does not name {option} of `jaga {name}`"


@pytest.mark.parametrize("name", ["crawl", "parse", "ingest"])
def test_every_option_of_the_crawlers_is_described(name: str) -> None:
    import crawlers.__main__

    parser = argparse.ArgumentParser()
    getattr(crawlers.__main__, f"add_{name}")(parser)
    text = paper("docs/cli.md")
    options = {max(action.option_strings, key=len) for action in parser._actions if action.option_strings}
    for option in options - {"--help"}:
        assert option in text, f"docs/cli.md does not name {option} of `jaga {name}`"


def test_every_command_and_option_of_sources_is_described() -> None:
    from crawlers.sources_command import app

    text = paper("docs/cli.md")
    found = getattr(typer.main.get_command(app), "commands", {})
    assert len(found) > 5
    for name, command in found.items():
        assert f"`jaga sources {name}" in text, f"docs/cli.md does not describe `jaga sources {name}`"
        for option in command.params:
            if option.param_type_name == "option" and option.name != "help":
                assert max(option.opts, key=len) in text, (
                    f"docs/cli.md does not name {option.opts} of `jaga sources {name}`"
                )


def test_every_command_and_option_of_evidence_is_described() -> None:
    from crawlers.evidence_command import app

    text = paper("docs/cli.md")
    left = [("jaga evidence", typer.main.get_command(app))]
    found = 0
    while left:
        name, command = left.pop()
        left += [(f"{name} {child}", inner) for child, inner in getattr(command, "commands", {}).items()]
        if hasattr(command, "commands"):
            continue
        found += 1
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}")]
        for option in command.params:
            if option.param_type_name == "option" and option.name != "help":
                assert max(option.opts, key=len) in line, f"docs/cli.md does not name {option.opts} of `{name}`"
    assert found > 5


def test_every_field_of_a_source_is_described() -> None:
    from crawlers.sources import Source

    for name in Source.model_fields:
        assert f"| `{name}` |" in paper("docs/sources.md"), f"docs/sources.md does not describe the field {name}"


def test_the_sources_that_the_readme_shows_can_be_read() -> None:
    from crawlers.sources import KINDS, read_sources

    (example,) = re.findall(r"^```yaml\n(sources:.*?)^```", paper("README.md"), re.MULTILINE | re.DOTALL)
    assert len(read_sources(yaml.safe_load(example), "README.md")) > 2
    for kind in KINDS:
        assert kind in paper("README.md"), f"README.md does not name the kind {kind}"


def test_every_route_of_the_api_is_described(tmp_path: Path) -> None:
    from api.app import create_app

    settings = load_settings(home=tmp_path)
    # The description is made without asking the store, the log or the clock.
    app = create_app(settings, None, None, None)  # type: ignore[arg-type]
    text = paper("docs/api.md")
    routes = app.openapi()["paths"]
    assert len(routes) > 5
    for route, methods in routes.items():
        for method in methods:
            # The paper says once that all lie under /api/v1.
            line = f"`{method.upper()} {route.removeprefix('/api/v1')}`"
            assert line in text, f"docs/api.md does not describe {line}"


def test_no_paper_names_a_command_that_does_not_exist() -> None:
    known = {name.split()[0] for name in commands()}
    for path in papers():
        for name in re.findall(r"^(?:\$ )?(?:\.venv/bin/)?jaga ([a-z]+)", text_of(path), re.MULTILINE):
            assert name in known, f"{path} tells to run `jaga {name}`, which does not exist"


def test_no_paper_names_a_make_target_that_does_not_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", paper("Makefile"), re.MULTILINE))
    for path in papers():
        for name in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text_of(path), re.MULTILINE):
            assert name in targets, f"{path} tells to run `make {name}`, which is no target of the Makefile"


def test_links_between_papers_lead_somewhere() -> None:
    for path in papers():
        for target in LINK.findall(text_of(path)):
            assert (ROOT / path.parent / target).exists(), f"{path} links to {target}, which does not exist"


def test_comments_that_point_to_a_paper_point_to_one_that_exists() -> None:
    for path in tracked():
        if path.suffix not in {".py", ".md", ".toml", ".yml", ".html", ".js"}:
            continue
        for target in MENTION.findall(text_of(path)):
            # `docs/decisions/0002` is a good way to name a decision.
            assert list(ROOT.glob(target + "*")), f"{path} points to {target}, which does not exist"


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads(paper("pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## \[({re.escape(version)}|Unreleased)\]", paper("CHANGELOG.md"), re.MULTILINE)


def test_no_gap_is_left_for_somebody_to_fill() -> None:
    for path in papers():
        assert "<!-- lead:" not in text_of(path), f"{path} still has a gap to fill"
