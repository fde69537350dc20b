"""`jaga model`: which model judges, how its thresholds trade, and bringing in another."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from classifier.bring import bring
from classifier.calibration import Band
from classifier.curves import BadCosts, Costs, Curve, table
from classifier.guest import MANIFEST as GUEST_MANIFEST
from classifier.guest import GuestManifest
from classifier.manifest import SHIPPED, ModelError
from classifier.manifest import Manifest as OwnManifest
from classifier.sheet import BadSet
from classifier.shelf import OWN, Shelf
from pipeline.cli.app import app, fail
from pipeline.cli.open import open_classifier
from pipeline.settings import Settings, load_settings

model = typer.Typer(help="The model that judges: its thresholds, and other models.", no_args_is_help=True)
app.add_typer(model, name="model")

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
By = Annotated[str | None, typer.Option(help="Who decides it; the account's name if left out.")]
Name = Annotated[str, typer.Argument(metavar="NAME")]


@model.command("list")
def list_(as_json: AsJson = False) -> None:
    """The models there are; a star marks the one in use."""
    settings = load_settings()
    shelf = Shelf(settings.models_folder)
    used = str(settings.model) if settings.model else shelf.in_use()
    rows = [{"name": OWN, "labels": list(OwnManifest.read(SHIPPED).labels), "made": "", "used": used == OWN}]
    for name in shelf.names():
        guest = GuestManifest.read(shelf.path(name))
        rows.append({"name": name, "labels": list(guest.heads), "made": guest.text["made"], "used": used == name})
    if settings.model:
        rows.append({"name": used, "labels": [], "made": "JAGA_MODEL", "used": True})
    if as_json:
        typer.echo(json.dumps(rows))
        return
    told = Table("", "model", "labels", "made")
    for row in rows:
        told.add_row("*" if row["used"] else "", str(row["name"]), ", ".join(row["labels"]), str(row["made"]))  # type: ignore[arg-type]
    Console().print(told)


@model.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """What is known of a model: labels, bands, data, and its comparison with the one that was in use."""
    if name == OWN:
        text = OwnManifest.read(SHIPPED).text
    else:
        text = GuestManifest.read(Shelf(load_settings().models_folder).path(name)).text
    if as_json:
        typer.echo(json.dumps(text, ensure_ascii=False))
        return
    for field in ("made", "created", "from", "architecture", "base", "weights_licence", "data"):
        if field in text and not isinstance(text[field], list):
            typer.echo(f"{field}: {text[field]}")
    for label, band in text["bands"].items():
        typer.echo(f"{label}: yes from {band['yes']}, unsure from {band['unsure']}")
    if "compared" in text:
        _tell_comparison(text["compared"])


@model.command()
def add(
    path: Annotated[
        Path, typer.Argument(help="Hugging Face folder: config.json, tokenizer.json, safetensors or ONNX.")
    ],
    data: Annotated[
        Path, typer.Option(help="CSV with text and a column of 0 or 1 for each label: calibrates, compares.")
    ],
    name: Annotated[str | None, typer.Option(help="Name here; the folder's if left out.")] = None,
    label_map: Annotated[
        list[str] | None, typer.Option(help="OURS=THEIRS: which of its classes is our label; again for each.")
    ] = None,
    by: By = None,
) -> None:
    """Bring in a sequence classifier: checked, exported, calibrated, compared. It judges nothing until `jaga model use`."""
    settings = load_settings()
    shelf = Shelf(settings.models_folder)
    mapped = {}
    for pair in label_map or []:
        ours, mark, theirs = pair.partition("=")
        if not mark or not theirs:
            raise fail(f"--label-map {pair!r}: write OURS=THEIRS, e.g. hate=1", 2)
        mapped[ours] = theirs
    if not path.is_dir():
        raise fail(f"{path}: no such folder", 2)
    try:
        chosen = name or path.resolve().name.lower()
        made = bring(path, shelf.free(chosen), data, open_classifier(settings), mapped)
    except (ModelError, BadSet) as error:
        raise fail(str(error)) from None
    shelf.note("add", chosen, by or getpass.getuser(), files=made["files"], data=made["data"])
    typer.echo(f"{chosen} is in {shelf.path(chosen)}; nothing changes until: jaga model use {chosen}")
    _tell_comparison(made["compared"])


@model.command()
def use(name: Name, by: By = None) -> None:
    """Let a model judge from now on (`shipped` for our own); workers take it at their next start."""
    settings = load_settings()
    if settings.model is not None:
        raise fail(f"JAGA_MODEL ({settings.model}) comes before what is chosen here; unset it first")
    shelf = Shelf(settings.models_folder)
    try:
        if name != OWN:
            open_classifier(settings, shelf.path(name)).judge(["Apa kabar, semoga pilkada damai."])
        shelf.use(name, by or getpass.getuser())
    except ModelError as error:
        raise fail(str(error)) from None
    typer.echo(f"{name} is in use; running workers take it at their next start (back: jaga model undo)")


@model.command()
def undo(by: By = None) -> None:
    """Go back to the model that was in use before."""
    name = Shelf(load_settings().models_folder).undo(by or getpass.getuser())
    typer.echo(f"{name} is in use again; running workers take it at their next start")


@model.command()
def remove(name: Name, by: By = None) -> None:
    """Remove a model that was brought in; not the one in use. Its verdicts stay."""
    Shelf(load_settings().models_folder).remove(name, by or getpass.getuser())
    typer.echo(f"{name} is removed")


@model.command()
def log(as_json: AsJson = False) -> None:
    """Who added, used, undid and removed which model, and when."""
    for act in Shelf(load_settings().models_folder).log():
        if as_json:
            typer.echo(json.dumps(act))
        else:
            typer.echo(f"{act['at']}  {act['by']}  {act['what']} {act['name']} (before: {act['before']})")


@model.command()
def thresholds(
    miss_cost: Annotated[float | None, typer.Option(help="What a missed post costs.")] = None,
    false_alarm_cost: Annotated[float | None, typer.Option(help="What a post flagged wrongly costs.")] = None,
    unsure_cost: Annotated[float | None, typer.Option(help="What it costs that a person must look.")] = None,
    label: Annotated[str | None, typer.Option(help="Only this label.")] = None,
    as_json: AsJson = False,
) -> None:
    """The trade of each label's thresholds, on the rows they were chosen on; with costs, the band they ask for.

    Changes nothing: JAGA_COSTS does.
    """
    settings = load_settings()
    asked = _costs(miss_cost, false_alarm_cost, unsure_cost)
    curves, stream, bands = _curves(settings)
    if label is not None and label not in curves:
        raise fail(f"--label {label!r}: there are {', '.join(curves)}", 2)
    told = {
        name: _trade(name, Curve.read(curve), bands[name], asked)
        for name, curve in curves.items()
        if label in (None, name)
    }
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for name, rows in told.items():
        shown = Table(*rows[0], title=f"{name}: {curves[name]['source']}")
        for row in rows:
            shown.add_row(*row.values())
        _wide().print(shown)
        if name in stream:
            at = Curve.read(stream[name]).at(asked.band() if asked else bands[name])
            typer.echo(f"of {stream[name]['source']}: {100 * at['yes']:.1f} % yes, {100 * at['unsure']:.1f} % unsure")
    if asked:
        chosen = f"{asked.miss:g}/{asked.false_alarm:g}/{asked.unsure:g}"
        typer.echo(
            f"To take this band: JAGA_COSTS={chosen if label is None else f'{label}={chosen}'} (another model id)"
        )


def _costs(miss: float | None, false_alarm: float | None, unsure: float | None) -> Costs | None:
    given = (miss, false_alarm, unsure)
    if all(one is None for one in given):
        return None
    if miss is None or false_alarm is None or unsure is None:
        raise fail("--miss-cost, --false-alarm-cost and --unsure-cost go together", 2)
    try:
        return Costs(miss, false_alarm, unsure)
    except BadCosts as error:
        raise fail(str(error), 2) from None


def _curves(settings: Settings) -> tuple[dict[str, Any], dict[str, Any], dict[str, Band]]:
    """The curves of the model in force, the scores of a stream, and the bands in force."""
    classifier = open_classifier(settings)
    metrics = classifier.manifest.text.get("metrics", {})
    curves = dict(metrics.get("curves", {}))
    name = OWN if settings.model else Shelf(settings.models_folder).in_use()
    stream = dict(metrics.get("stream", {}))
    if settings.model is not None and (settings.model / GUEST_MANIFEST).exists():
        theirs = GuestManifest.read(settings.model).text["curves"]
    else:
        theirs = GuestManifest.read(Shelf(settings.models_folder).path(name)).text["curves"] if name != OWN else {}
    curves |= theirs
    if not curves:
        raise fail("the model's manifest holds no curves: python -m classifier.evaluate --data PATH --write makes them")
    return curves, {k: v for k, v in stream.items() if k not in theirs}, dict(classifier.manifest.bands)


REFERENCES = ((1, 1, 0.5), (1, 1, 0.3), (1, 1, 0.1), (5, 1, 0.3), (20, 1, 0.3), (1, 5, 0.3))
"""Costs shown beside the band in force, so that one sees which way each leads."""


def _trade(name: str, curve: Curve, band: Band, asked: Costs | None) -> list[dict[str, str]]:
    rows = [("in force", band)]
    if asked is not None:
        rows.append(("asked", asked.band()))
    rows += [(f"costs {m:g}/{f:g}/{u:g}", Costs(m, f, u).band()) for m, f, u in REFERENCES]
    return table(curve, rows, asked)


def _tell_comparison(compared: dict[str, Any]) -> None:
    for label, row in compared["labels"].items():
        told = Table(
            "", "now", "then", title=f"{label}: {row['rows']} rows that calibrated neither, {row['positive']} yes"
        )
        for figure in ("F1", "F1 of yes"):
            told.add_row(figure, *(f"{f:.3f} ({low:.3f}-{high:.3f})" for f, low, high in _both(row, figure)))
        told.add_row("unsure", *(f"{100 * share:.1f} %" for share in _both(row, "unsure")))
        told.add_row("calibration error", *(f"{error:.3f}" for error in _both(row, "ECE")))
        told.add_row("decisions that flip", "", f"{100 * row['flips']:.1f} %")
        Console().print(told)
    pace = compared["texts a second"]
    typer.echo(f"texts a second: {pace['current']} now, {pace['guest']} then (the shipped model runs beside it)")


def _both(row: dict[str, Any], figure: str) -> tuple[Any, Any]:
    return row["current"][figure], row["guest"][figure]


def _wide() -> Console:
    """A pipe has no width: the columns then stay whole."""
    console = Console()
    return console if console.is_terminal else Console(width=160)
