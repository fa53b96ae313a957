"""Occupancy, identification and bremsstrahlung in the pipeline lhcb_run2."""

from __future__ import annotations

import numpy as np
import pytest
from toy_events import ELECTRON, KAON, MUON, PION, PROTON, gun, half_width, joined, simulate

import sqlamarr

ANSWERS = ("RichDLLe", "RichDLLmu", "RichDLLK", "RichDLLp")
COMBINED = ("PIDe", "PIDmu", "PIDK", "PIDp", "ProbNNe", "ProbNNmu", "ProbNNpi", "ProbNNk", "ProbNNp")


# -- occupancy ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sample", "median", "sigma"), [("b", 195, 0.5), ("c", 175, 0.5), ("minbias", 100, 0.6)])
def test_the_occupancy_is_log_normal(sample, median, sigma):
    n = 20_000
    tracks = simulate(gun(n), n_events=n, sample=sample)["RecSummary"]["nTracks"]
    logs = np.log(tracks)
    assert abs(np.median(logs) - np.log(median)) < 6 * 1.25 * sigma / np.sqrt(n)
    assert half_width(logs) == pytest.approx(sigma, rel=0.05)
    assert tracks.min() >= 2
    assert tracks.max() <= 1000


def test_an_event_has_one_occupancy_for_everything():
    tables = simulate(gun(3000), n_events=300, keep=("tmp",))
    inputs, summary = tables["tmp_pid_input"], tables["RecSummary"]
    index = np.searchsorted(summary["event_id"], inputs["event_id"])
    assert (summary["nTracks"][index] == inputs["nTracks"]).all()
    assert len(np.unique(summary["nTracks"])) > 100


def test_the_occupancy_is_not_less_than_the_tracks_there_are():
    tables = simulate(gun(1500), n_events=1)
    (n,) = tables["RecSummary"]["nTracks"]
    assert n == len(tables["Tracks"]["p"]) > 1000


def test_the_summary_of_the_event_counts_its_tracks_and_vertices():
    tables = simulate(gun(2000), n_events=20)
    summary, tracks = tables["RecSummary"], tables["Tracks"]
    for name, code in {"nLongTracks": 3, "nUpstreamTracks": 4, "nDownstreamTracks": 5}.items():
        assert summary[name].sum() == np.count_nonzero(tracks["type"] == code)
    assert (summary["nPVs"] == 1).all()


def test_an_event_without_tracks_has_its_summary_too():
    summary = simulate(gun(5, pid=22))["RecSummary"]
    assert summary["nLongTracks"].tolist() == [0]
    assert summary["nTracks"][0] > 0


# -- identification ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[ELECTRON, MUON, PION, KAON, PROTON])
def identified(request):
    """Identification of one species, 2 to 60 GeV."""
    rng = np.random.default_rng(request.param)
    n = 6000
    particles = {**gun(n, request.param), "p": 10 ** rng.uniform(3.3, 4.8, n), "eta": rng.uniform(2.2, 4.6, n)}
    return request.param, simulate(particles, n_events=60, keep=("tmp",))


def test_every_track_has_one_row(identified):
    _, tables = identified
    assert tables["PID"]["track_id"].tolist() == tables["Tracks"]["track_id"].tolist()


def test_identification_starts_from_reconstructed_kinematics(identified):
    _, tables = identified
    assert (tables["tmp_pid_input"]["p"] == tables["Tracks"]["p"]).all()
    assert (tables["tmp_pid_input"]["eta"] == tables["Tracks"]["eta"]).all()


def test_null_means_not_applicable_and_nothing_else(identified):
    _, tables = identified
    pid, tracks = tables["PID"], tables["Tracks"]
    upstream = tracks["type"] == 4
    is_muon = np.ma.filled(pid["isMuon"], 0) == 1
    assert (np.ma.getmaskarray(pid["isMuon"]) == upstream).all()
    for name in ANSWERS:
        assert np.isfinite(pid[name]).all(), name
    for name in COMBINED:
        assert (np.isnan(pid[name]) == upstream).all(), name
    for name in ("MuonMuLL", "MuonBkgLL"):
        assert (np.isnan(pid[name]) == ~is_muon).all(), name


def test_probabilities_are_probabilities(identified):
    _, tables = identified
    for name in COMBINED[4:]:
        values = tables["PID"][name]
        values = values[~np.isnan(values)]
        assert (values >= 0).all()
        assert (values <= 1).all()


