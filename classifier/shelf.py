"""The models that an operator has brought in, in a folder: which there are, which is in use, and who decided that.

A model serves only after `use`. Every act is a line of `log.ndjson`, which is only ever added to; the last `use` or
`undo` in it says what is in use.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .calibration import Band
from .curves import BadCosts, Costs
from .engine import Classifier
from .guest import MANIFEST, Guest, GuestManifest
from .labels import LABELS
from .manifest import ModelError

OWN = "shipped"
LOG = "log.ndjson"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


class Shelf:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Return the names of the models brought in, sorted."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{MANIFEST}"))

    def path(self, name: str) -> Path:
        """Return the folder of a model that is there; raises ModelError naming those that are."""
        if name not in self.names():
            raise ModelError(f"{name!r} is no model in {self.folder}; there are: {', '.join([OWN, *self.names()])}")
        return self.folder / name

    def free(self, name: str) -> Path:
        """Return the folder for a new model; raises ModelError for a name that is taken or cannot be one."""
        if not _NAME.fullmatch(name) or name == OWN:
            raise ModelError(f"{name!r} cannot be a model's name: small letters, digits, '.', '_' and '-'")
        if (self.folder / name).exists():
            raise ModelError(f"{self.folder / name} is there already; remove it first, or take another --name")
        return self.folder / name

    def in_use(self) -> str:
        """Return the name of the model in use; OWN where none was chosen."""
        chosen = [one["name"] for one in self.log() if one["what"] in ("use", "undo")]
        return str(chosen[-1]) if chosen else OWN

    def use(self, name: str, by: str) -> None:
        """Put a model in use, after it was loaded once. Raises ModelError where it cannot be."""
        if name != OWN:
            GuestManifest.read(self.path(name))
        self.note("use", name, by)

    def undo(self, by: str) -> str:
        """Go back to what was in use before, and return it; raises ModelError where nothing was."""
        stack = []
        for one in self.log():
            if one["what"] == "use":
                stack.append(one["before"])
            elif one["what"] == "undo" and stack:
                stack.pop()
        if not stack:
            raise ModelError(f"{self.folder / LOG}: nothing to undo")
        name = stack[-1]
        if name != OWN:
            GuestManifest.read(self.path(name))
        self.note("undo", name, by)
        return str(name)

    def remove(self, name: str, by: str) -> None:
        """Remove a model for good. Raises ModelError for the one in use."""
        path = self.path(name)
        if name == self.in_use():
            raise ModelError(f"{name} is in use; choose another first: jaga model use {OWN}")
        shutil.rmtree(path)
        self.note("remove", name, by)

    def note(self, what: str, name: str, by: str, **more: Any) -> None:
        """Add a line to the log."""
        before = self.in_use()
        self.folder.mkdir(parents=True, exist_ok=True)
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = json.dumps({"at": at, "by": by, "what": what, "name": name, "before": before} | more)
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def log(self) -> list[dict[str, Any]]:
        """Return every act, oldest first; raises ModelError naming a line that cannot be read."""
        path = self.folder / LOG
        if not path.exists():
            return []
        acts = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                act = json.loads(line)
                acts.append({**act, "what": str(act["what"]), "name": str(act["name"]), "before": str(act["before"])})
            except (ValueError, KeyError, TypeError) as error:
                raise ModelError(f"{path}: line {number} cannot be read ({error})") from error
        return acts


def open_model(model: Path | None, shelf: Shelf, costs: str = "") -> Classifier:
    """Open the model (or the guest beside the shipped model) in the folder `model`, else the one that the shelf has in
    use, else the shipped one, with the bands that `costs` (see `read_costs`) ask for. Raises ModelError, or BadCosts.
    """
    wanted = read_costs(costs)
    guest = model if model is not None and (model / MANIFEST).exists() else None
    if model is None and (name := shelf.in_use()) != OWN:
        guest = shelf.path(name)
    host = with_costs(Classifier.load(None if guest else model), wanted)
    return host if guest is None else with_costs(Guest.open(host, guest), wanted)


def read_costs(text: str) -> dict[str, Costs]:
    """Read `MISS/FALSE_ALARM/UNSURE` for all labels, or `LABEL=MISS/FALSE_ALARM/UNSURE` for some, parted by blanks."""
    found: dict[str, Costs] = {}
    for part in text.split():
        label, mark, costs = part.rpartition("=")
        if mark and label not in LABELS:
            raise BadCosts(f"{part!r}: {label!r} is no label; {', '.join(LABELS)}")
        found |= {label: Costs.parse(costs)} if mark else {name: Costs.parse(costs) for name in LABELS}
    return found


def with_costs(classifier: Classifier, costs: Mapping[str, Costs]) -> Classifier:
    """Give a freshly loaded model the bands of these costs, and another id where any band is another."""
    bands = classifier.manifest.bands
    asked: dict[str, Band] = {label: one.band() for label, one in costs.items() if label in bands}
    if all(bands[label] == band for label, band in asked.items()):
        return classifier
    changed: dict[str, Any] = {"bands": {**bands, **asked}}
    # A first stage that settles texts as "no" may not settle what the new band would ask a person about.
    first: dict[str, float] = getattr(classifier.manifest, "first_stage", {})
    if first:
        changed["first_stage"] = {k: min(v, asked[k].unsure) if k in asked else v for k, v in first.items()}
    classifier.manifest = replace(classifier.manifest, **changed)
    told = json.dumps([classifier.model_id, {name: [b.yes, b.unsure] for name, b in sorted(asked.items())}])
    classifier.model_id = hashlib.sha256(told.encode()).hexdigest()[:16]
    return classifier
