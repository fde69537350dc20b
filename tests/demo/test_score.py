"""The score of hand-made alerts is what a person would count."""

from __future__ import annotations

import pytest

from demo import truth
from demo.score import Alert, alerts_from, score
from demo.truth import Row


def row(name: str, kind: str, narrative: str | None = None, *, alert: bool = False) -> Row:
    return Row(
        platform="mastodon",
        native_id=name,
        kind=kind,
        narrative=narrative,
        claim=None,
        alert=alert,
        site="mikro",
        listing_only=False,
    )


ROWS = [
    row("h1", "hoax", "ink", alert=True),
    row("h2", "hoax", "ink", alert=True),
    row("h3", "hoax", "ink", alert=True),
    row("c1", "correction", "ink"),
    row("c2", "correction", "ink"),
    row("p1", "provocation", "storm", alert=True),
    row("p2", "provocation", "storm", alert=True),
    row("u1", "hoax_unchecked", "water"),
    row("s1", "satire"),
    row("k1", "criticism"),
    row("o1", "ordinary"),
]


def alert(*names: str) -> Alert:
    return Alert("+".join(names), tuple(("mastodon", name) for name in names))


def test_one_clean_alert_for_each_narrative_is_a_perfect_score() -> None:
    result = score([alert("h1", "h2", "h3"), alert("p1", "p2")], ROWS)
    assert (result.recall, result.precision, result.purity, result.coverage) == (1.0, 1.0, 1.0, 1.0)
    assert (result.found, result.missed, result.wrong, result.split) == (["ink", "storm"], [], [], {})


def test_no_alert_at_all_is_silent_but_not_wrong() -> None:
    result = score([], ROWS)
    assert (result.recall, result.precision, result.missed) == (0.0, 1.0, ["ink", "storm"])


def test_an_alert_on_corrections_is_wrong_and_named_as_protected() -> None:
    result = score([alert("c1", "c2")], ROWS)
    assert (result.precision, result.recall) == (0.0, 0.0)
    assert [judged.kind for judged in result.protected] == ["correction"]


@pytest.mark.parametrize("name", ["s1", "k1", "o1"])
def test_alerts_on_satire_criticism_and_ordinary_talk_are_protected_ones(name: str) -> None:
    assert len(score([alert(name)], ROWS).protected) == 1


def test_an_unchecked_hoax_that_alerts_is_wrong_but_harms_nobody_protected() -> None:
    result = score([alert("u1")], ROWS)
    assert (len(result.wrong), result.protected) == (1, [])


def test_half_is_no_majority_and_more_than_half_is() -> None:
    assert score([alert("h1", "c1")], ROWS).precision == 0.0
    mixed = score([alert("h1", "h2", "c1")], ROWS)
    assert (mixed.precision, mixed.found) == (1.0, ["ink"])
    assert mixed.purity == pytest.approx(2 / 3)
    assert mixed.coverage == pytest.approx(2 / 5)


def test_two_stories_thrown_together_find_neither_when_even() -> None:
    assert score([alert("h1", "h2", "p1", "p2")], ROWS).found == []


def test_a_story_told_in_two_alerts_is_found_once_and_reported_as_split() -> None:
    result = score([alert("h1", "h2"), alert("h3")], ROWS)
    assert (result.recall, result.precision, result.split) == (0.5, 1.0, {"ink": 2})


def test_the_same_post_twice_counts_once() -> None:
    assert score([alert("h1", "h1", "c1", "c2")], ROWS).precision == 0.0


def test_posts_unknown_to_the_truth_weigh_against_an_alert() -> None:
    result = score([alert("h1", "x1", "x2")], ROWS)
    assert (result.precision, result.alerts[0].unknown) == (0.0, 2)


def test_alerts_are_read_from_pairs_and_from_objects() -> None:
    pairs = {"id": 7, "posts": [["mastodon", "h1"]]}
    objects = {"posts": [{"platform": "mastodon", "native_id": "h1", "text": "..."}]}
    assert [a.posts for a in alerts_from([pairs, objects])] == [(("mastodon", "h1"),)] * 2
    assert alerts_from([pairs])[0].id == "7"


def test_alerts_made_of_the_truth_itself_score_perfectly_whatever_the_port() -> None:
    rows = truth()
    names = {r["narrative"] for r in rows if r["alert"]}
    alerts = [
        Alert(
            str(name),
            tuple(
                (
                    r["platform"],
                    r["native_id"].replace("https://wargakita.example/", "http://127.0.0.1:5/forum/"),
                )
                for r in rows
                if r["alert"] and r["narrative"] == name
            ),
        )
        for name in names
    ]
    result = score(alerts, rows)
    assert (result.recall, result.precision, result.purity, result.coverage) == (1.0, 1.0, 1.0, 1.0)
    assert len(result.found) == 18
