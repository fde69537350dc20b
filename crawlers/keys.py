"""Keys of services that ask for one. A key goes in a header, so that no log, gap or WARC record ever shows it, and to its owner's hosts only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from pipeline.settings import Settings

Service = Literal["youtube", "factcheck"]

HEADER = "X-Goog-Api-Key"
"""Every Google API takes its key there, and so out of the address (Google Cloud, "Use API keys to access APIs")."""
_OWNERS = (".googleapis.com",)


@dataclass(frozen=True)
class Keys:
    values: dict[str, str] = field(default_factory=dict, repr=False)
    allowed: str = ""
    """The guard's one exception, `host:port`: where the tests' own API stands."""
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    """Of Mastodon servers, by host."""

    def has(self, service: Service) -> bool:
        return bool(self.values.get(service))

    @staticmethod
    def setting(service: Service) -> str:
        return f"JAGA_{service.upper()}_KEY"

    def belong_to(self, url: str) -> bool:
        """Whether the host may be given a key."""
        parts = urlsplit(url)
        if self.allowed and parts.netloc.lower() == self.allowed:
            return True
        return parts.scheme == "https" and (parts.hostname or "").endswith(_OWNERS)

    def token(self, url: str) -> str | None:
        """The token of a Mastodon server, for itself and for the hosts under it alone; never over plain http."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (self.allowed and parts.netloc.lower() == self.allowed):
            return None
        host = (parts.hostname or "").lower()
        return next((token for name, token in self.tokens.items() if host == name or host.endswith(f".{name}")), None)

    def lend(self, service: Service, request: Any) -> None:
        """Put the key into the request, if it goes where the key belongs."""
        if self.belong_to(request.url):
            request.headers[HEADER] = self.values[service]
            # Elsewhere the header would travel along. And whoever gave us a key has agreed: robots.txt is for those who come unasked.
            request.meta["dont_redirect"] = True
            request.meta["dont_obey_robotstxt"] = True


def keys_of(settings: Settings) -> Keys:
    """Those that the settings hold."""
    told = {"youtube": settings.youtube_key, "factcheck": settings.factcheck_key}
    return Keys(
        {name: key.get_secret_value().strip() for name, key in told.items() if key is not None},
        settings.guard_allow.strip().lower(),
        tokens_of(settings.mastodon_tokens.get_secret_value()) if settings.mastodon_tokens is not None else {},
    )


def tokens_of(told: str) -> dict[str, str]:
    """`HOST=TOKEN HOST=TOKEN` -> by host."""
    pairs = (pair.partition("=") for pair in told.replace(",", " ").split())
    return {host.lower(): token for host, _, token in pairs if token}
