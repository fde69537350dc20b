"""The registry as the port `SourceRegistry`: how the API comes to it without knowing crawlers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pipeline.ports import Document
from pipeline.settings import Settings

from .registry import SHIPPED, Registry


class SourceList:
    """Reads file and edits anew when either has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._read: tuple[object, list[Document]] | None = None

    def sources(self) -> list[Document]:
        with self._lock:
            as_of = [_stamp(self._settings.sources or SHIPPED), _stamp(self._settings.registry_file)]
            if self._read is None or self._read[0] != as_of:
                entries = Registry.of(self._settings).entries().values()
                self._read = (
                    as_of,
                    [{name: value for name, value in entry.as_dict().items() if name != "edits"} for entry in entries],
                )
            return self._read[1]

    def source(self, name: str) -> Document:
        return Registry.of(self._settings).entry(name).as_dict()

    def add(self, fields: Mapping[str, Any], *, who: str, why: str) -> Document:
        event = Registry.of(self._settings).add({"enabled": False, **fields}, who=who, why=why)
        return self.source(event.source)

    def change(self, name: str, fields: Mapping[str, Any], *, who: str, why: str) -> Document:
        act: Literal["on", "off", "set"] = "set"
        if fields.keys() == {"enabled"} and isinstance(fields["enabled"], bool):
            act = "on" if fields["enabled"] else "off"
        Registry.of(self._settings).change(name, fields, act=act, who=who, why=why)
        return self.source(name)

    def edits(self, name: str | None = None) -> list[Document]:
        return [event.as_dict() for event in Registry.of(self._settings).events(name)]


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
