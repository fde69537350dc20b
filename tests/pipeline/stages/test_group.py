"""Narratives do not depend on the order in which posts come, nor on how often one is seen."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import ClaimMatch, Judged, Stance, Verdict
from pipeline.stages.group import Stories
from tests.pipeline.house import AT, a_post


def judged(
    native_id: str,
    bands: tuple[str, ...],
    claim: str | None = None,
    stance: Stance = "spreads",
    cue: Stance | None = None,
) -> Judged:
    post = a_post(native_id, "isi")
    matches = (ClaimMatch(claim_id=claim, score=0.9, decision="yes", stance=stance),) if claim else ()
    verdict = Verdict(
        post_id=post.id,
        revision=post.revision,
        model="m",
        scores={},
        decisions={},
        claims=matches,
        cue=cue,
        judged_at=AT,
    )
    return Judged(post=post, verdict=verdict, bands=bands, logged_at=AT)


def partition(stories: Stories) -> set[tuple[str | None, frozenset[str]]]:
    """(claim, posts) of every narrative that is shown."""
    shown = {n for n in stories.narratives if stories.shown(n) == n}
    wholes = [stories.whole(n) for n in shown]
    return {(one.claim_id, frozenset(one.members)) for one in wholes if one.members}


def placed(posts: list[Judged]) -> Stories:
    stories = Stories()
    for one in posts:
        stories.place(one)
    return stories


bands = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3, unique=True).map(tuple)
posts = st.lists(
    st.builds(
        lambda n, bands, claim, cue: judged(f"p{n}", bands, claim, cue=cue),
        st.integers(0, 11),
        bands,
        st.sampled_from([None, None, None, "k1", "k2"]),
        st.sampled_from([None, None, "debunks"]),
    ),
    max_size=12,
    unique_by=lambda one: one.post.native_id,
)


@given(posts, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_order_gives_the_same_narratives(came: list[Judged], random: object) -> None:
    other = list(came)
    random.shuffle(other)  # type: ignore[attr-defined]
    assert partition(placed(came)) == partition(placed(other))


@given(posts)
@settings(max_examples=200, deadline=None)
def test_every_post_is_in_one_narrative_and_placing_it_again_changes_nothing(came: list[Judged]) -> None:
    once, twice = placed(came), placed(came + came[::-1])
    assert partition(once) == partition(twice)
    homes = defaultdict(list)
    for _, members in partition(once):
        for post_id in members:
            homes[post_id].append(members)
    assert {len(found) for found in homes.values()} <= {1}
    assert set(homes) == {one.post.id for one in came}


def test_two_fact_checked_claims_stay_two_stories_whatever_lies_between() -> None:
    stories = placed([judged("a", ("x",), "k1"), judged("b", ("x", "y")), judged("c", ("y",), "k2")])
    assert len(partition(stories)) == 2


def test_near_copies_of_near_copies_are_one_story() -> None:
    stories = placed([judged("a", ("x",)), judged("b", ("y",)), judged("c", ("x", "y"))])
    assert len(partition(stories)) == 1


def test_a_correction_with_the_same_words_is_another_story() -> None:
    stories = placed([judged("a", ("x",)), judged("b", ("x",), cue="debunks")])
    assert len(partition(stories)) == 2
