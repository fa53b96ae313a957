"""The pipeline lhcb_run2 on particles made for the purpose: what comes out is what was measured."""

from __future__ import annotations

import numpy as np
import pytest
from toy_events import ELECTRON, MUON, gun, half_width, joined, simulate

from sqlamarr.errors import PipelineError

# -- primary vertices ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vertices():
    rng = np.random.default_rng(1)
    origins = rng.normal(size=(60_000, 3)) * [0.035, 0.035, 60.0]
    tables = simulate(gun(60_000), origins=origins, n_events=60_000)
    return origins, tables["Vertices"]


def test_a11_primary_vertex_resolution_across_the_beam(vertices):
    origins, found = vertices
    assert half_width(found["x"] - origins[:, 0]) == pytest.approx(0.0180, rel=0.03)
    assert half_width(found["y"] - origins[:, 1]) == pytest.approx(0.0170, rel=0.03)


def test_a12_primary_vertex_resolution_along_the_beam(vertices):
    origins, found = vertices
    assert half_width(found["z"] - origins[:, 2]) == pytest.approx(0.0900, rel=0.03)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_pulls_of_primary_vertices_are_standard_normal(vertices, axis):
    from scipy import stats

    origins, found = vertices
    pulls = (found[axis] - origins[:, "xyz".index(axis)]) / found[f"sigma_{axis}"]
    assert np.std(pulls) == pytest.approx(1, abs=0.02)
    assert stats.kstest(pulls, "norm").pvalue > 1e-6
    # In the tails too: 0.27 % are expected beyond 3 sigma, 60000 * 0.0027 = 162 +- 13.
    assert 100 < np.count_nonzero(np.abs(pulls) > 3) < 240


def test_residuals_of_the_axes_are_independent(vertices):
    origins, found = vertices
    residuals = np.array([found[axis] - origins[:, i] for i, axis in enumerate("xyz")])
    correlation = np.corrcoef(residuals)
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 5 / np.sqrt(60_000)


@pytest.mark.parametrize("period", [2015, 2016, 2017, 2018])
@pytest.mark.parametrize("polarity", ["MagUp", "MagDown"])
def test_every_period_and_polarity_has_its_vertex_resolution(period, polarity):
    found = simulate(gun(4000), n_events=4000, period=period, polarity=polarity)["Vertices"]
    assert len(found["x"]) == 4000
    assert 0.012 < half_width(found["x"]) < 0.021
    assert 0.012 < half_width(found["y"]) < 0.021
    assert 0.060 < half_width(found["z"]) < 0.110


def test_a_period_without_parameters_is_refused():
    with pytest.raises(PipelineError, match="there are: 2015, 2016, 2017, 2018"):
        simulate(gun(1), period=2012)


def test_the_luminous_region_moves_whole_collisions():
    n = 20_000
    tables = simulate(gun(n), n_events=n, luminous_region="lhcb")
    moved = tables["MCVertices"]
    assert np.std(moved["x"]) == pytest.approx(0.035, rel=0.04)
    assert np.std(moved["z"]) == pytest.approx(60.0, rel=0.04)
    assert abs(np.mean(moved["z"])) < 5 * 60 / np.sqrt(n)
    assert (moved["z"] == tables["GenEvents"]["z"]).all()


def test_decay_vertices_move_with_their_collision():
    ends = np.full(2, 10.0)
    moved = simulate(gun(2), ends=ends, luminous_region="lhcb")["MCVertices"]
    primary = moved["is_primary"] == 1
    assert moved["z"][~primary] - moved["z"][primary] == pytest.approx(10.0, abs=1e-9)


def test_every_prompt_track_finds_its_vertex_by_the_true_one(example, tmp_path):
    import sqlamarr

    sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=1, events=10)
    with sqlamarr.open(tmp_path / "out.db") as db:
        n, without = db.execute("""
            SELECT count(*), sum(v.vertex_id IS NULL)
            FROM Tracks t JOIN MCParticles m USING (mcparticle_id)
            JOIN MCVertices o ON o.mcvertex_id = m.production_vertex AND o.is_primary = 1
            LEFT JOIN Vertices v ON v.mcvertex_id = o.mcvertex_id""").fetchone()
    assert n > 50
    assert without == 0


# -- tracks ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pions():
    """Residuals of long tracks of 10 GeV pions."""
    return simulate(gun(60_000), keep=("tmp",))


