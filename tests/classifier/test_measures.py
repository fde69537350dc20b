"""The figures are what their names say, by examples worked out by hand."""

import numpy as np
import pytest

from classifier import measures


def a(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_f1_precision_and_recall() -> None:
    said, truth = a(1, 1, 0, 0), a(1, 0, 1, 0)
    assert measures.precision(said, truth) == measures.recall(said, truth) == measures.f1(said, truth) == 0.5
    assert measures.macro_f1(said, truth) == 0.5
    assert measures.f1(a(0, 0), a(0, 0)) == 0


def test_a_score_that_means_what_it_says_has_no_calibration_error() -> None:
    scores = np.repeat([0.2, 0.8], 50)
    truth = np.array(([1] * 10 + [0] * 40) + ([1] * 40 + [0] * 10), dtype=float)
    assert measures.calibration_error(scores, truth, bins=2) == pytest.approx(0)
    assert measures.calibration_error(np.full(100, 0.9), truth, bins=2) == pytest.approx(0.4)


def test_bins_are_of_equal_mass_and_hold_every_row_once() -> None:
    bins = measures.equal_mass_bins(np.random.default_rng(1).random(100) ** 9, 15)
    assert {len(one) for one in bins} == {6, 7}
    assert sorted(int(row) for one in bins for row in one) == list(range(100))


def test_multilabel_accuracy_is_the_overlap_of_each_row() -> None:
    said, truth = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 0]]), np.array([[1, 0, 0], [0, 0, 0], [0, 1, 0]])
    assert measures.multilabel_accuracy(said.astype(float), truth.astype(float)) == pytest.approx((0.5 + 1 + 0) / 3)


def test_precision_falls_with_prevalence() -> None:
    assert measures.precision_at(0.5, 0.9, 0.1) == pytest.approx(0.9)
    assert measures.precision_at(0.01, 0.9, 0.1) == pytest.approx(0.009 / (0.009 + 0.099))
    assert measures.precision_at(0.01, 0, 0) == 0


def test_an_interval_holds_its_figure_and_is_the_same_every_time() -> None:
    truth = np.random.default_rng(3).integers(0, 2, 300).astype(float)
    said = np.where(np.arange(300) % 5, truth, 1 - truth)
    figure, low, high = measures.told(measures.f1, said, truth)
    assert low < figure < high
    assert [figure, low, high] == measures.told(measures.f1, said, truth)
    assert high - low < 0.15


def test_few_rows_make_perfect_scores_look_wrong_and_many_do_not() -> None:
    scores = np.random.default_rng(2).random(20_000)
    few, many = measures.calibration_noise(scores[:150]), measures.calibration_noise(scores)
    assert few > 0.05
    assert many < 0.02
