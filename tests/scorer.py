"""A Scorer that judges by single words: tests of the pipeline say what the model says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from pipeline.analysis import words
from pipeline.ports import EXAMPLE, Found, Score

POISON = "racuntotal"
"""A text with this word breaks the whole batch by an error that nobody foresaw."""


class WordScorer:
    """`bakar` is provocation, `benci` hate; a text matches the claims with which it shares most words."""

    model = "words-1"

    def __init__(self, provoking: str = "bakar", hating: str = "benci") -> None:
        self._labels = {"provocation": provoking, "hate": hating}
        self._claims: list[tuple[str, frozenset[str]]] = []
        self.judged = 0

    def judge(self, texts: Sequence[str]) -> list[Score]:
        scores = []
        for text in texts:
            said = words(text)
            if POISON in said:
                raise ZeroDivisionError("poison")
            self.judged += 1
            values = {label: 0.95 if word in said else 0.02 for label, word in self._labels.items()}
            decisions = {label: "yes" if value > 0.5 else "no" for label, value in values.items()}
            scores.append(Score(values, decisions, ["religion"] if decisions["hate"] == "yes" else [], np.zeros(2)))
        return scores

    def explain(self, texts: Sequence[str], scores: Sequence[Score]) -> list[list[tuple[str, str]]]:
        return [
            [
                found
                for label, word in self._labels.items()
                if score.decisions[label] == "yes"
                for found in ((label, word), (label, f"{EXAMPLE}jangan {word} rumah orang"))
            ]
            for score in scores
        ]

    def load_claims(self, claims: Sequence[tuple[str, str]]) -> None:
        self._claims = [(claim_id, frozenset(words(text))) for claim_id, text in sorted(claims)]

    def match(self, texts: Sequence[str], scores: Sequence[Score], k: int = 3) -> list[list[Found]]:
        found = []
        for text in texts:
            said = frozenset(words(text))
            near = sorted(
                ((len(said & claim) / len(claim), claim_id) for claim_id, claim in self._claims if claim), reverse=True
            )
            found.append(
                [
                    Found(claim_id, share, "yes" if share >= 0.8 else "unsure")
                    for share, claim_id in near[:k]
                    if share >= 0.5
                ]
            )
        return found

    def stances(self, pairs: Sequence[tuple[str, str]]) -> list[Literal["spreads", "debunks", "neither"]]:
        return [self.cue(text) or "spreads" for _, text in pairs]

    def cue(self, text: str) -> Literal["debunks", "neither"] | None:
        said = words(text)
        if "hoaks" in said:
            return "debunks"
        return "neither" if "benarkah" in said else None
