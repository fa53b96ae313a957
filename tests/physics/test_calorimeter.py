"""Photons and electrons on their way through the pipeline to clusters."""

from __future__ import annotations

import numpy as np
import pytest
from run_tools import command_line, hashes
from showers import CHARGED, ECAL_Z, SPLIT, active, at_face, energy_resolution, two_body
from showers import PHOTON as SINGLE
from toy_events import ELECTRON, PHOTON, PION, half_width, joined, simulate

import sqlamarr
from sqlamarr.errors import PipelineError

MODES = ["event", "signal"]


def photons(n=4000, p=10_000.0, seed=0, origin_z=0.0, n_events=None, **options):
    """Tables of events of one photon each by default, all over the acceptance."""
    rng = np.random.default_rng(seed)
    n_events = n_events or n
    gun = {"pid": np.full(n, PHOTON), "p": p, "eta": rng.uniform(1.8, 4.6, n), "phi": rng.uniform(-np.pi, np.pi, n)}
    return simulate(gun, n_events=n_events, origins=np.tile([0.0, 0.0, origin_z], (n_events, 1)), **options)


def true_hits(tables):
    """Where the photons of the truth hit the face, from their common origin [mm]."""
    truth = tables["MCParticles"]
    vertex = np.searchsorted(tables["MCVertices"]["mcvertex_id"], truth["production_vertex"])
    dz = ECAL_Z - tables["MCVertices"]["z"][vertex]
    return dz * truth["px"] / truth["pz"], dz * truth["py"] / truth["pz"]


def matched(tables):
    """Per photon of the truth: whether a cluster is within a Moliere radius and two sigmas of its energy."""
    truth, c = tables["MCParticles"], tables["Clusters"]
    vertices = tables["MCVertices"]
    made = np.searchsorted(vertices["mcvertex_id"], np.ma.filled(truth["production_vertex"], 0))
    ray = ECAL_Z - vertices["z"][made]
    x, y = vertices["x"][made] + ray * truth["px"] / truth["pz"], vertices["y"][made] + ray * truth["py"] / truth["pz"]
    found = np.zeros(len(x), bool)
    neutral = np.isin(c["type"], (SINGLE, SPLIT))
    order = np.argsort(c["event_id"][neutral], kind="stable")
    event, cx, cy, energy = (c[name][neutral][order] for name in ("event_id", "x", "y", "energy"))
    for i in np.flatnonzero((truth["pid"] == PHOTON) & (truth["pz"] > 0)):
        here = slice(*np.searchsorted(event, [truth["event_id"][i], truth["event_id"][i] + 1]))
        near = np.hypot(cx[here] - x[i], cy[here] - y[i]) < 35
        found[i] = (near & (abs(energy[here] / truth["pe"][i] - 1) < 2 * energy_resolution(truth["pe"][i]))).any()
    return found


@pytest.mark.parametrize("mode", MODES)
def test_acceptance_is_the_active_area(mode):
    tables = photons(calorimeter=mode, keep=True)
    x, y = true_hits(tables)
    inside = tables["MCParticles"]["mcparticle_id"][active(x, y)]
    assert tables["tmp_photons"]["mcparticle_id"].tolist() == inside.tolist()
    clusters = tables["Clusters"]
    assert len(clusters["x"]) > 1000
    assert np.isin(clusters["event_id"], inside - inside % 1_000_000).all()
    if mode == "event":
        assert active(clusters["x"], clusters["y"]).all()


@pytest.mark.parametrize(("z", "low", "high"), [(0, 0.15, 0.25), (770, 0.05, 0.12), (2700, -1, 1e-9)])
def test_photons_convert_in_the_material_before_the_magnet(z, low, high):
    tables = photons(20_000, origin_z=z, n_events=200, keep=True)
    assert low < tables["tmp_photons"]["converted"].mean() < high
    pairs = tables["tmp_ecal_charged"]
    assert (pairs["z"] >= z).all()
    assert (pairs["z"] <= 2700).all()


