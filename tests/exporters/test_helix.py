"""LHCb's track states as helix parameters: where they point, and how their errors propagate."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlamarr.exporters.edm4hep import helix
from sqlamarr.exporters.edm4hep.helix import States

NAMES = ("x", "y", "tx", "ty", "qop")
STEPS = {"x": 1e-3, "y": 1e-3, "tx": 1e-6, "ty": 1e-6, "qop": 1e-6}

slopes = st.tuples(st.floats(0.01, 0.35), st.floats(-np.pi, np.pi))
lengths = st.floats(-5, 5)


@st.composite
def states(draw):
    slope, azimuth = draw(slopes)
    values = (
        draw(lengths), draw(lengths), draw(st.floats(-200, 800)), slope * np.cos(azimuth), slope * np.sin(azimuth),
        draw(st.sampled_from([-1, 1])) / draw(st.floats(1, 200)),
    )  # fmt: skip
    return States(*(np.array([value]) for value in values))


def varied(state: States, name: str, step: float) -> States:
    return replace(state, **{name: getattr(state, name) + step})


def numerical(function, state: States, names=NAMES) -> np.ndarray:
    """Central differences: shape (values, variables)."""
    columns = []
    for name in names:
        h = STEPS[name]
        columns.append((function(varied(state, name, h)) - function(varied(state, name, -h))) / (2 * h))
    return np.array(columns).T


@given(states())
@settings(max_examples=200, deadline=None)
def test_the_parameters_are_those_of_the_closest_approach(state):
    found = {name: float(value[0]) for name, value in helix.parameters(state).items()}
    x, y, z, tx, ty, qop = (float(value[0]) for value in astuple(state))
    phi = found["phi"]
    closest = np.array([-found["D0"] * np.sin(phi), found["D0"] * np.cos(phi), found["Z0"]])
    on_line = np.array([x + (closest[2] - z) * tx, y + (closest[2] - z) * ty])
    np.testing.assert_allclose(closest[:2], on_line, atol=1e-7)  # it is a point of the track
    assert abs(closest[0] * tx + closest[1] * ty) < 1e-7  # and no other is nearer to the axis
    assert np.cos(phi) * tx + np.sin(phi) * ty == pytest.approx(np.hypot(tx, ty))
    pt = helix.CURVATURE / abs(found["omega"])
    assert pt * np.hypot(1, found["tanLambda"]) == pytest.approx(1 / abs(qop))
    assert np.sign(found["omega"]) == np.sign(qop)


@given(states())
@settings(max_examples=200, deadline=None)
def test_the_jacobian_is_the_derivative(state):
    exact = helix.jacobian(state)[0]

    def values(s):
        return np.array([helix.parameters(s)[name][0] for name in helix.PARAMETERS])

    found = numerical(values, state)
    found[1] = numerical(lambda s: np.array([_turned(s, state)]), state)[0]
    scale = np.abs(exact).max(axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, exact / scale, atol=1e-5)


def _turned(state: States, reference: States) -> float:
    """phi from that of the reference, without a jump at pi."""
    phi, about = (helix.parameters(s)["phi"][0] for s in (state, reference))
    return float((phi - about + np.pi) % (2 * np.pi) - np.pi)


@given(states(), st.sampled_from([0.000511, 0.1396, 0.938]))
@settings(max_examples=100, deadline=None)
def test_the_jacobian_of_the_momentum_is_the_derivative(state, mass):
    def values(s):
        p = helix.momentum(s)[0]
        return np.array([*p, np.sqrt(p @ p + mass * mass)])

    exact = helix.momentum_jacobian(state, np.array([mass]))[0]
    scale = np.maximum(np.abs(exact).max(axis=0, keepdims=True), 1e-12)
    np.testing.assert_allclose(numerical(values, state) / scale, exact / scale, atol=1e-6)


def test_errors_propagate_as_a_sample_scatters():
    rng = np.random.default_rng(7)
    mean = np.array([0.3, -0.2, 0.08, -0.05, 1 / 20])
    a = rng.normal(size=(5, 5)) * np.array([0.02, 0.02, 2e-4, 2e-4, 2e-4])[:, None]
    covariance = a @ a.T
    n = 200_000
    x, y, tx, ty, qop = rng.multivariate_normal(mean, covariance, size=n).T
    sample = helix.parameters(States(x, y, np.full(n, 40.0), tx, ty, qop))
    scattered = np.cov(np.array([sample[name] for name in helix.PARAMETERS]))
    centre = States(*(np.array([value]) for value in (mean[0], mean[1], 40.0, *mean[2:])))
    propagated = helix.propagate(covariance[None], helix.jacobian(centre))[0]
    sigma = np.sqrt(np.diag(propagated))
    np.testing.assert_allclose(np.sqrt(np.diag(scattered)) / sigma, 1, atol=0.015)
    np.testing.assert_allclose(scattered / np.outer(sigma, sigma), propagated / np.outer(sigma, sigma), atol=0.03)


def test_a_triangle_is_stored_row_by_row():
    matrix = np.arange(9.0).reshape(1, 3, 3)
    np.testing.assert_array_equal(helix.lower_triangle(matrix), [[0, 3, 4, 6, 7, 8]])


def test_a_track_along_the_axis_has_no_parameters():
    zero, one = np.zeros(1), np.ones(1)
    found = helix.parameters(States(one, one, zero, zero, zero, one))
    assert all(np.isnan(value[0]) for value in found.values())
