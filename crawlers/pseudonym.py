"""Authors' pseudonyms: HMAC-SHA256 over platform and account, keyed, so that nobody without the key can try names out."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from pipeline.settings import Settings

LENGTH = 20
"""Hex characters kept: 80 bits, so that a million authors share a pseudonym with chance below 1e-12."""

KEY_FILE = "pseudonym.key"
MADE = re.compile(rf"^a_[0-9a-f]{{{LENGTH}}}$")
"""What a pseudonym looks like, to leave those alone that were made already."""


def maker(key: bytes) -> Callable[[str, str], str]:
    """A function (platform, account) -> pseudonym."""

    def pseudonym(platform: str, account: str) -> str:
        name = f"{platform}\0{account.strip().lstrip('@').casefold()}".encode("utf-8", "surrogatepass")
        return "a_" + hmac.new(key, name, hashlib.sha256).hexdigest()[:LENGTH]

    return pseudonym


def key(settings: Settings) -> bytes:
    """The key of the settings, else the one kept in JAGA_HOME, made at first use. Raises OSError."""
    if settings.pseudonym_key:
        return settings.pseudonym_key.encode()
    path = settings.home / KEY_FILE
    for _ in range(2):
        try:
            kept = path.read_bytes().strip()
        except FileNotFoundError:
            _make(path)
        else:
            if kept:
                return kept
            raise OSError(f"{path} is empty: restore it from a copy, or remove it and accept new pseudonyms")
    return path.read_bytes().strip()


def _make(path: Path) -> None:
    """Whole or not at all, and the first of two starting processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