def test_the_two_of_a_pair_share_the_energy_and_are_bent_apart():
    tables = photons(40_000, p=60_000.0, n_events=200, keep=True, polarity="MagUp")
    pairs = tables["tmp_ecal_charged"]
    first, second = (pairs["part"] == part for part in (1, 2))
    both, i, j = np.intersect1d(pairs["mcparticle_id"][first], pairs["mcparticle_id"][second], return_indices=True)
    assert len(both) > 500
    assert pairs["p"][first][i] + pairs["p"][second][j] == pytest.approx(60_000, rel=1e-9)
    assert np.mean(pairs["p"][first][i]) == pytest.approx(30_000, rel=0.1)
    # MagUp takes 1230 MeV of p_x from a positive particle: that of part 2.
    assert (pairs["tx"][second][j] < pairs["tx"][first][i]).all()


@pytest.mark.parametrize(("polarity", "sign"), [("MagUp", 1), ("MagDown", -1)])
def test_electrons_arrive_bent_by_the_magnet_as_charged_clusters(polarity, sign):
    n, p = 2000, 30_000.0
    gun = {"pid": np.full(n, ELECTRON), "p": p, "eta": 3.0, "phi": np.linspace(-np.pi, np.pi, n)}
    tables = simulate(gun, n_events=n, polarity=polarity, keep=True)
    truth, there = joined(tables, "tmp_ecal_charged")
    lever = ECAL_Z - 5212.38
    expected = ECAL_Z * truth["px"] / truth["pz"] + sign * 1230.0 * lever / there["p"]
    close = there["p"] > 20_000  # what radiated little
    assert abs(there["x_ecal"] - expected)[close].max() < 40  # the kick's place depends on the slopes
    assert np.mean(there["x_ecal"][close] - expected[close]) == pytest.approx(0, abs=20)
    clusters, links = tables["Clusters"], tables["ClusterParticles"]
    own = links["cluster_id"][(links["part"] == 0) & (links["fraction"] > 0.9)]
    assert len(own) > 0.7 * n
    assert (clusters["type"][np.isin(clusters["cluster_id"], own)] == CHARGED).all()


def test_what_an_electron_radiated_is_found_in_the_same_event():
    n = 1000
    gun = {"pid": np.full(n, ELECTRON), "p": 30_000.0, "eta": 3.0, "phi": np.linspace(-np.pi, np.pi, n)}
    tables = simulate(gun, n_events=n)
    radiated, links, clusters = tables["BremPhotons"], tables["ClusterParticles"], tables["Clusters"]
    strong = radiated["energy"] > 3000
    names = set(zip(links["mcparticle_id"].tolist(), (links["part"] - 3).tolist()))
    found = [
        pair in names for pair in zip(radiated["mcparticle_id"][strong].tolist(), radiated["number"][strong].tolist())
    ]
    assert np.mean(found) > 0.9
    # Electron and radiation together have the energy of the electron, wherever both are found.
    energy = np.bincount(
        clusters["event_id"] // 1_000_000, clusters["energy"] * (clusters["type"] != SPLIT), minlength=n
    )
    assert np.median(energy) == pytest.approx(30_000, rel=0.03)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("energy", "expected"), [(10_000.0, 0.062), (50_000.0, 0.040)])
def test_A38_energy_resolution_of_reconstructed_photons(mode, energy, expected):
    tables = photons(p=energy, calorimeter=mode, seed=3)
    c = tables["Clusters"]
    alone = c["type"] == SINGLE
    assert alone.sum() > 1500
    assert half_width(c["energy"][alone] / energy) == pytest.approx(expected, rel=0.1)
    pull = (c["energy"] - energy)[alone] / np.sqrt(c["cov22"][alone])
    assert half_width(pull) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("region", "low", "high"), [(2, 0.8, 2), (1, 1.5, 3.5), (0, 4, 8)])
def test_position_resolution_by_region_at_10_gev(mode, region, low, high):
    tables = photons(12_000, calorimeter=mode, seed=4)
    c, links = tables["Clusters"], tables["ClusterParticles"]
    x, y = true_hits(tables)
    photon = np.searchsorted(tables["MCParticles"]["event_id"], c["event_id"])
    chosen = (c["region"] == region) & (c["type"] == SINGLE)
    for found, true, variance in ((c["x"], x, c["cov00"]), (c["y"], y, c["cov11"])):
        residual = (found - true[photon])[chosen]
        assert low < half_width(residual) < high
        # Cells at the borders of the regions and of the hole make it a little wider.
        assert half_width(residual / np.sqrt(variance[chosen])) == pytest.approx(1, abs=0.13)
    assert links["fraction"].max() <= 1 + 1e-5