def test_momentum_and_slopes_are_smeared_by_their_own_residuals(pions):
    truth, tracks = joined(pions)
    long = tracks["type"] == 3
    dp = tracks["p"] / np.sqrt(truth["px"] ** 2 + truth["py"] ** 2 + truth["pz"] ** 2) - 1
    dtx = tracks["tx"] - truth["px"] / truth["pz"]
    dty = tracks["ty"] - truth["py"] / truth["pz"]
    assert 0.0033 < half_width(dp[long]) < 0.0055  # A01
    assert 0.20e-3 < half_width(dtx[long]) < 0.42e-3  # A10
    assert 0.20e-3 < half_width(dty[long]) < 0.42e-3


def test_a13_fraction_of_long_tracks(pions):
    accepted = len(pions["tmp_accepted"]["mcparticle_id"])
    long = np.count_nonzero(pions["Tracks"]["type"] == 3)
    assert long / accepted == pytest.approx(0.752, abs=0.06)


def test_classes_are_drawn_with_the_models_probabilities(pions):
    expected = pions["tmp_efficiency"]
    for code, name in {3: "long", 4: "upstream", 5: "downstream"}.items():
        mean = expected[name].sum()
        found = np.count_nonzero(pions["Tracks"]["type"] == code)
        assert abs(found - mean) < 5 * np.sqrt(mean), name


def test_tracks_hold_together(pions):
    tracks = pions["Tracks"]
    p = np.sqrt(tracks["px"] ** 2 + tracks["py"] ** 2 + tracks["pz"] ** 2)
    np.testing.assert_allclose(p, tracks["p"], rtol=1e-12)
    np.testing.assert_allclose(tracks["px"] / tracks["pz"], tracks["tx"], rtol=1e-12)
    np.testing.assert_allclose(np.hypot(tracks["px"], tracks["py"]), tracks["pt"], rtol=1e-12)
    np.testing.assert_allclose(np.arctanh(tracks["pz"] / p), tracks["eta"], rtol=1e-9)
    np.testing.assert_allclose(np.arctan2(tracks["py"], tracks["px"]), tracks["phi"], rtol=1e-12)
    np.testing.assert_allclose(tracks["charge"] / p, tracks["qop"], rtol=1e-12)
    np.testing.assert_allclose(tracks["chi2PerDoF"] * tracks["nDoF"], tracks["chi2"], rtol=1e-12)


def covariances(states):
    matrix = np.empty((len(states["track_id"]), 5, 5))
    for i in range(5):
        for j in range(i, 5):
            matrix[:, i, j] = matrix[:, j, i] = states[f"cov{i}{j}"]
    return matrix


def closest_to_beam(tables):
    states = tables["TrackStates"]
    chosen = states["location"] == "ClosestToBeam"
    return {name: values[chosen] for name, values in states.items()}


def test_every_track_has_one_positive_definite_covariance(pions):
    states = closest_to_beam(pions)
    assert states["track_id"].tolist() == pions["Tracks"]["track_id"].tolist()
    matrix = covariances(states)
    sigma = np.sqrt(np.einsum("nii->ni", matrix))
    correlation = matrix / sigma[:, :, None] / sigma[:, None, :]
    assert np.linalg.eigvalsh(correlation).min() > 0


def test_the_covariance_is_the_models(pions):
    """In every element: the product of its own two widths, and the correlation where none was shrunk."""
    states, model = closest_to_beam(pions), pions["tmp_covariance"]
    widths = [np.exp(0.5 * model[f"log_cov{i}{i}"]) for i in range(5)]
    for i in range(5):
        np.testing.assert_allclose(states[f"cov{i}{i}"], widths[i] ** 2, rtol=1e-12)
        for j in range(i + 1, 5):
            shrunk = states[f"cov{i}{j}"] / (widths[i] * widths[j])
            assert (np.abs(shrunk) <= np.abs(model[f"corr{i}{j}"]) * (1 + 1e-12)).all()
    untouched = np.isclose(states["cov02"], model["corr02"] * widths[0] * widths[2], rtol=1e-12)
    assert untouched.mean() > 0.999


def test_a40_pulls_of_long_tracks(pions):
    """At the z of the reconstructed state, where the covariance holds."""
    truth, tracks = joined(pions)
    long = tracks["type"] == 3
    states = closest_to_beam(pions)
    tx, ty = truth["px"] / truth["pz"], truth["py"] / truth["pz"]
    p = np.sqrt(truth["px"] ** 2 + truth["py"] ** 2 + truth["pz"] ** 2)
    residuals = {
        0: tracks["x"] - tx * tracks["z"],
        1: tracks["y"] - ty * tracks["z"],
        2: tracks["tx"] - tx,
        3: tracks["ty"] - ty,
        4: tracks["qop"] - tracks["charge"] / p,
    }
    for i, residual in residuals.items():
        width = half_width((residual / np.sqrt(states[f"cov{i}{i}"]))[long])
        assert 0.8 < width < 1.3, i
    assert -0.98 < np.corrcoef(residuals[0][long], residuals[2][long])[0, 1] < -0.6


