"""The Scorer port on our own classifier."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from classifier.claim_vectors import ClaimVectors
from classifier.claims import ClaimIndex, ClaimText
from classifier.engine import Classifier
from classifier.stance import cue, stance
from pipeline.ports import Found, Score


class ClassifierScorer:
    """Scorers of one process may share the model and the claims' `vectors`; each has its own claims."""

    def __init__(self, classifier: Classifier, vectors: ClaimVectors | None = None) -> None:
        """Raises classifier.manifest.ModelError naming the file that is wrong."""
        self._classifier = classifier
        self._matching = vectors or ClaimVectors.load()
        self._claims: dict[str, str] = {}
        self._index: ClaimIndex | None = None
        self.model_s = 0.0
        """Time spent in the model."""

    @classmethod
    def load(cls, model: Path | None) -> ClassifierScorer:
        """Raises classifier.manifest.ModelError naming the file that is wrong."""
        return cls(Classifier.load(model))

    @property
    def model(self) -> str:
        # A verdict names claims, too: other claim vectors or thresholds are another model.
        return hashlib.sha256(f"{self._classifier.model_id} {self._matching.id}".encode()).hexdigest()[:16]

    def judge(self, texts: Sequence[str]) -> list[Score]:
        began = time.monotonic()
        judged = self._classifier.judge(texts)
        self.model_s += time.monotonic() - began
        return [Score(j.scores, j.decisions, j.targets, j.embedding) for j in judged]

    def load_claims(self, claims: Sequence[tuple[str, str]]) -> None:
        wanted = dict(claims)
        changed = any(wanted.get(claim_id) != text for claim_id, text in self._claims.items())
        if self._index is None or changed:
            claimed = [ClaimText(*claim) for claim in wanted.items()]
            self._index = ClaimIndex.build(claimed, self._matching)
        else:
            self._index.add([ClaimText(*claim) for claim in wanted.items() if claim[0] not in self._claims])
        self._claims = wanted

    def match(self, texts: Sequence[str], scores: Sequence[Score], k: int = 3) -> list[list[Found]]:
        if self._index is None or not texts:
            return [[] for _ in texts]
        found = self._index.search(texts, k=k)
        decide = self._matching.decide
        return [
            [Found(m.claim_id, m.score, decision) for m in matches if (decision := decide(m.score)) != "no"]
            for matches in found
        ]

    def stance(self, claim: str, text: str) -> Literal["spreads", "debunks", "neither"]:
        return stance(claim, text)[0]

    def cue(self, text: str) -> Literal["debunks", "neither"] | None:
        return cue(text)
