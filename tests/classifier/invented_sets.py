"""Invented rows in the shape of the research sets, for tests of the evaluation."""

import csv
from pathlib import Path

from classifier import exams

CALM = "cerita biasa nomor {n} tentang sawah dan pasar ke-{n}"
ANGRY = "dasar suku batak busuk anjing tolol nomor {n} semua sampah"


def write(path: Path, header: str, rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(), *rows])


def write_sets(root: Path) -> Path:
    """Invented rows in the shape of the research sets."""
    texts = [((ANGRY if n % 2 else CALM).format(n=n), n % 2) for n in range(120)]
    flags = "HS Abusive HS_Individual HS_Group HS_Religion HS_Race HS_Physical HS_Gender HS_Other HS_Weak HS_Moderate"
    write(
        root / "hate/ibrohim_2019.csv",
        f"id text {flags} HS_Strong",
        [[f"i{n}", text, y, y, 0, y, 0, y, 0, 0, 0, 0, y, 0] for n, (text, y) in enumerate(texts)],
    )
    parts = [["dev", "train"], ["test", "dev"], ["train", "test"]]
    write(
        root / "hate/ibrohim_2019_published_folds.csv",
        "text HS fold0 fold1 fold2 fold3 fold4",
        [[text, y, *parts[n // 2 % 3], "train", "train", "train"] for n, (text, y) in enumerate(texts)],
    )
    write(
        root / "hate/groups_2012_2024.csv",
        "id target label text",
        [[n, "arab", ("not hate", "hate")[n % 2], f"golongan {n} {n * 3}"] for n in range(60)],
    )
    for language in ("javanese", "sundanese"):
        rows = [[n, n % 2, n % 2, f"{language} tulisan {n} {n * 5}"] for n in range(60)]
        write(root / f"hate/{language}.csv", "id abusive hate text", rows)
    write(
        root / "hate/functional_cases_silver.csv",
        "function target label text",
        [["slur_h", "x", "hateful", ANGRY.format(n=f"f{n}")] for n in range(5)]
        + [["counter_ref_nh", "x", "non-hateful", f"jangan hina orang lain {n}"] for n in range(5)],
    )
    for name in exams.ELECTIONS:
        write(
            root / f"ordinary/{name}.csv",
            "id text",
            [[n, ANGRY.format(n=f"{n} {name}") if n % 2 else f"kata pak Wirangga {n} {name}"] for n in range(12)],
        )
    write(root / "ordinary/reviews.csv", "id sentiment text", [[n, "positive", f"warung {n} enak"] for n in range(40)])
    write(root / "regional/nusax.csv", "language label text", [["javanese", "neutral", "sega pecel enak"]])
    write(
        root / "claims/turnbackhoax_2015_2020.csv",
        "id date label title text",
        [[n, "2019-01-01", "hoax", f"judul {n}", f"kabar judul {n} kotak suara {n}"] for n in range(5)],
    )
    write(root / "lexicon/mini.csv", "slang formal", [["smua", "semua"]])
    return root
