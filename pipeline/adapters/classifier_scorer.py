"""The Scorer port on our own classifier."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Literal

from classifier.claim_vectors import ClaimVectors
from classifier.claims import ClaimIndex, ClaimText
from classifier.engine import Classifier, Judgement
from classifier.reasons import Reasons
from classifier.stance import cue, shipped, stances
from pipeline.ports import EXAMPLE, Found, Score


class ClassifierScorer:
    """Scorers of one process may share the model and the claims' `vectors`; each has its own claims."""

    def __init__(self, classifier: Classifier, vectors: ClaimVectors | None = None) -> None:
        """Raises classifier.manifest.ModelError naming the file that is wrong."""
        self._classifier = classifier
        self._matching = vectors or ClaimVectors.load()
        self._claims: dict[str, str] = {}
        self._index: ClaimIndex | None = None
        self._reasons = Reasons.load(classifier)
        self.model_s = 0.0
        """Time spent in the models: labels, claim matching, stance."""

    @property
    def model(self) -> str:
        # A verdict names claims and stances, too: other claim vectors or another stance model make another id.
        told = f"{self._classifier.model_id} {self._matching.id} {shipped().id}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def judge(self, texts: Sequence[str]) -> list[Score]:
        began = time.monotonic()
        judged = self._classifier.judge(texts)
        self.model_s += time.monotonic() - began
        return [Score(j.scores, j.decisions, j.targets, j.embedding) for j in judged]

    def explain(self, texts: Sequence[str], scores: Sequence[Score]) -> list[list[tuple[str, str]]]:
        # Without tables beside the model only occlusion would be left: too dear for every post that is flagged.
        if self._reasons is None:
            return [[] for _ in texts]
        judged = [Judgement(dict(s.scores), dict(s.decisions), list(s.targets), s.embedding) for s in scores]
        return [
            [
                found
                for why in whys
                for found in (
                    *((why.label, word) for word in why.words),
                    *([(why.label, f"{EXAMPLE}{why.example.text}")] if why.example else []),
                )
            ]
            for whys in self._reasons.explain(texts, judged)
        ]

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
        began = time.monotonic()
        found = self._index.search(texts, k=k)
        self.model_s += time.monotonic() - began
        decide = self._matching.decide
        return [
            [Found(m.claim_id, m.score, decision) for m in matches if (decision := decide(m.score)) != "no"]
            for matches in found
        ]

    def stances(self, pairs: Sequence[tuple[str, str]]) -> list[Literal["spreads", "debunks", "neither"]]:
        began = time.monotonic()
        found = stances(pairs)
        self.model_s += time.monotonic() - began
        return found

    def cue(self, text: str) -> Literal["debunks", "neither"] | None:
        return cue(text)
