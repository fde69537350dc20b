"""The command line. Each command is a file beside this one; `jaga` and `python -m pipeline` run it."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from classifier.curves import BadCosts
from classifier.manifest import ModelError
from pipeline.ports import RetryLater
from pipeline.rows import Unreadable
from pipeline.settings import BadSettings

app = typer.Typer(
    name="jaga",
    help="Jaga Ruang: watch public posts for election disinformation, group them, explain, hand over to people.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""For commands that are another package's: their options are read there."""


@app.callback()
def everywhere(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell more of what happens, on stderr.")] = False,
) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    # Their own lines tell of retries that the runner tells in its words.
    for name in ("kafka", "elastic_transport", "elasticsearch", "scrapy", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if verbose:
        logging.getLogger("jaga").setLevel(logging.DEBUG)


def fail(message: str, code: int = 1) -> typer.Exit:
    """Say it on stderr; raise what is returned."""
    typer.echo(f"jaga: {message}", err=True)
    return typer.Exit(code)


def run_package(package: str, command: str | None, arguments: list[str]) -> None:
    """Become another of our programs: it imports the pipeline, never the other way round."""
    words = [sys.executable, "-m", package, *([command] if command else []), *arguments]
    sys.stdout.flush()
    os.execv(sys.executable, words)  # noqa: S606 - our own interpreter with our own module


def main() -> None:
    try:
        app()
    except BadSettings as error:
        raise SystemExit(f"jaga: wrong setting: {error}") from None
    except BadCosts as error:
        raise SystemExit(f"jaga: wrong setting: JAGA_COSTS: {error}") from None
    except (ModelError, Unreadable, RetryLater) as error:
        raise SystemExit(f"jaga: {error}") from None
    except BrokenPipeError:
        # The reader of our output (`head`, say) has enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
