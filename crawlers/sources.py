"""The places to watch, from a YAML file; every mistake in it is named with file, entry and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from pipeline.ports import BadSource

from . import places
from .provinces import OTHER_NAMES, PROVINCES
from .recipe import Recipe

SourceKind = Literal[
    "wordpress", "factcheck_api", "claimreview", "feed", "sitemap", "article", "telegram", "mastodon", "bluesky", "reddit", "youtube",
    "discourse", "forum", "recipe", "mastodon_stream", "jetstream",
]  # fmt: skip
CLAIM_KINDS = ("wordpress", "factcheck_api", "claimreview")
"""Kinds that tell what has been fact-checked: crawled first, so that posts meet the claims they are about."""
STREAM_KINDS = ("mastodon_stream", "jetstream")
"""Kinds that are not visited but listened to, for as long as the crawl runs."""

_CODES = {name.casefold(): code for name, code in {**PROVINCES, **OTHER_NAMES}.items()}


class BadSources(BadSource):
    """A file of sources, or an edit, that is wrong; names file, entry and field."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    kind: SourceKind
    url: str = Field(max_length=4000)
    """The first address to fetch."""
    name: str = Field(default="", max_length=200)
    platform: str | None = None
    """Only for people: page objects know the platform of what they read."""
    region: tuple[str, ...] = ()
    """Where it speaks of: provinces' names or official codes (`33`, `33.74`), one or several."""
    publisher: str = Field(default="", max_length=200)
    """Who writes there."""
    legal_basis: str = Field(default="", max_length=1000)
    owner: str = Field(default="", max_length=200)
    """Which desk answers for watching it."""
    notes: str = Field(default="", max_length=4000)
    cadence_s: float = Field(default=900.0, ge=1)
    """Pause between two visits with --follow, for a source that changes as often as most; hot ones are visited sooner."""
    cadence_min_s: float | None = Field(default=None, ge=1)
    """Never sooner than this; without it, a 15th of `cadence_s`."""
    cadence_max_s: float | None = Field(default=None, ge=1)
    """Never later than this; without it, eight times `cadence_s`."""
    max_pages: int = Field(default=500, ge=1, le=100_000)
    """Most responses that one visit takes."""
    follow: bool = True
    """Whether what a listing leads to is fetched too: the articles of a feed, the comments of a video or a thread."""
    enabled: bool = True
    languages: tuple[str, ...] = ()
    """For kind `jetstream`: only posts that say one of these, as `id` or `jv`, or none at all."""
    recipe: Recipe | None = Field(default=None, validate_default=True)
    """For kind `recipe` only: how to read the site."""

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str, info: ValidationInfo) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} must begin with http:// or https:// and name a host")
        places.first(info.data.get("kind", ""), value)
        return value

    @field_validator("region", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        if value is None or value == "":
            return ()
        # YAML reads 33 and 33.74 as numbers.
        return tuple(str(one) for one in value) if isinstance(value, (list, tuple)) else (str(value),)

    @field_validator("region")
    @classmethod
    def _region_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_code(one) for one in value))

    @field_validator("languages", mode="before")
    @classmethod
    def _languages_listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) and value else value or ()

    @field_validator("languages")
    @classmethod
    def _languages_of_its_kind(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("kind", "jetstream") != "jetstream":
            raise ValueError(f"kind {info.data['kind']} takes none")
        for one in value:
            if not re.fullmatch(r"[a-z]{2,3}", one):
                raise ValueError(f"{one!r} is no code of a language (`id`, `jv`)")
        return value

    @field_validator("recipe")
    @classmethod
    def _recipe_of_its_kind(cls, value: Recipe | None, info: ValidationInfo) -> Recipe | None:
        kind = info.data.get("kind", "recipe")
        if (kind == "recipe") != (value is not None):
            raise ValueError("kind recipe needs one" if kind == "recipe" else f"kind {kind} takes none")
        return value

    @property
    def home(self) -> str | None:
        """The region that all its posts share: the only one, or the province in which all of them lie."""
        if len(self.region) == 1:
            return self.region[0]
        provinces = {code[:2] for code in self.region}
        return provinces.pop() if len(provinces) == 1 else None


def _code(value: str) -> str:
    if re.fullmatch(r"\d\d(\.\d\d)?", value):
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
