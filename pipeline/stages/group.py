"""Which narrative a post belongs to.

Posts that match a claim are one narrative, whatever else they share. The others are connected components: posts that share a band
(near copies), within one stance; such a component is attached to the narrative of a claim, the first by id, if it shares a band
with its posts. So the result does not depend on the order in which posts come, and two deployments group alike. A correction
never joins the story it corrects, because its bands carry its stance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.contracts import Judged, Member, Narrative, Stance, digest


def kind_of(judged: Judged) -> Stance:
    """With which stance a post tells its story; a post of no known claim without any cue is taken to tell it."""
    verdict = judged.verdict
    if verdict.cue is not None:
        return verdict.cue
    return verdict.claim.stance if verdict.claim is not None else "spreads"


def band_keys(judged: Judged) -> tuple[str, ...]:
    """The post's bands within its stance: equal keys belong together."""
    kind = kind_of(judged)
    return tuple(f"{kind}.{band}" for band in judged.bands)


def claim_narrative_id(kind: Stance, claim_id: str) -> str:
    return "n" + digest("claim", kind, claim_id)[:20]


def member_of(judged: Judged) -> Member:
    verdict = judged.verdict
    return Member(
        author=judged.post.author,
        platform=judged.post.platform,
        regions=judged.regions,
        seen_at=judged.post.seen_at,
        reach=judged.post.reach,
        labels=verdict.labels,
        scores=dict(verdict.scores),
        targets=verdict.targets,
        model=verdict.model,
        bands=band_keys(judged),
        claim=verdict.claim,
    )


@dataclass
class Band:
    """Who has posts with this hash: one narrative without a claim, and any number of claims'."""

    loose: str | None = None
    claimed: frozenset[str] = frozenset()


@dataclass
class Stories:
    """The part of the grouping that a batch touches, loaded by the worker; changed in place, then written back.

    bands: by band key; narratives: by id; homes: post id -> id of the narrative that has it as a member.
    """

    bands: dict[str, Band] = field(default_factory=dict)
    narratives: dict[str, Narrative] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    def resolve(self, narrative_id: str) -> str:
        """The narrative that has taken this one in, or itself."""
        while (into := self.narratives[narrative_id].merged_into) is not None:
            narrative_id = into
        return narrative_id

    def shown(self, narrative_id: str) -> str:
        """Under which narrative people see this one: itself, or the claim's that it is attached to."""
        narrative = self.narratives[self.resolve(narrative_id)]
        return narrative.near[0] if narrative.near else narrative.id

    def whole(self, narrative_id: str) -> Narrative:
        """A narrative with the members of those attached to it."""
        narrative = self.narratives[narrative_id]
        members = dict(narrative.members)
        for other in narrative.attached:
            # What is noted here may be older than where it is attached now.
            if self.narratives[other].merged_into is None and self.shown(other) == narrative_id:
                members.update(self.narratives[other].members)
        return narrative.model_copy(update={"members": members})

    def forget(self, gone: set[str]) -> None:
        """Take back what narratives say of these others; placing the posts that connect them says it again."""
        for one in list(self.narratives.values()):
            if not gone.isdisjoint((*one.near, *one.attached)):
                near, attached = ([n for n in names if n not in gone] for names in (one.near, one.attached))
                self._change(one.id, near=tuple(near), attached=tuple(attached))

    def place(self, judged: Judged) -> str:
        """Put a post into its narrative, merging those it connects; returns the narrative under which it is shown.

        Doing it twice changes nothing.
        """
        kind, keys, claim = kind_of(judged), band_keys(judged), judged.verdict.claim
        bands = [self.bands.setdefault(key, Band()) for key in keys]
        near = {self.resolve(band.loose) for band in bands if band.loose is not None}
        if claim is not None:
            home = claim_narrative_id(kind, claim.claim_id)
            self._begin(home, kind, claim.claim_id)
            for band in bands:
                band.claimed |= {home}
            for other in near:
                self._attach(other, frozenset((home,)))
        else:
            home = min(near, default="n" + digest("post", kind, judged.post.id, judged.post.revision)[:20])
            self._begin(home, kind, None)
            for other in near - {home}:
                self._take_in(home, other)
            for band in bands:
                band.loose = home
            self._attach(home, frozenset().union(*(band.claimed for band in bands)))
        self._leave(judged.post.id, home)
        self.narratives[home].members[judged.post.id] = member_of(judged)
        self.homes[judged.post.id] = home
        self._touch(home)
        return self.shown(home)

    def _begin(self, narrative_id: str, kind: Stance, claim_id: str | None) -> None:
        if narrative_id not in self.narratives:
            self.narratives[narrative_id] = Narrative(id=narrative_id, kind=kind, claim_id=claim_id)

    def _touch(self, narrative_id: str) -> None:
        self.touched |= {narrative_id, self.shown(narrative_id)}

    def _change(self, narrative_id: str, **fields: object) -> None:
        self.narratives[narrative_id] = self.narratives[narrative_id].model_copy(update=fields)

    def _leave(self, post_id: str, for_home: str) -> None:
        before = self.homes.get(post_id)
        if before is None:
            return
        before = self.resolve(before)
        if before != for_home:
            # Touched even if it has left already: a try that died may have stored that, but not the alert without it.
            self.narratives[before].members.pop(post_id, None)
            self._touch(before)

    def _take_in(self, home: str, other: str) -> None:
        taken = self.narratives[other]
        self._touch(other)
        self.narratives[home].members.update(taken.members)
        self._change(other, members={}, merged_into=home)
        self._attach(home, frozenset(taken.near))

    def _attach(self, narrative_id: str, claimed: frozenset[str]) -> None:
        """Note which claims' narratives it is near; it is attached to the first by id, whichever came first."""
        self._touch(narrative_id)
        self._change(narrative_id, near=tuple(sorted(claimed.union(self.narratives[narrative_id].near))))
        to = self.shown(narrative_id)
        if to != narrative_id:
            # Noted even if it was noted before: a try that died may have written one side only.
            self._change(to, attached=tuple(sorted({*self.narratives[to].attached, narrative_id})))
        # All of them: it may have been moved from any to this one by a try that died before the alerts were stored.
        self.touched.update(self.narratives[narrative_id].near)
        self._touch(narrative_id)


def narratives_named(bands: Mapping[str, Band], judged: Iterable[Judged]) -> set[str]:
    """Ids of the narratives that placing these posts may touch, without those that they lead to."""
    found = {band.loose for band in bands.values() if band.loose is not None}
    found.update(*(band.claimed for band in bands.values()))
    for one in judged:
        if one.verdict.claim is not None:
            found.add(claim_narrative_id(kind_of(one), one.verdict.claim.claim_id))
    return found
