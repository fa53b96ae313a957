"""Poisson numbers: the right distribution, from bits that are the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sqlamarr.sources.pileup.poisson import below, poisson, thresholds, words


@pytest.mark.parametrize("at_least", [0, 1, 3])
@pytest.mark.parametrize("mean", [1e-6, 0.3, 1.1, 30.0, 200.0])
def test_the_steps_are_the_cumulative_distribution(mean, at_least):
    steps = np.array(thresholds(mean, at_least), dtype=float) / 2.0**64
    numbers = np.arange(at_least, at_least + len(steps))
    below_it = stats.poisson.cdf(at_least - 1, mean) if at_least else 0.0
    reached = stats.poisson.sf(at_least - 1, mean) if at_least else 1.0
    assert steps == pytest.approx((stats.poisson.cdf(numbers, mean) - below_it) / reached, abs=1e-9 / min(reached, 1))
    assert (np.diff(steps) >= 0).all()


@pytest.mark.parametrize("mean", [0.3, 1.1, 30.0])
def test_numbers_follow_the_distribution(mean):
    n = 50_000
    drawn = np.array([poisson(mean, words(5, i, 0)[0]) for i in range(n)])
    highest = int(stats.poisson.isf(1e-3, mean))
    observed = np.bincount(np.minimum(drawn, highest), minlength=highest + 1)
    expected = np.append(stats.poisson.pmf(np.arange(highest), mean), stats.poisson.sf(highest - 1, mean)) * n
    keep = expected > 5
    chi2 = np.sum((observed - expected)[keep] ** 2 / expected[keep])
    assert stats.chi2.sf(chi2, keep.sum()) > 1e-6


def test_numbers_are_frozen():
    assert [poisson(1.1, words(42, i, 0)[0]) for i in range(12)] == [1, 0, 1, 1, 2, 0, 2, 1, 0, 1, 1, 1]
    assert thresholds(1.1)[:2] == (6140387690516824591, 12894814150085332186)


def test_the_ends_of_the_range():
    assert poisson(1.1, 0) == 0
    assert poisson(1.1, 2**64 - 1) < 30
    assert poisson(1e-9, 2**63, at_least=1) == 1
    assert [below(10, bits) for bits in (0, 2**64 // 10 + 1, 2**64 - 1)] == [0, 1, 9]
