"""The register of known claims, as every worker sees it: numbered in the order of their coming, kept in the store."""

from __future__ import annotations

from pipeline.contracts import Claim
from pipeline.documents import claim_document, claim_of
from pipeline.ports import Filter, Scorer, SearchStore, Write

_COUNTER = "claims"


def version(store: SearchStore) -> int:
    """How many claims there are; grows with every new or changed one. Seen at once by all."""
    return int(store.get("meta", [_COUNTER]).get(_COUNTER, {}).get("seq", 0))


def register(store: SearchStore, claims: list[Claim]) -> None:
    """Store those that are new or changed, then raise the version. Doing it twice changes nothing.

    Claims first, version after: whoever sees the version finds the claims. Only one worker registers (its topic has one partition).
    """
    known = store.get("claims", [claim.claim_id for claim in claims])
    seq = version(store)
    fresh: dict[str, Claim] = {}
    for claim in claims:
        document = known.get(claim.claim_id)
        # A claim stored by a try that died before raising the version is fresh still.
        if document is None or claim_of(document) != claim or document["seq"] > seq:
            fresh[claim.claim_id] = claim
    if not fresh:
        return
    writes = [
        Write("claims", claim_id, claim_document(claim, seq + 1 + n))
        for n, (claim_id, claim) in enumerate(fresh.items())
    ]
    refused = [answer.cause for answer in store.put(writes) if answer.outcome == "refused"]
    if refused:
        raise ValueError(f"the store refuses a claim: {refused[0]}")
    store.put([Write("meta", _COUNTER, {"seq": seq + len(fresh)})])


class KnownClaims:
    """One worker's copy of the register, brought up to date when the version has moved."""

    def __init__(self, store: SearchStore, scorer: Scorer) -> None:
        self._store = store
        self._scorer = scorer
        self._claims: dict[str, Claim] = {}
        self.version = -1

    def refresh(self) -> int:
        """Returns the version now loaded."""
        newest = version(self._store)
        if newest != self.version:
            self._store.refresh()
            self._claims = {hit.id: claim_of(hit.document) for hit in self._store.scan("claims", Filter())}
            self._scorer.load_claims([(claim.claim_id, claim.text) for claim in self._claims.values()])
            self.version = newest
        return self.version

    def __getitem__(self, claim_id: str) -> Claim:
        return self._claims[claim_id]
