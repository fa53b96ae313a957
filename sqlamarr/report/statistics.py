"""Estimators that the report draws: widths, efficiencies, the core of a distribution, chi2 probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
FEWEST = 25  # entries that a bin needs for a width


def half_width(values: Array) -> float:
    """Half of the range that holds the central 68.27 %: sigma for a Gaussian, insensitive to tails."""
    low, high = np.percentile(values, [15.865, 84.135])
    return float(high - low) / 2


def widths(where: Array, values: Array, edges: Array) -> tuple[Array, Array]:
    """Half widths of ``values`` in bins of ``where`` and their statistical errors; NaN in bins with few entries.

    The error of a quantile is sqrt(p (1 - p) / n) / density. For half of the 16-84 % range of a Gaussian, this is
    0.96 sigma / sqrt(n).
    """
    found, errors = np.full(len(edges) - 1, np.nan), np.full(len(edges) - 1, np.nan)
    bins = np.digitize(where, edges) - 1
    for k in range(len(edges) - 1):
        inside = values[bins == k]
        if len(inside) >= FEWEST:
            found[k] = half_width(inside)
            errors[k] = 0.96 * found[k] / math.sqrt(len(inside))
    return found, errors


def efficiency(passed: Array, total: Array) -> tuple[Array, Array, Array]:
    """Fraction with the lower and upper arm of its 68 % Wilson interval; NaN where there are no entries."""
    n = np.where(total > 0, total, np.nan)
    p, z2 = passed / n, 1.0
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    arm = np.sqrt(p * (1 - p) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return p, np.maximum(p - (centre - arm), 0), np.maximum(centre + arm - p, 0)


def chi2_probability(chi2: Array, ndf: int) -> Array:
    """Probability of a chi2 as large or larger, by the recursion from ndf to ndf + 2."""
    half = np.asarray(chi2, dtype=float) / 2
    if ndf % 2:
        out = np.array([math.erfc(math.sqrt(x)) if x >= 0 else math.nan for x in half])
        k = 1
    else:
        out, k = np.exp(-half), 2
    while k < ndf:
        out = out + half ** (k / 2) * np.exp(-half) / math.gamma(k / 2 + 1)
        k += 2
    return np.asarray(out)


@dataclass(frozen=True)
class Core:
    """A narrow Gaussian on top of two wider ones of the same mean.

    :ivar mean: common mean of all three
    :ivar width: width of the narrow one, in units of the given errors
    :ivar fraction: fraction of the entries in the narrow one
    :ivar mean_error, width_error: statistical errors
    """

    mean: float
    width: float
    fraction: float
    mean_error: float
    width_error: float


START = np.array([[0.85, 2.3, 7.0], [0.7, 0.2, 0.1]])  # widths in units of the half width, and shares
MIN_CORE = 50  # entries that the fit of a core needs
MANY = 10_000  # number of values with a common error from which they are fitted in bins
BINS = 400  # of sigma, as the innermost 38 % have it


def core(values: Array, errors: Array | float = 1.0, iterations: int = 400) -> Core:
    """Maximum likelihood fit of three Gaussians with a common mean, whose widths are multiples of the errors.

    Three are needed because a candidate with one badly measured track of several is neither in the core nor far out.
    The fit uses expectation maximisation and gives NaN for fewer than 50 entries.

    :param values: e.g. pulls, or masses
    :param errors: of each value; 1 for pulls
    """
    good = np.isfinite(values) & np.isfinite(errors)
    x = np.asarray(values)[good]
    e = np.broadcast_to(np.asarray(errors, dtype=float), np.shape(values))[good]
    if len(x) < MIN_CORE:
        return Core(*[math.nan] * 5)
    mean = float(np.median(x))
    half = half_width((x - mean) / e)
    number = np.ones(len(x))
    inner = float(np.subtract(*np.percentile(x, [69.146, 30.854])))  # sigma of a Gaussian
    if np.ndim(errors) == 0 and len(x) > MANY and inner > 0:
        bin_width = inner / BINS
        bins, counts = np.unique(np.round(x / bin_width), return_counts=True)
        x, e, number = bins * bin_width, e[: len(bins)], counts.astype(float)
    width, share = START[0] * half, START[1]
    for _ in range(iterations):
        square = ((x - mean) / e)[:, None] ** 2
        density = share / width * np.exp(-0.5 * square / width**2)
        part = number[:, None] * density / np.maximum(density.sum(axis=1, keepdims=True), 1e-300)
        weight = np.sum(part / width**2, axis=1) / e**2
        mean = float(np.sum(weight * x) / np.sum(weight))
        entries = np.maximum(part.sum(axis=0), 1e-9)
        width = np.sqrt(np.sum(part * ((x - mean) / e)[:, None] ** 2, axis=0) / entries)
        width, share = np.maximum(width, 1e-9), entries / entries.sum()
    narrow = int(np.argmin(width))
    return Core(
        mean,
        float(width[narrow]),
        float(share[narrow]),
        1 / math.sqrt(np.sum(weight)),
        float(width[narrow] / math.sqrt(2 * entries[narrow])),
    )
