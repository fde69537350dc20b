"""Claim matching measured as claims grow, on invented titles."""

from datetime import date

from classifier.claim_vectors import ClaimVectors
from classifier.claims import ClaimText
from classifier.claims_evaluation import Query
from classifier.claims_scale import measured

TITLES = [
    "Tujuh kotak suara dibakar warga di Sampang",
    "Tinta pemilu bisa dihapus dengan pasta gigi",
    "Surat suara tercoblos ditemukan dalam tiga kontainer di Bitung",
    "Pilkada Tabanan ditunda karena listrik padam",
]
REAL = [ClaimText(f"t{place}", title) for place, title in enumerate(TITLES)]


def asked(text: str, title: str) -> Query:
    return Query(text, date(2024, 11, 20), title.lower())


def test_every_size_holds_what_the_posts_name_and_counts_what_is_found() -> None:
    queries = [
        asked("viralkan tujuh kotak suara dibakar warga di sampang", TITLES[0]),
        asked("resep sambal matah ibu saya", TITLES[3]),
    ]
    told = list(measured(REAL, queries, [1, 4, 50], ClaimVectors.load()))
    assert [one["claims"] for one in told] == [2, 4, 50], "no size is smaller than the claims that the posts name"
    assert told[0]["recall@10"] >= told[-1]["recall@10"] >= 0.5
    assert told[-1]["recall@1"] == 0.5, "the first post finds its claim among made ones, the second names none"


def test_equal_runs_measure_equal_recall() -> None:
    queries = [asked(f"katanya {title.lower()}", title) for title in TITLES]
    once, again = (
        [one | {"posts_per_s": 0, "claims_added_per_s": 0, "memory_mb": 0} for one in
         measured(REAL, queries, [10, 60], ClaimVectors.load())]
        for _ in range(2)
    )  # fmt: skip
    assert once == again
