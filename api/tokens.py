"""Who may read: bearer tokens for programs, a signed cookie for the pages.

A token has a name, which edits keep, and scopes: `read`, and `sources` for editing what is watched.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from pipeline.settings import BadSettings, Settings

READ = "read"
EDIT_SOURCES = "sources"
SCOPES = (READ, EDIT_SOURCES)
OWNER = "owner"
"""Name of the token in JAGA_HOME: who can read it may edit the registry's files, too."""
SESSION_S = 12 * 3600
"""A session outlives a shift and not a day."""

# The characters of a bearer token in RFC 6750.
_TOKEN = re.compile(r"^[A-Za-z0-9._~+/-]+=*$")
_NAME = re.compile(r"^[\w.@ -]{1,60}$")


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    scopes: frozenset[str] = frozenset({READ})
    name: str = ""


class Tokens:
    """The tokens in force. Every comparison looks at all of them and takes the same time for a near miss as for a far one."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = [(token, _digest(token.value)) for token in tokens]

    def find(self, value: str) -> Token | None:
        """The token with this value."""
        given = _digest(value)
        found = None
        for token, known in self._tokens:
            if hmac.compare_digest(given, known):
                found = token
        return found

    def open_session(self, token: Token, now: datetime) -> str:
        """A cookie value that stands for the token until it ends, without holding it."""
        ends = str(int(now.timestamp()) + SESSION_S)
        return f"{ends}.{_sign(token, ends)}"

    def check_session(self, value: str, now: datetime) -> Token | None:
        """The token for which the cookie stands; None if it has ended, was changed, or its token is no longer in force."""
        ends, _, signature = value.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) <= 12 and signature.isascii()):
            return None
        found = None
        for token, _known in self._tokens:
            if hmac.compare_digest(_sign(token, ends), signature):
                found = token
        return found if int(ends) > now.timestamp() else None


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def _sign(token: Token, ends: str) -> str:
    return hmac.new(_digest("session\0" + token.value), ends.encode(), hashlib.sha256).hexdigest()


def load_tokens(settings: Settings) -> Tokens:
    """The tokens of JAGA_API_TOKENS, else the one in JAGA_HOME/token, which is made if it is missing.

    Raises BadSettings when a token holds what no Authorization header can carry.
    """
    told = [value.strip() for value in settings.api_tokens.split(",") if value.strip()]
    if not told:
        return Tokens([_checked(Token(ensure_token(settings), frozenset(SCOPES), OWNER), 1)])
    return Tokens([_checked(_read(entry, number), number) for number, entry in enumerate(told, 1)])


def _read(entry: str, number: int) -> Token:
    """`VALUE`, which may read, or `NAME:SCOPE+SCOPE:VALUE`."""
    name, colon, rest = entry.partition(":")
    if not colon:
        return Token(entry, name=f"token {number}")
    scopes, colon, value = rest.partition(":")
    asked = frozenset(scopes.split("+"))
    if not colon or not _NAME.match(name):
        raise BadSettings(f"JAGA_API_TOKENS: token {number} is neither TOKEN nor NAME:SCOPES:TOKEN")
    if not asked <= set(SCOPES) or READ not in asked:
        raise BadSettings(f"JAGA_API_TOKENS: token {number} ({name}): scopes are read or read+sources, not {scopes!r}")
    return Token(value, asked, name)


def _checked(token: Token, number: int) -> Token:
    if not _TOKEN.match(token.value):
        raise BadSettings(f"JAGA_API_TOKENS: token {number} may hold only letters, digits and . _ ~ + / - =")
    return token


def ensure_token(settings: Settings) -> str:
    """The token in JAGA_HOME/token; made at first start, readable by its owner alone. Safe to call from several processes."""
    path = settings.home / "token"
    settings.home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written whole under another name and then linked: no reader ever sees half a token, the first writer wins.
        draft = path.with_name(f"token.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            # Hex: a token that begins with a dash is taken for an option by every command line.
            file.write(secrets.token_hex(20) + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    value = path.read_text(encoding="utf-8").strip()
    if not value:
        raise BadSettings(f"{path} is empty: remove it and a new token is made")
    return value