@pytest.mark.parametrize("mode", MODES)
def test_photons_of_bb_events_are_found_as_often_as_in_lhcb(example, mode, tmp_path):
    # Of the photons within 400 mrad, where LHCb's generator cuts; only a third of those of all directions fly there,
    # and half of these miss the active area.
    found, within, converted = [], [], []
    for seed in range(4):
        path = tmp_path / f"{seed}.db"
        sqlamarr.run("lhcb_run2", example, path, seed=seed, conditions={"calorimeter": mode}, keep_tmp=True)
        with sqlamarr.open(path) as db:
            names = ("MCParticles", "MCVertices", "Clusters")
            tables = {name: db.read_table(name) for name in names}
            converted.append(db.execute("SELECT avg(converted) FROM tmp_photons").fetchone()[0])
        truth = tables["MCParticles"]
        photon = (truth["pid"] == PHOTON) & (truth["pz"] > 0)
        within.append(photon & (np.hypot(truth["px"], truth["py"]) < 0.4228 * truth["pz"]))
        found.append(matched(tables))
    found, within = np.concatenate(found), np.concatenate(within)
    assert within.sum() > 5000
    assert 0.25 < found[within].mean() < 0.30
    assert 0.15 < np.mean(converted) < 0.25


def test_the_two_ways_agree_on_how_many_photons_are_found(example, tmp_path):
    rates = {}
    for mode in MODES:
        rows = []
        for seed in range(3):
            path = tmp_path / f"{mode}{seed}.db"
            sqlamarr.run("lhcb_run2", example, path, seed=seed, conditions={"calorimeter": mode})
            with sqlamarr.open(path) as db:
                rows += db.execute("SELECT pt, type FROM Photons WHERE pt > 200").fetchall()
        rates[mode] = len(rows), np.mean([kind == SPLIT for _, kind in rows])
    assert rates["event"][0] == pytest.approx(rates["signal"][0], rel=0.25)
    assert abs(rates["event"][1] - rates["signal"][1]) < 0.06


@pytest.mark.parametrize("mode", MODES)
def test_mass_of_b_to_kstar_gamma(mode):
    # The photon as reconstructed, the K* as it is: its tracks are measured ten times better.
    n = 6000
    rng = np.random.default_rng(7)
    pt, eta = rng.uniform(3000, 15000, n), rng.uniform(2.2, 4.5, n)
    kstar, photon = two_body(5279.7, (895.6, 0.0), pt * np.cosh(eta), eta, 7)
    p = np.linalg.norm(photon, axis=1)
    gun = {"pid": np.full(n, PHOTON), "p": p, "eta": np.arcsinh(photon[:, 2] / np.hypot(photon[:, 0], photon[:, 1])),
           "phi": np.arctan2(photon[:, 1], photon[:, 0])}  # fmt: skip
    c = simulate(gun, n_events=n, calorimeter=mode, seed=11)["Clusters"]
    chosen = (c["type"] == SINGLE) & (c["pt"] > 2500)
    event = c["event_id"][chosen] // 1_000_000
    assert len(event) > 1500
    found = np.column_stack([c[name][chosen] for name in ("px", "py", "pz")])
    energy = c["energy"][chosen] + np.hypot(np.linalg.norm(kstar[event], axis=1), 895.6)
    mass = np.sqrt(energy**2 - np.sum((found + kstar[event]) ** 2, axis=1))
    assert np.median(mass) == pytest.approx(5280, abs=20)
    assert 75 < half_width(mass) < 110


def test_photons_point_to_the_best_vertex(example, tmp_path):
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", example, path, seed=3, conditions={"luminous_region": "lhcb"})
    with sqlamarr.open(path) as db:
        rows = db.arrays("""
            SELECT c.*, v.x AS vx, v.y AS vy, v.z AS vz
            FROM Clusters AS c JOIN Vertices AS v ON v.vertex_id = c.vertex_id AND v.event_id = c.event_id""")
        assert len(rows["x"]) == db.execute("SELECT count(*) FROM Clusters").fetchone()[0]
        view = db.arrays("SELECT * FROM Photons")
        kinds = db.execute("SELECT DISTINCT type FROM Photons ORDER BY type").fetchall()
    line = np.column_stack([rows["x"] - rows["vx"], rows["y"] - rows["vy"], rows["z"] - rows["vz"]])
    momentum = np.column_stack([rows["px"], rows["py"], rows["pz"]])
    assert np.linalg.norm(momentum, axis=1) == pytest.approx(rows["energy"], rel=1e-9)
    assert np.cross(line, momentum) / 1e6 == pytest.approx(0, abs=1e-6)
    assert np.hypot(rows["px"], rows["py"]) == pytest.approx(rows["pt"])
    assert kinds == [(SINGLE,), (SPLIT,)]
    assert (view["true_pid"] == PHOTON).mean() > 0.9
    assert not np.ma.getmaskarray(view["mcparticle_id"]).any()


