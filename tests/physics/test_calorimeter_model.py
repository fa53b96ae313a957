"""The model of the calorimeter by itself: resolution, showers, clusters, merged pi0, links."""

from __future__ import annotations

import numpy as np
import pytest
from showers import (
    CHARGED,
    ELECTRON,
    GAMMA,
    LIMITS,
    MERGED,
    PHOTON,
    PI0_MASS,
    REGIONS,
    SPLIT,
    TRACK,
    active,
    clusters,
    energy_resolution,
    library,
    pions,
    places,
)
from toy_events import half_width

from sqlamarr.errors import EventError
from sqlamarr.models.events import EventLimits

N = 20_000


def single(region, energy, n=N, **options):
    """One photon per event; the clusters, and the true places of those that are seen."""
    x, y = places(region, n)
    made = clusters(x, y, energy, np.ones(n, int), **options)
    return made, x[made.event], y[made.event]


@pytest.mark.parametrize(("energy", "expected"), [(10_000, 0.062), (50_000, 0.040)])
@pytest.mark.parametrize("region", REGIONS)
def test_A38_energy_resolution(region, energy, expected):
    made, *_ = single(region, energy)
    assert half_width(made.columns["energy"] / energy) == pytest.approx(expected, rel=0.04)
    assert energy_resolution(energy) == pytest.approx(expected, rel=0.02)
    assert np.median(made.columns["energy"]) == pytest.approx(energy, rel=0.004)


@pytest.mark.parametrize(("region", "low", "high"), [("inner", 0.8, 2), ("middle", 1.5, 3.5), ("outer", 4, 8)])
def test_position_resolution_at_10_gev(region, low, high):
    made, x, y = single(region, 10_000)
    for found, true in ((made.columns["x"], x), (made.columns["y"], y)):
        assert low < half_width(found - true) < high
        assert abs(np.mean(found - true)) < 5 * np.std(found - true) / np.sqrt(N)


def test_places_in_a_cell_are_all_alike():
    # Without noise the place comes back wherever in a cell the shower hits.
    for x0, x1, _, _, cell in REGIONS.values():
        edge = np.round((x0 + x1) / 2 / cell) * cell
        x, y = edge + np.linspace(0.02, 0.98, 40) * cell, np.full(40, 10.0)
        made = clusters(x, y, 20_000, np.ones(40, int), noise=0.0)
        assert abs(made.columns["x"] - x).max() < 0.06 * cell
        assert abs(made.columns["energy"] / 20_000 - 1).max() < 0.02


def test_energy_is_conserved():
    # All photons of many events, before thresholds: the sum is right within the sampling's resolution.
    rng = np.random.default_rng(4)
    n, events = 30, 1000
    x, y = rng.uniform(-3800, 3800, n * events), rng.uniform(-3100, 3100, n * events)
    energy = rng.exponential(20_000, n * events)
    hit = active(x, y)
    made = clusters(x[hit], y[hit], energy[hit], np.bincount(np.repeat(np.arange(events), n)[hit], minlength=events),
                    threshold=1e-6)  # fmt: skip
    kept = made.of_type(PHOTON, MERGED, CHARGED)
    found = np.bincount(made.event[kept], made.columns["energy"][kept], minlength=events)
    ratio = found / np.bincount(np.repeat(np.arange(events), n)[hit], energy[hit], minlength=events)
    expected = np.sqrt(2 / n) * energy_resolution(20_000)
    assert np.mean(ratio) == pytest.approx(1, abs=0.01)
    assert half_width(ratio) < 1.6 * expected


def test_no_cluster_is_in_the_hole_or_outside():
    rng = np.random.default_rng(8)
    x, y = rng.normal(0, 600, 60 * 500), rng.normal(0, 400, 60 * 500)
    made = clusters(x, y, rng.exponential(5000, len(x)), np.full(500, 60))
    assert active(made.columns["x"], made.columns["y"]).all()
    nothing = clusters([0, 300, 4000, 0], [0, 300, 0, 3200], 50_000, [4])
    assert len(nothing.event) == 0


