"""Names of places for people, by their official codes."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.stages.locate import names as known_names


def provinces() -> dict[str, str]:
    """Code -> name of every province, by code."""
    return {code: name for code, name in sorted(known_names().items()) if len(code) == 2}


def names(codes: Sequence[str]) -> list[str]:
    """The places of these codes, a province only where none of its cities is among them."""
    known = known_names()
    cities = {code[:2] for code in codes if len(code) > 2}
    return [
        known.get(code) or f"{known.get(code[:2], '?')} ({code})"
        for code in dict.fromkeys(codes)
        if len(code) > 2 or code not in cities
    ]
