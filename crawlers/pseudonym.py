"""Authors' pseudonyms: HMAC-SHA256 over platform and account, keyed, so that nobody without the key can try names out.

Keys have generations. One is in use; those before it are sealed (kept, used for nothing but `link`) or destroyed. A pseudonym tells its
generation, since two of one account cannot be told to be one without both keys.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline.settings import Settings

LENGTH = 20
"""Hex characters kept: 80 bits, so that a million authors share a pseudonym with chance below 1e-12."""

KEY_FILE = "pseudonym.key"
MADE = re.compile(rf"^a\d{{0,4}}_[0-9a-f]{{{LENGTH}}}$")
"""What a pseudonym looks like, to leave those alone that were made already."""
_KEPT = re.compile(r"^(?:(\d{1,4}):)?(.+)$", re.DOTALL)
_SEALED = re.compile(rf"^{re.escape(KEY_FILE)}\.(\d{{1,4}})$")


class Key(NamedTuple):
    """`generation`: from 1. As written: the secret alone for the first, `GENERATION:SECRET` for all others."""

    generation: int
    secret: bytes

    @classmethod
    def read(cls, written: str) -> Key:
        found = _KEPT.match(written)
        if found is None or (found[1] and int(found[1]) < 2):
            return cls(1, written.encode())
        return cls(int(found[1] or 1), found[2].encode())

    def written(self) -> str:
        return self.secret.decode() if self.generation == 1 else f"{self.generation}:{self.secret.decode()}"

    @property
    def print(self) -> str:
        """By which people tell keys apart without seeing them."""
        return hashlib.sha256(b"jaga key\0" + self.secret).hexdigest()[:12]


def maker(key: Key | bytes) -> Callable[[str, str], str]:
    """A function (platform, account) -> pseudonym."""
    generation, secret = key if isinstance(key, Key) else Key(1, key)
    prefix = "a_" if generation == 1 else f"a{generation}_"

    def pseudonym(platform: str, account: str) -> str:
        name = f"{platform}\0{account.strip().lstrip('@').casefold()}".encode("utf-8", "surrogatepass")
        return prefix + hmac.new(secret, name, hashlib.sha256).hexdigest()[:LENGTH]

    return pseudonym


def key(settings: Settings) -> Key:
    """The key of the settings, else the one kept in JAGA_HOME, made at first use. Raises OSError."""
    if settings.pseudonym_key:
        return Key.read(settings.pseudonym_key)
    path = settings.home / KEY_FILE
    for _ in range(2):
        try:
            kept = path.read_text().strip()
        except FileNotFoundError:
            _make(path, Key(1, _secret()), os.link)
        else:
            if kept:
                return Key.read(kept)
            raise OSError(f"{path} is empty: restore it from a copy, or remove it and accept new pseudonyms")
    return Key.read(path.read_text().strip())


# ---------------------------------------------------------------- generations


class BadKey(Exception):
    """What was asked of the keys cannot be; says why."""


@dataclass(frozen=True)
class Ring:
    """The keys that JAGA_HOME holds."""

    home: Path
    set_elsewhere: bool = field(default=False)
    """Whether JAGA_PSEUDONYM_KEY is set: then who set it keeps it."""

    @classmethod
    def of(cls, settings: Settings) -> Ring:
        return cls(settings.home, bool(settings.pseudonym_key))

    def sealed(self) -> dict[int, Key]:
        """By generation. Raises OSError."""
        found = {}
        for path in self.home.glob(f"{KEY_FILE}.*") if self.home.exists() else ():
            if match := _SEALED.match(path.name):
                found[int(match[1])] = Key.read(path.read_text().strip())
        return dict(sorted(found.items()))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes the keys meanwhile."""
        folder = os.open(self.home, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def rotate(self) -> tuple[Key, Key]:
        """(the one sealed, the one in use from now on). Crawlers that run take it up at their next start. To be done `alone`.
        Raises BadKey, OSError."""
        if self.set_elsewhere:
            raise BadKey("JAGA_PSEUDONYM_KEY is set: change it there, to GENERATION:SECRET with the next generation")
        path = self.home / KEY_FILE
        present = Key.read(path.read_text().strip())
        new = Key(max(present.generation, *self.sealed(), 1) + 1, _secret())
        # Sealed first: a crash between the two leaves the key in use and a copy of it, never none.
        sealed = self.home / f"{KEY_FILE}.{present.generation}"
        if not sealed.exists():
            _make(sealed, present, os.link)
        _make(path, new, os.replace)
        return present, new

    def destroy(self, generation: int) -> Key:
        """A sealed key is gone: its pseudonyms can be made by nobody any more. Raises BadKey, OSError."""
        found = self.sealed().get(generation)
        if found is None:
            raise BadKey(f"no sealed key of generation {generation}; there are {list(self.sealed()) or 'none'}")
        path = self.home / f"{KEY_FILE}.{generation}"
        # What the file system keeps of it elsewhere (journal, snapshots, copies) is beyond us; docs/privacy.md says so.
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(len(path.read_bytes())))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        _sync_folder(self.home)
        return found


def _secret() -> bytes:
    return secrets.token_hex(32).encode()


def _make(path: Path, key: Key, put: Callable[[Path, Path], None]) -> None:
    """Whole or not at all, and (with `os.link`) the first of two starting processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.written() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        put(draft, path)
        _sync_folder(path.parent)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
