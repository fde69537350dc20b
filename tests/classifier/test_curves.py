"""Costs choose the band, and the curve tells truly what a band gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.calibration import Band
from classifier.curves import STEPS, BadCosts, Costs, Curve, table

COST = st.floats(0.01, 100)


def test_the_band_of_costs_is_where_their_lines_cross() -> None:
    assert Costs(1, 1, 0.2).band() == Band(0.8, 0.2)
    assert Costs(4, 1, 0.4).band() == Band(0.6, 0.1)


def test_where_asking_is_dear_there_is_no_unsure() -> None:
    band = Costs(3, 1, 9).band()
    assert band == Band(0.25, 0.25)


@given(COST, COST, COST, st.floats(0, 1))
def test_no_other_decision_is_cheaper_for_a_calibrated_score(
    miss: float, alarm: float, asked: float, score: float
) -> None:
    costs = Costs(miss, alarm, asked)
    price = {"yes": alarm * (1 - score), "no": miss * score, "unsure": asked}
    # Bands are rounded to four places, and a score that close to a threshold may fall on either side.
    assert price[costs.band().decide(score)] <= min(price.values()) + 1e-4 * (miss + alarm)


@pytest.mark.parametrize("text", ["", "5/1", "5/1/x", "5/1/0", "-1/1/1", "nan/1/1", "inf/1/1"])
def test_costs_that_are_none_are_named(text: str) -> None:
    with pytest.raises(BadCosts):
        Costs.parse(text)


def test_a_curve_counts_what_a_band_decides() -> None:
    scores, truth = np.array([0.05, 0.3, 0.35, 0.7, 0.95, 1.0]), np.array([0, 1, 0, 0, 1, 1], dtype=float)
    curve = Curve.read(Curve.of(scores, truth, "six rows").kept())
    found = curve.at(Band(0.6, 0.3))
    assert found["precision"] == found["recall"] == pytest.approx(2 / 3)
    assert found["recall with unsure read"] == 1
    assert (found["yes"], found["unsure"]) == (pytest.approx(3 / 6), pytest.approx(2 / 6))
    assert (found["missed"], found["false alarms"]) == (0, pytest.approx(1 / 6))
    assert Costs(10, 6, 3).of(found) == pytest.approx(6 / 6 + 3 * 2 / 6)


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=50), st.integers(0, 100))
def test_every_row_is_decided_once(rows: list[tuple[int, bool]], cut: int) -> None:
    scores, truth = np.array([n / 100 for n, _ in rows]), np.array([float(y) for _, y in rows])
    found = Curve.of(scores, truth).at(Band(cut / 100, cut / 200))
    assert 0 <= found["yes"] + found["unsure"] <= 1 + 1e-9
    assert found["yes"] == pytest.approx((scores >= cut / 100).mean() if cut < 100 else found["yes"])


def test_a_cut_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="steps"):
        Curve.read({"rows": [1] * (STEPS - 1), "positive": [0] * STEPS})


def test_the_trade_is_a_table() -> None:
    curve = Curve.of(np.array([0.1, 0.9]), np.array([0.0, 1.0]))
    (row,) = table(curve, [("shipped", Band(0.5, 0.2))], Costs(1, 1, 1))
    assert row["precision"] == row["recall"] == "100.0 %"
    assert row["cost of 1,000 posts"] == "0"