@pytest.mark.parametrize("n", [0, 1, 2, 300])
def test_events_of_any_number_of_photons(n):
    rng = np.random.default_rng(n)
    x, y = rng.uniform(400, 3800, n), rng.uniform(-3100, 3100, n)
    made = clusters(x, y, np.full(n, 8000.0), [0, n, 0])
    assert set(made.event.tolist()) == ({1} if n else set())
    assert 0.6 * n <= made.of_type(PHOTON, SPLIT).sum() <= n


def test_more_clusters_or_links_than_allowed_are_an_error_of_the_event():
    x, y = places("outer", 300)
    for limits, message in (
        (EventLimits(rows=20, links=50000), "more than the 20 output rows that max_rows allows .* of 300 input rows"),
        (EventLimits(rows=5000, links=20), "more than the 20 links that max_links allows"),
    ):
        with pytest.raises(EventError, match=message) as caught:
            clusters(x, y, 8000, [0, 300], limits=limits)
        assert caught.value.event_id == 1_000_000


def test_every_cluster_knows_whom_it_comes_from():
    rng = np.random.default_rng(9)
    n, events = 40, 300
    x, y = rng.normal(0, 1200, n * events), rng.normal(0, 900, n * events)
    energy = rng.exponential(5000, n * events)
    made = clusters(x, y, energy, np.full(events, n))
    links = made.answers
    total = np.bincount(links.link_out, links.link_weight, minlength=len(made.event))
    assert (total <= 1 + 1e-5).all()
    assert (total > 0.8).all()
    assert np.mean(total) > 0.99
    assert links.link_weight.min() >= 0.01
    pairs = set(zip(links.link_out.tolist(), links.link_in.tolist()))
    assert len(pairs) == len(links.link_out)
    assert (made.event[links.link_out] == links.link_in // n).all()
    # The largest part of a cluster of its own is the nearest photon's.
    distance = np.hypot(
        made.columns["x"][links.link_out] - x[links.link_in], made.columns["y"][links.link_out] - y[links.link_in]
    )
    strong = links.link_weight > 0.9
    assert np.quantile(distance[strong], 0.99) < 60


def test_two_photons_share_the_cells_between_them():
    cell = REGIONS["inner"][4]
    x, y = (15.5 + np.array([0.0, 2.0])) * cell, 0.5 * cell
    made = clusters(x, y, [800.0, 400.0], [2], threshold=1.0, noise=0.0)
    assert made.of_type(PHOTON).tolist() == [True, True]  # too little energy to be looked at as one pi0
    assert made.columns["energy"] == pytest.approx([800, 400], rel=0.03)
    assert made.columns["x"] == pytest.approx(x, abs=2)
    links = made.answers
    foreign = links.link_weight[links.link_out != links.link_in]
    assert len(foreign) == 1 or foreign.min() > 0.01
    assert foreign.max() < 0.1


def test_tracks_claim_the_clusters_that_they_point_to():
    x, y = places("middle", 1000)
    near = clusters(np.repeat(x, 2), np.repeat(y, 2), 10_000, np.full(1000, 2), kind=np.tile([GAMMA, TRACK], 1000))
    assert near.of_type(CHARGED).all()
    assert len(near.event) == 1000  # a track leaves nothing itself
    far = clusters(np.repeat(x, 2) + np.tile([0, 200], 1000), np.repeat(y, 2), 10_000, np.full(1000, 2),
                   kind=np.tile([GAMMA, TRACK], 1000))  # fmt: skip
    assert far.of_type(PHOTON).all()
    electrons = clusters(x, y, 10_000, np.ones(1000, int), kind=ELECTRON)
    assert electrons.of_type(CHARGED).all()
    assert half_width(electrons.columns["energy"] / 10_000) == pytest.approx(0.062, rel=0.1)


def test_resolved_pi0_peak_at_their_mass():
    rng = np.random.default_rng(1)
    made = pions(rng.uniform(800, 2000, N), rng.uniform(2.2, 4.5, N))
    _, mass = made.masses(PHOTON)
    assert np.median(mass) == pytest.approx(135, abs=2)
    assert 6 < half_width(mass) < 13


def test_merged_pi0_have_the_right_mass():
    rng = np.random.default_rng(2)
    made = pions(rng.uniform(2500, 6000, N), rng.uniform(2.2, 4.5, N))
    pairs, mass = made.masses(SPLIT)
    assert len(pairs) > 0.5 * made.seen.sum()
    assert np.median(mass) == pytest.approx(135, abs=5)
    assert 15 < half_width(mass) < 30


@pytest.mark.parametrize(("region", "crossing"), [("inner", 56), ("middle", 37), ("outer", 19)])
def test_merged_pi0_dominate_where_cells_no_longer_tell_the_photons_apart(region, crossing):
    # The smallest distance of the photons, 3370 mm / E[GeV], is 1.5 cells at these energies.
    x, y = places(region, 4000)
    eta = np.arcsinh(12490 / np.hypot(x, y))
    for factor, expected in ((1.3, True), (0.35, False)):
        made = pions(crossing * 1000 * factor / np.cosh(eta), eta)
        at = active(made.x, made.y).reshape(-1, 2).all(axis=1)
        merged, resolved = (np.isin(made.masses(kind)[0], np.flatnonzero(at)).sum() for kind in (SPLIT, PHOTON))
        assert (merged > resolved) == expected, (factor, merged, resolved)


def test_A39_photons_of_energetic_pi0_are_mostly_merged():
    # The standard population: log-flat in momentum, flat in pseudorapidity.
    rng = np.random.default_rng(3)
    p, eta = np.exp(rng.uniform(np.log(3e3), np.log(1e5), N * 2)), rng.uniform(2, 4.9, N * 2)
    made = pions(p / np.cosh(eta), eta)
    matched = made.matched()
    energetic = active(made.x, made.y) & (made.pt > 2000)
    split, alone = ((matched[energetic] == kind).mean() for kind in (SPLIT, PHOTON))
    assert split > 0.5
    assert split > 2 * alone
    slow = active(made.x, made.y) & (np.repeat(p / np.cosh(eta), 2) < 1000)
    assert (matched[slow] == SPLIT).mean() < 0.02
    assert made.masses(SPLIT)[1].mean() == pytest.approx(PI0_MASS, rel=0.05)


def test_a_merged_pi0_has_its_energy_in_two_photons():
    made = pions(np.full(2000, 5000.0), np.full(2000, 3.0)).clusters
    split = np.flatnonzero(made.of_type(SPLIT))
    parent = made.answers.offsets[made.event[split]] + made.columns["parent"][split].astype(int)
    assert (made.columns["type"][parent] == MERGED).all()
    halves = np.bincount(parent, made.columns["energy"][split], minlength=len(made.event))
    merged = made.of_type(MERGED)
    assert halves[merged] == pytest.approx(made.columns["energy"][merged], rel=1e-5)
    assert (halves[~merged] == 0).all()
    assert (made.columns["parent"][~made.of_type(SPLIT)] == -1).all()


@pytest.mark.parametrize("name", ["PhotonID", "IsNotE", "IsNotH"])
def test_identification_is_between_0_and_1_and_gets_better_with_energy(name):
    x, y = places("outer", N)
    slow, fast = (clusters(x, y, energy, np.ones(N, int)) for energy in (2000, 30_000))
    for made in (slow, fast):
        assert 0 <= made.columns[name].min() < made.columns[name].max() <= 1
    assert np.mean(fast.columns[name]) > np.mean(slow.columns[name]) + 0.01
    other = clusters(x, y, 30_000, np.ones(N, int), kind=ELECTRON)
    if name == "IsNotE":
        assert np.mean(other.columns[name]) < np.mean(fast.columns[name]) - 0.3
    if name == "PhotonID":
        merged = pions(np.full(N, 5000.0), np.full(N, 3.0)).clusters
        assert merged.columns[name][merged.of_type(MERGED)].mean() < np.mean(fast.columns[name]) - 0.1


def test_the_library_says_what_it_needs():
    model = library()
    assert model.input_names == ["x_ecal", "y_ecal", "p", "tx", "ty", "x", "y", "z", "kind"]
    assert model.event_input_names == ["threshold"]
    assert "arXiv" in model.origin or "LHCb" in model.origin
    assert LIMITS.rows > 0
