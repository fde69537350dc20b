"""How far two readers of the same rows agree: Cohen's kappa a label.

python -m classifier.agreement                                  the readings in the repository
python -m classifier.agreement --second NAME --readings FILE    another reader's
python -m classifier.agreement --export FILE --data DATA        rows for a new reader, shuffled, without labels
"""

import argparse
import csv
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .annotations import (
    ANNOTATED,
    BadAnnotation,
    Reading,
    read_elections,
    read_readings,
    read_relabelled,
    read_written,
    with_texts,
)
from .datasets import OURS

FIRST, AGAIN = "model-reader-1", "model-reader-1-again"


@dataclass(frozen=True, slots=True)
class Agreement:
    rows: int  # both readers decided
    first: int  # yes of the first
    second: int  # yes of the second
    agreed: float  # share of rows with the same label
    kappa: float | None  # None where both readers gave every row one and the same label

    @classmethod
    def of(cls, pairs: Sequence[tuple[bool, bool]]) -> "Agreement":
        """Return the agreement of pairs of labels; kappa after Cohen (1960). ValueError without any pair."""
        if not pairs:
            raise ValueError("no row was read by both")
        n, first, second = len(pairs), sum(one for one, _ in pairs), sum(other for _, other in pairs)
        agreed = sum(one == other for one, other in pairs) / n
        chance = (first * second + (n - first) * (n - second)) / n**2
        return cls(n, first, second, agreed, None if chance == 1 else (agreed - chance) / (1 - chance))


def compare(readings: Sequence[Reading], first: str, second: str, among: set[str]) -> dict[str, Agreement]:
    """Return the agreement by label over the rows of `among` that both read; a label nobody judged is left
    out.
    """
    by_reader = {name: {one.id: one.labels for one in readings if one.reader == name} for name in (first, second)}
    both = by_reader[first].keys() & by_reader[second].keys() & among
    found = {}
    for label in ANNOTATED:
        values = [(by_reader[first][row][label], by_reader[second][row][label]) for row in both]
        # A label left open (NaN) is equal to nothing.
        pairs = [(one == 1, other == 1) for one, other in values if one == one and other == other]
        if pairs:
            found[label] = Agreement.of(pairs)
    return found


def table(readings: Sequence[Reading], first: str = FIRST, second: str = AGAIN) -> str:
    """Return the agreement as a Markdown table: our own rows, the public ones, the election posts."""
    sets = {
        "own": {row.id for row in read_written()},
        "public": {row.id for row in read_relabelled()},
        "election": {row.id for row in read_elections()},
    }
    lines = [
        "| rows | label | read twice | yes, first | yes, second | agreed | kappa |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, among in sets.items():
        for label, one in compare(readings, first, second, among).items():
            kappa = "undefined" if one.kappa is None else f"{one.kappa:.2f}"
            lines.append(
                f"| {name} | `{label}` | {one.rows} | {one.first} | {one.second} | {one.agreed:.3f} | {kappa} |"
            )
    return "\n".join(lines)


def export(data: Path, seed: int, own: int, public: int, election: int) -> list[tuple[str, str]]:
    """Return `(id, text)` of that many rows of each kind, shuffled, for a reader who must not see labels."""
    dice = random.Random(seed)  # noqa: S311 (an order, not a secret)
    wanted = (
        ([(row.id, row.text) for row in read_written()], own),
        ([(row.id, text) for text, row in with_texts(read_relabelled(), data)], public),
        ([(row.id, text) for text, row in with_texts(read_elections(), data)], election),
    )
    chosen = [row for texts, count in wanted for row in dice.sample(texts, min(count, len(texts)))]
    dice.shuffle(chosen)
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.agreement", description="Agreement of two readers.")
    parser.add_argument("--readings", type=Path, default=OURS / "readings.csv", help="readings of both readers")
    parser.add_argument("--first", default=FIRST, help="name of the first reader")
    parser.add_argument("--second", default=AGAIN, help="name of the second reader")
    parser.add_argument("--export", type=Path, help="write rows to be read to this CSV instead")
    parser.add_argument("--data", type=Path, help="folder of the public sets, for --export")
    parser.add_argument("--seed", type=int, default=1, help="which rows --export takes")
    parser.add_argument("--own", type=int, default=400, help="how many of our own rows --export takes")
    parser.add_argument("--public", type=int, default=200, help="how many public rows --export takes")
    parser.add_argument("--election", type=int, default=100, help="how many election posts --export takes")
    options = parser.parse_args(arguments)
    try:
        if options.export is None:
            print(table(read_readings(options.readings), options.first, options.second))
            return 0
        if options.data is None:
            parser.error("--export needs --data")
        chosen = export(options.data, options.seed, options.own, options.public, options.election)
        with options.export.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("id", "text"))
            writer.writerows(chosen)
    except (BadAnnotation, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
