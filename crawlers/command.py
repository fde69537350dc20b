"""What every command of the crawlers' own does when it is run: an exit code, and errors in one line on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer


def run_app(app: typer.Typer, arguments: Sequence[str], name: str, obj: Any = None) -> int:
    """The exit code of `name` with these arguments. The command's own errors are its caller's to name."""
    try:
        ended = app(list(arguments), standalone_mode=False, prog_name=name, obj=obj)
    except typer.Abort:
        return 130
    except Exception as error:
        # Click's own errors: an option or argument that does not exist.
        if not hasattr(error, "format_message"):
            raise
        if message := error.format_message():  # none where help was shown instead
            typer.echo(f"jaga: {message}", err=True)
        return 2
    return ended if isinstance(ended, int) else 0