def test_a34_nothing_below_3_gev_is_a_muon(identified):
    _, tables = identified
    slow = tables["Tracks"]["p"] < 3000
    assert slow.any()
    assert np.ma.filled(tables["PID"]["isMuon"], 0)[slow].sum() == 0


def test_the_right_hypothesis_wins_more_often_than_any_other(identified):
    species, tables = identified
    own = {ELECTRON: "ProbNNe", MUON: "ProbNNmu", PION: "ProbNNpi", KAON: "ProbNNk", PROTON: "ProbNNp"}[species]
    clear = (tables["Tracks"]["type"] == 3) & (tables["Tracks"]["p"] > 20_000)
    means = {name: tables["PID"][name][clear].mean() for name in COMBINED[4:]}
    if species == ELECTRON:
        del means["ProbNNpi"]  # calibrated so that 72 % of electrons have ProbNNpi > 0.5 (LHCb's calibration samples)
    assert max(means, key=means.get) == own


def test_other_charged_particles_behave_like_the_nearest():
    answers = simulate(gun(300, 3112), keep=("tmp",))["tmp_pid_input"]["species"]
    assert set(answers) <= {211}  # a toy Sigma- with the mass of a pion


# -- bremsstrahlung -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def electrons():
    return simulate(gun(20_000, ELECTRON, p=20_000.0))


def test_track_and_photons_sum_to_the_true_momentum_within_the_core(electrons):
    truth, tracks = joined(electrons)
    photons = electrons["BremPhotons"]
    radiated = np.zeros(len(tracks["track_id"]))
    np.add.at(radiated, np.searchsorted(tracks["track_id"], photons["track_id"]), photons["energy"])
    p = np.sqrt(truth["px"] ** 2 + truth["py"] ** 2 + truth["pz"] ** 2)
    ratio = ((tracks["p"] + radiated) / p - 1)[radiated > 0]
    assert np.count_nonzero(radiated > 0) > 0.6 * len(radiated)
    assert half_width(ratio) == pytest.approx(0.005, rel=0.05)
    assert abs(np.median(ratio)) < 0.001


def test_photons_fly_along_the_electron_and_start_before_the_magnet(electrons):
    photons, truth = electrons["BremPhotons"], electrons["MCParticles"]
    index = np.searchsorted(truth["mcparticle_id"], photons["mcparticle_id"])
    np.testing.assert_allclose(photons["px"] / photons["pz"], (truth["px"] / truth["pz"])[index], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(sum(photons[c] ** 2 for c in ("px", "py", "pz"))), photons["energy"], rtol=1e-9)
    assert photons["z"].min() >= 0
    assert photons["z"].max() <= 2700
    assert photons["energy"].min() > 0


def test_recovery_brings_the_momentum_back_and_can_be_switched_off(electrons):
    truth, tracks = joined(electrons)
    p = np.sqrt(truth["px"] ** 2 + truth["py"] ** 2 + truth["pz"] ** 2)
    long = tracks["type"] == 3
    lost = np.median((tracks["p"] / p - 1)[long])
    regained = np.median(((tracks["p"] + tracks["brem_energy"]) / p - 1)[long])
    assert lost < -0.06
    assert abs(regained) < 0.5 * abs(lost)
    assert ((tracks["has_brem"] == 1) == (tracks["brem_energy"] > 0)).all()
    off = simulate(gun(2000, ELECTRON, p=20_000.0), brem_recovery=False)["Tracks"]
    assert not off["has_brem"].any()
    assert not off["brem_energy"].any()


def test_only_electrons_radiate():
    assert len(simulate(gun(2000, MUON))["BremPhotons"]["energy"]) == 0


# -- the analyst's view ---------------------------------------------------------------------------------------


def test_the_view_joins_every_track_with_truth_vertex_and_identification(example, tmp_path):
    import sqlite3

    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=1, events=10)
    plain = sqlite3.connect(tmp_path / "out.db")  # any client, without our functions
    rows = plain.execute("SELECT count(*), count(pv_z), count(true_pid), count(RichDLLK) FROM Particles").fetchone()
    n = plain.execute("SELECT count(*) FROM Tracks").fetchone()[0]
    plain.close()
    assert rows == (n, n, n, n)