def test_the_best_vertex_is_that_with_most_tracks():
    tables = {}
    for flip in (False, True):
        gun = {"pid": np.full(40, PION), "p": 20_000.0, "eta": 3.0, "phi": np.linspace(0, 6, 40)}
        tables[flip] = simulate(gun, n_events=1, keep=True)
        assert tables[flip]["tmp_best_vertex"]["vertex_id"].tolist() == tables[flip]["Vertices"]["vertex_id"].tolist()


def test_a_track_takes_a_photon_behind_it():
    n = 500
    phi = np.repeat(np.linspace(-np.pi, np.pi, n), 2)
    gun = {"pid": np.tile([PHOTON, PION], n), "p": np.tile([20_000.0, 1e8], n), "eta": 3.3, "phi": phi}
    tables = simulate(gun, n_events=n, keep=True)
    seen = tables["TrackStates"]["event_id"][tables["TrackStates"]["location"] == "EndT"]
    clusters = tables["Clusters"]
    assert (clusters["type"][np.isin(clusters["event_id"], seen)] == CHARGED).mean() > 0.9


@pytest.mark.parametrize("n", [0, 1, 2, 300])
@pytest.mark.parametrize("mode", MODES)
def test_any_number_of_photons(mode, n):
    gun = {"pid": np.r_[PION, np.full(n, PHOTON)], "p": 15_000.0, "eta": 3.0, "phi": np.linspace(-3, 3, n + 1)}
    clusters = simulate(gun, calorimeter=mode)["Clusters"]
    assert 0.3 * n - 1 <= len(clusters["x"]) <= n + n // 2 + 1


def test_without_calorimeter_its_tables_are_empty_and_nothing_else_changes(example, tmp_path):
    found = {}
    for mode in [*MODES, "off"]:
        path = tmp_path / f"{mode}.db"
        sqlamarr.run("lhcb_run2", example, path, seed=2, events=10, conditions={"calorimeter": mode})
        found[mode] = hashes(path)
    ours = {"Clusters", "ClusterParticles", "total"}
    for mode in MODES:
        different = {name for name in found[mode] if found[mode][name] != found["off"][name]}
        assert different <= ours
        assert {"Clusters", "ClusterParticles"} <= different


@pytest.mark.parametrize("mode", MODES)
def test_the_result_does_not_depend_on_the_batch(example, mode, tmp_path):
    for size in (1, 7, 40):
        sqlamarr.run("lhcb_run2", example, tmp_path / f"{size}.db", seed=2, batch_size=size,
                     conditions={"calorimeter": mode})  # fmt: skip
    assert hashes(tmp_path / "1.db") == hashes(tmp_path / "7.db") == hashes(tmp_path / "40.db")


def test_an_unknown_mode_is_refused(example, tmp_path):
    with pytest.raises(PipelineError, match="calorimeter"):
        sqlamarr.run("lhcb_run2", example, tmp_path / "o.db", seed=1, conditions={"calorimeter": "fast"})


def test_the_command_line_switches_it_off(example, tmp_path, capsys):
    out = tmp_path / "o.db"
    assert command_line("run", "lhcb_run2", example, "-o", out, "--seed", 1, "-n", 2, "-c", "calorimeter=off") == 0
    with sqlamarr.open(out) as db:
        assert db.execute("SELECT count(*) FROM Clusters").fetchone() == (0,)


def test_toy_decays_conserve_momentum():
    p, eta = np.array([5000.0, 50_000.0]), np.array([2.5, 4.0])
    first, second = two_body(5279.7, (895.6, 0.0), p, eta, 1)
    assert np.linalg.norm(first + second, axis=1) == pytest.approx(p)
    assert np.arctanh((first + second)[:, 2] / p) == pytest.approx(eta)
    assert at_face(first)[0].shape == (2,)
