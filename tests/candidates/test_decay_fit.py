"""The decay fit on toys that are smeared with exactly the covariance that they report."""

from __future__ import annotations

import numpy as np
import pytest
from decay_toys import heads, in_detector, lambda_b, photon, smeared, two_body
from scipy import stats

from sqlamarr.candidates.fit import Primary, fit
from sqlamarr.candidates.geometry import (
    Lines,
    PrimaryVertices,
    flight,
    impact_parameter,
    lines_of_decays,
    lines_of_tracks,
)
from sqlamarr.candidates.topology import NO_VERTEX, topology_of
from sqlamarr.candidates.variables import mass_error, mass_of
from sqlamarr.particles.descriptors import mass, parse

N = 20_000
SIGMA_PV = np.array([0.018, 0.018, 0.09])
LC = "Lambda_c+ -> p+ K- pi+"


@pytest.fixture(scope="module")
def toy():
    return lambda_b(np.random.default_rng(3), N)


def primaries(origin, rng=None):
    shift = 0 if rng is None else rng.normal(0, SIGMA_PV, origin.shape)
    return Primary(origin + shift, np.tile(np.diag(SIGMA_PV**2), (len(origin), 1, 1)))


def check_chi2(chi2, ndf):
    """Probabilities are flat: a wrong width of 5 % gives p < 1e-6 here."""
    assert stats.kstest(stats.chi2.sf(chi2, ndf), "uniform").pvalue > 1e-6
    assert np.mean(chi2) == pytest.approx(ndf, abs=5.5 * np.sqrt(2 * ndf / len(chi2)))


def check_pulls(residuals, covariance):
    pulls = residuals / np.sqrt(np.einsum("nii->ni", covariance))
    assert np.std(pulls, axis=0) == pytest.approx(1, abs=0.04)
    assert np.mean(pulls, axis=0) == pytest.approx(0, abs=0.06)


def check_composite(fitted, k, vertex, momentum):
    residuals = np.concatenate([fitted.vertices[:, k] - vertex, fitted.momenta[:, k] - momentum], axis=1)
    check_pulls(residuals, fitted.covariance[:, k])


def test_a_vertex_of_three_tracks(toy):
    _, tracks, truth = toy
    fitted = fit(topology_of(parse(LC).decay), tracks[:3])
    assert fitted.ndf == 3
    assert fitted.converged.all()
    check_chi2(fitted.chi2, 3)
    check_composite(fitted, 0, truth["Lc_end"], truth["Lc"])


def test_a_whole_decay_and_the_vertex_of_its_head(toy):
    topology, tracks, truth = toy
    fitted = fit(topology, tracks)
    daughter = fit(topology_of(parse(LC).decay), tracks[:3])
    assert (fitted.ndf, fitted.ndf - daughter.ndf) == (4, 1)
    check_chi2(fitted.chi2, 4)
    check_composite(fitted, 0, truth["Lb_end"], truth["Lb"])
    check_composite(fitted, 1, truth["Lc_end"], truth["Lc"])
    own = fitted.chi2 - daughter.chi2
    assert own.min() > -1e-3
    check_chi2(own, 1)


def test_pointing_back_and_fixed_masses(toy):
    topology, tracks, truth = toy
    primary = primaries(truth["origin"], np.random.default_rng(1))
    fitted = fit(topology, tracks, primary=primary, masses={0: mass(5122), 1: mass(4122)})
    assert fitted.ndf == 8
    assert fitted.converged.mean() > 0.9999
    check_chi2(fitted.chi2[fitted.converged], 8)
    assert mass_of(fitted.momenta[:, 1]) == pytest.approx(mass(4122), abs=1e-3)
    assert mass_of(fitted.momenta[:, 0]) == pytest.approx(mass(5122), abs=1e-3)
    check_composite(fitted, 0, truth["Lb_end"], truth["Lb"])
    improved = np.std(fitted.primary - truth["origin"], axis=0) / SIGMA_PV
    assert (improved < 0.97).all()  # the b hadron's track tells where it comes from


def test_a_constraint_that_is_wrong_costs_chi2(toy):
    topology, tracks, truth = toy
    moved = primaries(truth["origin"] + [0.5, 0, 0])
    assert np.median(fit(topology, tracks, primary=moved).chi2) > 50


def test_exact_tracks_give_exact_answers():
    topology, tracks, truth = lambda_b(np.random.default_rng(8), 300, exact=True)
    fitted = fit(topology, tracks)
    assert fitted.chi2.max() < 1e-6
    assert np.abs(fitted.vertices[:, 0] - truth["Lb_end"]).max() < 1e-5
    assert np.abs(mass_of(fitted.momenta[:, 1]) - mass(4122)).max() < 1e-4


def test_the_mass_and_its_error(toy):
    fitted = fit(topology_of(parse(LC).decay), toy[1][:3])
    error = mass_error(fitted.momenta[:, 0], fitted.covariance[:, 0, 3:, 3:])
    pulls = (mass_of(fitted.momenta[:, 0]) - mass(4122)) / error
    assert np.std(pulls) == pytest.approx(1, abs=0.04)
    assert 2 < np.median(error) < 20  # MeV


