"""A response as page objects see it: bytes, address, content type. No network, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from .charset import decode

Pseudonym = Callable[[str, str], str]
"""(platform, account) -> the author's pseudonym."""
Known = Callable[[str], str | None]
"""A server's own number of a post -> its native id, if it was ever seen."""


@dataclass(frozen=True)
class Page:
    body: bytes
    url: str
    content_type: str = ""
    pseudonym: Pseudonym = field(default=lambda platform, account: "a_" + "0" * 20)
    fetched_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    known: Known = field(default=lambda number: None)
    """For streams, whose deletions tell numbers alone."""

    @property
    def text(self) -> str:
        """The body as characters, whatever the server or the document said of its charset."""
        return self._decoded[0]

    @property
    def charset_problem(self) -> str | None:
        return self._decoded[1]

    @cached_property
    def _decoded(self) -> tuple[str, str | None]:
        return decode(self.body, self.content_type)

    def author(self, platform: str, account: object) -> str | None:
        name = str(account).strip() if account not in (None, "") else ""
        return self.pseudonym(platform, name) if name else None
