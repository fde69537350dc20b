"""The Scorer port on our own classifier."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from classifier.claims import ClaimIndex, ClaimText
from classifier.engine import Classifier, Judgement
from classifier.reasons import Reasons
from classifier.stance import cue, stance
from pipeline.ports import EXAMPLE, Found, Score

Floats = npt.NDArray[np.float32]


class ClassifierScorer:
    """Scorers of one model may share `vectors` (claim text -> its embedding), so that a claim is embedded once a process."""

    def __init__(self, classifier: Classifier, vectors: dict[str, Floats] | None = None) -> None:
        self._classifier = classifier
        self._vectors: dict[str, Floats] = {} if vectors is None else vectors
        self._claims: dict[str, str] = {}
        self._index: ClaimIndex | None = None
        self._reasons = Reasons.load(classifier.manifest)
        self.model_s = 0.0
        """Time spent in the model, on posts and on claims."""

    @property
    def model(self) -> str:
        return self._classifier.model_id

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
            self._index = ClaimIndex.build([ClaimText(*claim) for claim in wanted.items()], self._embed)
        else:
            self._index.add([ClaimText(*claim) for claim in wanted.items() if claim[0] not in self._claims])
        self._claims = wanted

    def _embed(self, texts: Sequence[str]) -> Floats:
        new = list(dict.fromkeys(text for text in texts if text not in self._vectors))
        if new:
            began = time.monotonic()
            self._vectors.update(zip(new, self._classifier.embed(new), strict=True))
            self.model_s += time.monotonic() - began
        return np.stack([self._vectors[text] for text in texts])

    def match(self, texts: Sequence[str], scores: Sequence[Score], k: int = 3) -> list[list[Found]]:
        if self._index is None or not texts:
            return [[] for _ in texts]
        found = self._index.search(texts, np.stack([score.embedding for score in scores]), k=k)
        decide = self._classifier.claim_decision
        return [
            [Found(m.claim_id, m.score, decision) for m in matches if (decision := decide(m.score)) != "no"]
            for matches in found
        ]

    def stance(self, claim: str, text: str) -> Literal["spreads", "debunks", "neither"]:
        return stance(claim, text)[0]

    def cue(self, text: str) -> Literal["debunks", "neither"] | None:
        return cue(text)
