"""The figures of an evaluation, as pure functions of what was said and what is true.

Arrays are of length n: `truth` 0 or 1, `said` 0 or 1, `scores` 0..1. Intervals are 95 % percentile bootstraps
(Efron 1979) over rows, with a fixed seed; a pair of figures on the same rows is drawn with the same rows.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Row = dict[str, float]

BINS = 15
ROUNDS = 500
SEED = 20241127
FEW = 10
"""A slice with fewer rows of the class in question gets counts, no rate: it would be noise."""


def counts(said: Values, truth: Values) -> Values:
    """Return true positives, false positives, false negatives, true negatives."""
    return np.array(
        [(said * truth).sum(), (said * (1 - truth)).sum(), ((1 - said) * truth).sum(), ((1 - said) * (1 - truth)).sum()]
    )


def f1(said: Values, truth: Values) -> float:
    """Return F1 of the positive class; 0 where nothing is positive and nothing was said to be."""
    tp, fp, fn, _ = counts(said, truth)
    return float(2 * tp / (2 * tp + fp + fn)) if tp + fp + fn else 0.0


def precision(said: Values, truth: Values) -> float:
    tp, fp, _, _ = counts(said, truth)
    return float(tp / (tp + fp)) if tp + fp else 0.0


def recall(said: Values, truth: Values) -> float:
    tp, _, fn, _ = counts(said, truth)
    return float(tp / (tp + fn)) if tp + fn else 0.0


def macro_f1(said: Values, truth: Values) -> float:
    """Return the mean of the F1 of both classes."""
    return (f1(said, truth) + f1(1 - said, 1 - truth)) / 2


def mean(values: Values) -> float:
    return float(values.mean()) if len(values) else 0.0


def multilabel_accuracy(said: Values, truth: Values) -> float:
    """Return the mean over rows of |said and true| / |said or true| of `(n, labels)`; a row with neither counts 1.

    Ibrohim and Budi 2019 (https://aclanthology.org/W19-3506) report this accuracy over their twelve labels.
    """
    return float(row_accuracy(said, truth).mean()) if len(said) else 0.0


def row_accuracy(said: Values, truth: Values) -> Values:
    both = np.minimum(said, truth).sum(axis=1)
    either = np.maximum(said, truth).sum(axis=1)
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def equal_mass_bins(scores: Values, bins: int = BINS) -> list[npt.NDArray[np.int64]]:
    """Return the rows of each of `bins` bins of as equal a number of rows as can be, lowest scores first."""
    order = np.argsort(scores, kind="stable")
    return [part for part in np.array_split(order, bins) if len(part)]


def calibration_error(scores: Values, truth: Values, bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal mass (Nguyen and O'Connor 2015,
    https://aclanthology.org/D15-1182): bins of equal width flatter a model whose scores crowd at 0.
    """
    parts = equal_mass_bins(scores, bins)
    return float(sum(len(p) * abs(scores[p].mean() - truth[p].mean()) for p in parts) / max(1, len(scores)))


def calibration_noise(scores: Values, bins: int = BINS, rounds: int = 100, seed: int = SEED) -> float:
    """Return the calibration error that these scores would show on so few rows if they meant just what they say.

    The error is a sum of absolute values, so chance adds to it and a bootstrap of it is off; this says how much of it is
    chance.
    """
    chance = np.random.default_rng(seed)
    drawn = (
        calibration_error(scores, (chance.random(len(scores)) < scores).astype(float), bins) for _ in range(rounds)
    )
    return float(np.mean(list(drawn)))


def reliability(scores: Values, truth: Values, bins: int = BINS) -> list[list[float]]:
    """Return, for each bin of equal mass: mean score, share that is positive, rows."""
    return [
        [round(float(scores[p].mean()), 4), round(float(truth[p].mean()), 4), len(p)]
        for p in equal_mass_bins(scores, bins)
    ]


def precision_at(prevalence: float, hit: float, false_alarm: float) -> float:
    """Return the precision to expect where only `prevalence` of the posts are positive, by Bayes' rule."""
    right = prevalence * hit
    flagged = right + (1 - prevalence) * false_alarm
    return right / flagged if flagged else 0.0


def interval(
    figure: Callable[..., float], *columns: Values, rounds: int = ROUNDS, seed: int = SEED
) -> tuple[float, float]:
    """Return the 95 % interval of `figure(*columns)` when the rows are drawn anew; (0, 0) without rows."""
    size = len(columns[0])
    if not size:
        return 0.0, 0.0
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        drawn = chance.integers(0, size, size)
        found.append(figure(*(column[drawn] for column in columns)))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def told(figure: Callable[..., float], *columns: Values) -> list[float]:
    """Return figure, lower and upper end of its interval, rounded to four places."""
    low, high = interval(figure, *columns)
    return [round(figure(*columns), 4), round(low, 4), round(high, 4)]
