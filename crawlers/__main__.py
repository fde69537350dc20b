"""`jaga crawl`, `jaga sources`, `jaga parse`, `jaga ingest`, `jaga evidence` and `jaga keys`: the only file here that chooses adapters.

Exit codes: 0 all well; 1 something was refused or could not be published; 2 wrong settings, sources, kind or file.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pipeline.ports import Broker, SearchStore
from pipeline.settings import BadSettings, Settings, load_settings


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m crawlers", description="Fetch, read and import public posts.")
    commands = parser.add_subparsers(dest="command", required=True)
    add_crawl(commands.add_parser("crawl", help="fetch due sources"))
    add_parse(commands.add_parser("parse", help="posts of a saved page, without fetching"))
    add_ingest(commands.add_parser("ingest", help="posts from files: NDJSON, CSV"))
    commands.add_parser("sources", help="the places to watch: list, show, check, edit", add_help=False)
    commands.add_parser("evidence", help="what proves what was seen", add_help=False)
    commands.add_parser("keys", help="the keys of pseudonyms: list, rotate, destroy, link", add_help=False)
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["sources"]:
        from .sources_command import run as run_sources

        _log_in_words()
        return run_sources(arguments[1:])
    if arguments[:1] == ["evidence"]:
        from .evidence_command import Doors
        from .evidence_command import run as run_evidence

        _log_in_words()
        return run_evidence(arguments[1:], Doors(_open_store, _open_broker))
    if arguments[:1] == ["keys"]:
        from .keys_command import run as run_keys

        _log_in_words()
        return run_keys(arguments[1:])
    options = parser.parse_args(arguments)
    _log_in_words()
    try:
        settings = load_settings()
    except BadSettings as error:
        return _say(str(error))
    if options.command == "parse":
        return parse(options, settings)
    if options.command == "ingest":
        return ingest(options, settings)
    return crawl(options, settings)


# ---------------------------------------------------------------- crawl


def add_crawl(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="*", help="ids of sources; all that are enabled if none is named")
    parser.add_argument(
        "--sources", type=Path, metavar="FILE", help="exactly the sources of this YAML file, without edits"
    )
    how_often = parser.add_mutually_exclusive_group()
    how_often.add_argument("--once", action="store_true", help="visit each source once (default)")
    how_often.add_argument("--follow", action="store_true", help="visit again at each source's cadence until stopped")
    parser.add_argument("--json", action="store_true", help="last line: the counts as JSON")


def crawl(options: argparse.Namespace, settings: Settings) -> int:
    from .registry import Registry
    from .sources import BadSources, choose, load_sources

    path = options.sources
    try:
        if path is not None:
            sources = choose(load_sources(path), options.source)
        else:
            sources = Registry.of(settings).sources(options.source)
    except BadSources as error:
        return _say(str(error))
    if not sources:
        where = f"{path}: " if path else ""
        return _say(f"{where}no source is enabled; `jaga sources list` shows them, `jaga sources on ID` turns one on")
    from .crawl import crawl as run

    try:
        tally = run(settings, sources, lambda: _open_broker(settings), follow=options.follow, say=_progress)
    except OSError as error:
        return _say(f"JAGA_HOME {settings.home}: {error}")
    counts = tally.counts
    _progress(
        f"{counts.pages} pages, {counts.posts} posts, {counts.claims} claims, {counts.gaps} gaps, {counts.problems} problems in {tally.seconds:.1f} s"
    )
    if options.json:
        print(json.dumps(tally.as_dict()), flush=True)
    return 1 if tally.unpublished else 0


def _open_broker(settings: Settings) -> Broker:
    from pipeline.adapters.choose import open_broker

    broker: Broker = open_broker(settings)
    return broker


def _open_store(settings: Settings) -> SearchStore:
    from pipeline.adapters.choose import open_store

    store: SearchStore = open_store(settings)
    return store


# ---------------------------------------------------------------- parse


def add_parse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("file", type=Path, metavar="FILE", help="the saved body; - for standard input")
    parser.add_argument("--url", default="https://unknown.example/", help="address it was fetched from")
    parser.add_argument("--content-type", default="", help="the response's Content-Type")
    add_told(parser)


def parse(options: argparse.Namespace, settings: Settings) -> int:
    from . import pseudonym
    from .pages import NotBuilt, read, reader
    from .pages.items import as_json
    from .pages.page import Page

    try:
        reader(options.kind)
    except (NotBuilt, LookupError) as error:
        return _say(str(error.args[0]))
    if options.kind == "export":
        return parse_export(options, settings)
    try:
        body = sys.stdin.buffer.read() if str(options.file) == "-" else options.file.read_bytes()
    except OSError as error:
        return _say(f"{options.file}: {error.strerror or error}")
    try:
        maker = pseudonym.maker(pseudonym.key(settings))
    except OSError as error:
        return _say(f"JAGA_HOME {settings.home}: {error}")
    for item in read(options.kind, Page(body, options.url, options.content_type, maker)):
        sys.stdout.buffer.write(as_json(item).encode() + b"\n")
    sys.stdout.buffer.flush()
    return 0


def parse_export(options: argparse.Namespace, settings: Settings) -> int:
    """Row by row, so that a file may be larger than memory."""
    import io

    from . import pseudonym
    from .exports.ingest import told_of
    from .exports.read import items
    from .exports.row import Unusable
    from .pages.items import as_json
    from .pages.page import Page

    try:
        told = told_of(options.column, options.platform)
        standard = str(options.file) == "-"
        file = io.BytesIO(sys.stdin.buffer.read()) if standard else options.file.open("rb")
    except Unusable as error:
        return _say(str(error))
    except OSError as error:
        return _say(f"{options.file}: {error.strerror or error}")
    try:
        maker = pseudonym.maker(pseudonym.key(settings))
    except OSError as error:
        return _say(f"JAGA_HOME {settings.home}: {error}")
    with file:
        for item in items(file, str(options.file), Page(b"", options.url, pseudonym=maker), told, _progress):
            sys.stdout.buffer.write(as_json(item).encode() + b"\n")
    sys.stdout.buffer.flush()
    return 0


# ---------------------------------------------------------------- ingest


def add_told(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="FIELD=NAME",
        help="of an export: which column is text, id, published_at, author, url, platform ...; it is then read as a plain table",
    )
    parser.add_argument(
        "--platform", default="import", help="of an export: platform of rows that name none (default: import)"
    )


def add_ingest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="+", type=Path, metavar="FILE")
    add_told(parser)
    parser.add_argument("--json", action="store_true", help='last line: {"read", "published", "rejected"}')


def ingest(options: argparse.Namespace, settings: Settings) -> int:
    from .exports.ingest import ingest_files

    return ingest_files(options, settings, lambda: _open_broker(settings))


# ---------------------------------------------------------------- words


def _say(message: str) -> int:
    print(f"jaga: {message}", file=sys.stderr, flush=True)
    return 2


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _log_in_words() -> None:
    """One line a warning on stderr; the libraries' own chatter stays below."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname).1s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    # These say in many lines what a visit says in one.
    for name in (
        "scrapy.core.downloader.handlers.http11",
        "scrapy.utils._download_handlers",
        "scrapy.downloadermiddlewares.robotstxt",
        "scrapy.downloadermiddlewares.httpcompression",
        "scrapy.downloadermiddlewares.redirect",
        "trafilatura",
        "htmldate",
        "courlan",
    ):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def run() -> NoReturn:
    sys.exit(main())


if __name__ == "__main__":
    run()