def test_impact_parameters_of_tracks_and_decays(toy):
    topology, tracks, truth = toy
    rng = np.random.default_rng(5)
    at_vertex = impact_parameter(lines_of_tracks(tracks[3]), primaries(truth["Lb_end"], rng))
    check_chi2(at_vertex[1], 2)
    fitted = fit(topology, tracks)
    lines = lines_of_decays(fitted.vertices[:, 0], fitted.momenta[:, 0], fitted.covariance[:, 0])
    distance, chi2 = impact_parameter(lines, primaries(truth["origin"], rng))
    check_chi2(chi2, 2)
    assert np.median(distance) < 0.1
    check_chi2(flight(truth["origin"], np.zeros((len(chi2), 3, 3)), primaries(truth["origin"], rng))[1], 3)


def test_the_impact_parameter_is_the_distance_of_a_line_from_a_point():
    lines = Lines(np.array([[1.0, 2.0, 3.0]]), np.array([[0.1, -0.2]]), np.zeros((1, 4, 4)))
    point = np.array([[0.5, 0.3, 40.0]])
    direction = np.array([0.1, -0.2, 1.0])
    expected = np.linalg.norm(np.cross(point[0] - lines.point[0], direction)) / np.linalg.norm(direction)
    assert impact_parameter(lines, primaries(point))[0] == pytest.approx([expected])


def test_the_best_primary_vertex_is_the_one_with_the_smallest_chi2():
    positions = np.array([[0, 0, -30.0], [0, 0, 10.0], [0, 0, 80.0], [0, 0, 0.0]])
    vertices = PrimaryVertices(np.array([0, 0, 0, 2]), np.arange(4), positions, np.tile(SIGMA_PV, (4, 1)))
    point = np.array([[0.1, 0, 11.0], [0, 0, 10.0], [0, 0.1, 1.0], [3.0, 0, -29.0]])
    lines = Lines(point, np.array([[0.1, 0]] * 4), np.tile(np.eye(4) * 1e-10, (4, 1, 1)))
    assert vertices.best(np.array([0, 1, 2, 0]), lines).tolist() == [1, -1, 3, 0]


def test_a_resonance_shares_its_mothers_vertex():
    topology = topology_of(parse("B_s0 -> (J/psi(1S) -> mu+ mu-) (phi(1020) -> K+ K-)").decay)
    assert (topology.vertices, topology.leaf_vertex) == (1, (0, 0, 0, 0))
    assert [c.origin for c in topology.composites] == [NO_VERTEX] * 3
    nested = topology_of(parse("B0 -> (D*(2010)- -> (D~0 -> K+ pi-) pi-) mu+ nu_mu").decay)
    assert (nested.vertices, nested.leaf_vertex[:4]) == (2, (1, 1, 0, 0))


def test_a_neutral_pion_has_a_mass_and_no_vertex():
    rng = np.random.default_rng(2)
    pi0 = heads(rng, N, mass(111))
    origin = np.zeros((N, 3))
    photons = [photon(rng, origin, p) for p in two_body(rng, pi0, 0.0, 0.0)]
    topology = topology_of(parse("pi0 -> gamma gamma").decay)
    assert not topology.lines
    fitted = fit(topology, photons)
    good = fitted.converged & (mass_of(fitted.momenta[:, 0]) > 0)
    error = mass_error(fitted.momenta[:, 0], fitted.covariance[:, 0, 3:, 3:])
    pulls = ((mass_of(fitted.momenta[:, 0]) - mass(111)) / error)[good & (error < 30)]
    assert np.percentile(pulls, 84.135) - np.percentile(pulls, 15.865) == pytest.approx(2, abs=0.1)


def test_photons_and_tracks_together():
    rng = np.random.default_rng(4)
    b = heads(rng, N, mass(531))
    vertex = rng.normal(0, [1, 1, 10], (N, 3))
    phi, gamma = two_body(rng, b, mass(333), 0.0)
    plus, minus = two_body(rng, phi, mass(321), mass(321))
    seen = in_detector(plus) & in_detector(minus) & in_detector(gamma) & (gamma[:, 3] > 2000)
    kaons = [smeared(rng, vertex[seen], k[seen], q, mass(321)) for k, q in ((plus, 1), (minus, -1))]
    topology = topology_of(parse("B_s0 -> (phi(1020) -> K+ K-) gamma").decay)
    measured = [*kaons, photon(rng, vertex[seen], gamma[seen])]
    free, fixed = fit(topology, measured), fit(topology, measured, masses={0: mass(531)})
    assert (free.ndf, fixed.ndf) == (1, 2)
    for fitted in (free, fixed):  # a few pairs are too parallel to say where they come from
        assert fitted.converged.mean() > 0.999
        assert np.isnan(fitted.chi2).sum() == np.sum(~fitted.converged)
        check_chi2(fitted.chi2[fitted.converged], fitted.ndf)


def test_no_candidates_are_no_problem(toy):
    fitted = fit(toy[0], [t.take(np.arange(0)) for t in toy[1]])
    assert fitted.chi2.shape == (0,)
    assert fitted.covariance.shape == (0, 2, 7, 7)


def test_one_impossible_candidate_does_not_spoil_the_others(toy):
    tracks = [t.take(np.arange(50)) for t in toy[1][:3]]
    for t in tracks:
        t.values[7] = tracks[0].values[7]
        t.z[7] = tracks[0].z[7]
    for t in tracks:
        t.covariance[9] = np.nan
    fitted = fit(topology_of(parse(LC).decay), tracks)
    others = np.delete(np.arange(50), [7, 9])
    assert fitted.converged[others].all()
    assert np.isfinite(fitted.chi2[others]).all()
    assert not fitted.converged[9]
    assert np.isnan(fitted.chi2[9])