def test_electrons_lose_energy_and_muons_do_not():
    for pid, low, high in ((ELECTRON, -0.14, -0.06), (MUON, -0.002, 0.002)):
        truth, tracks = joined(simulate(gun(20_000, pid, p=20_000.0)))
        p = np.sqrt(truth["px"] ** 2 + truth["py"] ** 2 + truth["pz"] ** 2)
        assert low < np.median((tracks["p"] / p - 1)[tracks["type"] == 3]) < high  # A06


# -- the state behind the magnet -----------------------------------------------------------------------------


@pytest.mark.parametrize(("polarity", "sign"), [("MagUp", -1), ("MagDown", 1)])
def test_the_magnet_kicks_in_x_alone(polarity, sign):
    tables = simulate(gun(2000), polarity=polarity)
    states, tracks = tables["TrackStates"], tables["Tracks"]
    behind = states["location"] == "EndT"
    index = np.searchsorted(tracks["track_id"], states["track_id"][behind])
    tx, ty = states["tx"][behind], states["ty"][behind]
    pz = tracks["p"][index] / np.sqrt(1 + tx**2 + ty**2)
    np.testing.assert_allclose(pz * tx - tracks["px"][index], sign * tracks["charge"][index] * 1230, atol=1e-6)
    np.testing.assert_allclose(pz * ty, tracks["py"][index], atol=1e-6)
    assert (states["z"][behind] == 9410).all()


def test_the_two_branches_of_the_track_meet_in_the_magnet():
    tables = simulate(gun(2000))
    states, tracks = tables["TrackStates"], tables["Tracks"]
    behind = states["location"] == "EndT"
    index = np.searchsorted(tracks["track_id"], states["track_id"][behind])
    slope = tracks["tx"][index] - states["tx"][behind]
    at_end = tracks["x"][index] + (9410 - tracks["z"][index]) * tracks["tx"][index]
    z_kick = 9410 - (at_end - states["x"][behind]) / slope
    assert 4500 < z_kick.min() < z_kick.max() < 5300


def test_only_tracks_that_cross_the_magnet_have_a_state_behind_it():
    tables = simulate(gun(20_000, p=5000.0))
    states, tracks = tables["TrackStates"], tables["Tracks"]
    behind = set(states["track_id"][states["location"] == "EndT"].tolist())
    crossing = set(tracks["track_id"][tracks["type"] != 4].tolist())
    assert behind == crossing
    slow = simulate(gun(20_000, p=1300.0, eta=2.2))
    turned_back = np.isin(slow["Tracks"]["type"], [3, 5]).sum() - (slow["TrackStates"]["location"] == "EndT").sum()
    assert turned_back > 0


# -- which particles are tracked ------------------------------------------------------------------------------


@pytest.mark.parametrize("pid", [3112, 3312, 3334, 1000010020, 411, 521, 15])
def test_every_charged_particle_that_lives_is_tracked(pid):
    tables = simulate(gun(200, pid))
    assert len(tables["Tracks"]["p"]) > 100
    assert set(np.abs(tables["Tracks"]["charge"])) == {1}


@pytest.mark.parametrize("pid", [22, 2112, 130, 12, 111])
def test_neutral_particles_are_not(pid):
    assert len(simulate(gun(200, pid))["Tracks"]["p"]) == 0


def test_particles_of_unknown_charge_are_kept_as_neutral():
    particles = gun(10, 99_999_999)
    tables = simulate(particles)
    assert len(tables["Tracks"]["p"]) == 0
    assert np.ma.getmaskarray(tables["MCParticles"]["charge"]).all()


def test_a_particle_that_decays_in_the_tracker_makes_no_track_and_one_behind_it_does():
    n = 400
    ends = np.where(np.arange(n) < n // 2, 5000.0, 9500.0)
    tables = simulate(gun(n, 321), ends=ends)
    made = tables["Tracks"]["mcparticle_id"]
    assert (made >= n // 2).all()
    assert len(made) > 100


def test_backward_and_exactly_forward_particles_make_no_track():
    assert len(simulate(gun(100, eta=-3.0))["Tracks"]["p"]) == 0
    assert len(simulate(gun(100, eta=400.0))["Tracks"]["p"]) == 0
