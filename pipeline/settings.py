"""Every setting, in one table that drives the environment, the command line's help and the documents.

A setting is read from the environment (`JAGA_...`) or from a file `jaga.env` in the working folder. Anything wrong, an unknown
`JAGA_` name included, stops the program at its start and is named.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "JAGA_"
ENV_FILE = "jaga.env"


class BadSettings(Exception):
    """A setting that is wrong; the message names it."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True)

    home: Path = Field(default=Path("var"), description="Folder in which everything that runs keeps its files.")
    broker: str = Field(
        default="sqlite://",
        description="The log: `sqlite://` (in JAGA_HOME) or `kafka://host:port[,host:port]`.",
    )
    store: str = Field(
        default="sqlite://",
        description="Posts, verdicts, alerts: `sqlite://` or `elasticsearch://host:port`.",
    )
    desk: str = Field(
        default="sqlite://",
        description="Cases, users, audit: `sqlite://` or `postgresql://user:password@host/db`.",
    )
    model: Path | None = Field(
        default=None,
        description="Folder of another model than the one that is shipped; empty: the one that `jaga model use` chose.",
    )
    costs: str = Field(
        default="",
        description="What a wrong decision costs, as `MISS/FALSE_ALARM/UNSURE` (`5/1/0.3`) for all labels or `hate=5/1/0.3 provocation=20/1/0.2` for some: chooses each label's band (`jaga model thresholds` shows the trade). Empty: the model's own bands.",
    )
    api_host: str = Field(default="127.0.0.1", description="Address on which API and pages listen.")
    api_port: int = Field(default=8000, ge=1, le=65535, description="Port of API and pages.")
    api_tokens: str = Field(
        default="",
        description="Bearer tokens, separated by commas, each `TOKEN` (may read) or `NAME:read+sources:TOKEN` (may edit sources, under that name); empty: one is made at first start and kept in JAGA_HOME/token.",
    )
    index_prefix: str = Field(
        default="jaga",
        pattern=r"^[a-z][a-z0-9-]{0,40}$",
        description="Begins the name of every Elasticsearch index and Kafka topic.",
    )
    batch_posts: int = Field(default=128, ge=1, le=5000, description="Most posts that a worker takes at once.")
    retry_max_s: float = Field(
        default=30.0,
        gt=0,
        description="Longest pause between tries against a server that does not answer, s.",
    )
    alert_posts: int = Field(
        default=3,
        ge=1,
        description="Provocation and hate alert from so many posts in a narrative (or from JAGA_ALERT_REACH).",
    )
    alert_score: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="Provocation and hate alert only on posts with at least this calibrated score, whatever the label's own threshold.",
    )
    alert_reach: int = Field(
        default=50,
        ge=0,
        description="Provocation and hate alert from so many acts (likes, reposts, replies) on it.",
    )
    sources: Path | None = Field(
        default=None,
        description="YAML file of the sources to watch; empty: the list that comes along, in which all are off.",
    )
    guard_allow: str = Field(
        default="",
        description="host:port on this machine that crawlers may fetch although it is private: the demo's own. Empty: none.",
    )
    user_agent: str = Field(
        default="JagaRuang/0.1 (+https://jaga-ruang.example/bot; kontak@jaga-ruang.example)",
        description="How crawlers name themselves, with a contact.",
    )
    crawl_delay_s: float = Field(
        default=1.0,
        ge=0,
        description="Pause between two fetches of one host, s; robots.txt can only lengthen it.",
    )
    crawl_budget_per_min: float = Field(
        default=0.0,
        ge=0,
        description="Visits a minute that all followed sources share; 0: as many as their cadences add up to.",
    )
    crawl_readers: int = Field(
        default=1,
        ge=0,
        description="Processes in which pages are read beside a crawl of many pages; 0: the crawl reads them itself.",
    )
    max_page_bytes: int = Field(
        default=5_000_000,
        ge=1000,
        description="Longest body that a crawler reads, bytes, after decompression.",
    )
    pseudonym_key: str = Field(
        default="",
        description="Key of the authors' pseudonyms, from the second generation on `GENERATION:KEY`; empty: one is made at first start and kept in JAGA_HOME/pseudonym.key.",
    )

    youtube_key: SecretStr | None = Field(
        default=None,
        description="Key of the YouTube Data API v3, for comments; empty: comments are a gap.",
    )
    factcheck_key: SecretStr | None = Field(
        default=None,
        description="Key of the Google Fact Check Tools API, for sources of kind factcheck_api; empty: they are a gap.",
    )

    mastodon_tokens: SecretStr | None = Field(
        default=None,
        description="`HOST=TOKEN`, several with blanks between: tokens (scope read:statuses) of Mastodon servers whose streams want one, for sources of kind mastodon_stream.",
    )

    tsa_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="Address of a time stamp authority (RFC 3161) that stamps the chain of evidence; empty: none does.",
    )
    tsa_ca: Path | None = Field(
        default=None,
        description="PEM file of that authority's root, and what lies between; empty: signatures of stamps are not checked here.",
    )
    evidence_days: int = Field(
        default=0,
        ge=0,
        description="Days after which `jaga evidence prune` removes what is not on hold; 0: everything is kept.",
    )
    evidence_keep: str = Field(
        default="",
        description="The same for some kinds of sources otherwise: `feed=90d telegram=365d`; `import` for rows of files, 0: for good.",
    )

    @field_validator("broker", "store", "desk")
    @classmethod
    def _known_scheme(cls, value: str, info: object) -> str:
        known = {
            "broker": ("sqlite", "kafka"),
            "store": ("sqlite", "elasticsearch"),
            "desk": ("sqlite", "postgresql"),
        }[info.field_name]  # type: ignore[attr-defined]
        scheme = urlsplit(value).scheme
        if scheme not in known:
            raise ValueError(f"{value!r} must begin with {' or '.join(k + '://' for k in known)}")
        if scheme != "sqlite" and not urlsplit(value).netloc:
            raise ValueError(f"{value!r} names no host")
        return value

    def environment(self) -> dict[str, str]:
        """This process's environment with these settings in it, for another program of ours."""
        own = {PREFIX + name.upper(): _written(value) for name, value in self.model_dump().items() if value is not None}
        return os.environ | own

    @property
    def models_folder(self) -> Path:
        return self.home / "models"

    @property
    def log_file(self) -> Path:
        return self.home / "log.db"

    @property
    def registry_file(self) -> Path:
        return self.home / "sources.db"

    @property
    def audit_file(self) -> Path:
        return self.home / "audit.jsonl"

    @property
    def store_file(self) -> Path:
        return self.home / "store.db"


def _written(value: object) -> str:
    """As one would write it in the environment. A secret shows itself only here."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def load_settings(**overrides: object) -> Settings:
    """The settings in force. Raises BadSettings with the name of what is wrong."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for given, where in ((os.environ, ""), (dotenv_values(ENV_FILE), f" (in {ENV_FILE})")):
        unknown = sorted(name for name in given if name.upper().startswith(PREFIX) and name.upper() not in known)
        if unknown:
            raise BadSettings(f"{unknown[0]}{where} is no setting; known are {', '.join(sorted(known))}")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else "settings"
        raise BadSettings(f"{name}: {first['msg'].removeprefix('Value error, ')}") from error
