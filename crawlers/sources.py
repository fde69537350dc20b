"""The places to watch, from a YAML file; every mistake in it is named with file, entry and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .provinces import OTHER_NAMES, PROVINCES

SourceKind = Literal["wordpress", "feed", "sitemap", "mastodon", "discourse", "claimreview", "article"]
CLAIM_KINDS = ("wordpress", "claimreview")
"""Kinds that tell what has been fact-checked: crawled first, so that posts meet the claims they are about."""

_CODES = {name.casefold(): code for name, code in {**PROVINCES, **OTHER_NAMES}.items()}


class BadSources(Exception):
    """A file of sources that is wrong; names file, entry and field."""


class Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    kind: SourceKind
    url: str = Field(max_length=4000)
    """The first address to fetch."""
    name: str = Field(default="", max_length=200)
    platform: str | None = None
    """Only for people: page objects know the platform of what they read."""
    region: str | None = None
    """A province's name or an official code (`33`, `33.74`)."""
    legal_basis: str = Field(default="", max_length=1000)
    cadence_s: float = Field(default=900.0, ge=1)
    """Pause between two visits with --follow, for a source that changes as often as most; hot ones are visited sooner."""
    cadence_min_s: float | None = Field(default=None, ge=1)
    """Never sooner than this; without it, a 15th of `cadence_s`."""
    cadence_max_s: float | None = Field(default=None, ge=1)
    """Never later than this; without it, eight times `cadence_s`."""
    max_pages: int = Field(default=500, ge=1, le=100_000)
    """Most responses that one visit takes."""
    follow: bool = True
    """Whether the articles of a feed are fetched too, not only their teasers."""
    enabled: bool = True

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} must begin with http:// or https:// and name a host")
        return value

    @field_validator("region")
    @classmethod
    def _region_code(cls, value: str | None) -> str | None:
        if value is None or re.fullmatch(r"\d\d(\.\d\d)?", value):
            return value
        if value.casefold() in _CODES:
            return _CODES[value.casefold()]
        raise ValueError(f"{value!r} is neither an official code nor a province's name")


def load_sources(path: Path) -> list[Source]:
    """The sources of a YAML (or JSON) file: a list, or a mapping with `sources`. Raises BadSources."""
    import yaml

    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSources(f"{path}: {error}") from error
    except yaml.YAMLError as error:
        raise BadSources(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return read_sources(told, str(path))


def read_sources(told: Any, where: str) -> list[Source]:
    """As `load_sources`, from what was loaded already."""
    entries = told.get("sources") if isinstance(told, dict) else told
    if not isinstance(entries, list):
        raise BadSources(f"{where}: needs a list of sources")
    found: list[Source] = []
    for number, entry in enumerate(entries, start=1):
        label = f"{where}: source {number}"
        if not isinstance(entry, dict):
            raise BadSources(f"{label}: is no mapping")
        if entry.get("id"):
            label += f" ({entry['id']})"
        try:
            source = Source.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(p) for p in first["loc"]) or "entry"
            raise BadSources(f"{label}: {field}: {first['msg'].removeprefix('Value error, ')}") from error
        if any(other.id == source.id for other in found):
            raise BadSources(f"{label}: id: used twice")
        found.append(source)
    return found


def choose(sources: list[Source], ids: list[str]) -> list[Source]:
    """Those named, or all that are enabled. Raises BadSources for a name that is not there."""
    if not ids:
        return [source for source in sources if source.enabled]
    known = {source.id: source for source in sources}
    for name in ids:
        if name not in known:
            raise BadSources(f"no source {name!r}; known are {', '.join(sorted(known)) or 'none'}")
    return [known[name] for name in dict.fromkeys(ids)]


KINDS: tuple[str, ...] = get_args(SourceKind)
