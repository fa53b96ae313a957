"""What a particle gun shoots: species, momenta, places."""

from __future__ import annotations

import numpy as np
import pytest
from gun_tools import ALARM, shoot
from scipy import stats

from sqlamarr.errors import InputError
from sqlamarr.sources.gun.momentum import shipped
from sqlamarr.sources.yaml_inputs import describe

N = 20000


def drawn(name, law, n=N, **gun):
    """A quantity of muons, as their momenta have it."""
    gun = {"particle": "mu-", "p": 10000, "theta": 0.1, **gun}
    if name in ("pt", "energy", "kinetic_energy"):
        del gun["p"]
    if name in ("eta", "y", "cos_theta"):
        del gun["theta"]
    shot = shoot(n, **{**gun, name: law})
    px, py, pz, e = shot.momentum(shot.rows(13)).T
    p, pt = np.sqrt(px**2 + py**2 + pz**2), np.hypot(px, py)
    values = {
        "p": p, "pt": pt, "energy": e, "kinetic_energy": e - 105.6583755, "theta": np.arctan2(pt, pz),
        "cos_theta": pz / p, "eta": np.arctanh(pz / p), "y": np.arctanh(pz / e), "phi": np.arctan2(py, px),
    }  # fmt: skip
    return values[name]


def power_cdf(a, b, n):
    return lambda x: (x ** (n + 1) - a ** (n + 1)) / (b ** (n + 1) - a ** (n + 1))


DISTRIBUTIONS = {
    "flat": ({"flat": [2000, 9000]}, stats.uniform(2000, 7000).cdf),
    "log_flat": ({"log_flat": [2000, 90000]}, stats.loguniform(2000, 90000).cdf),
    "exponential": ({"exponential": {"mean": 3000}}, stats.expon(0, 3000).cdf),
    "exponential, cut": ({"exponential": {"mean": 3e3, "min": 1e3, "max": 7e3}}, stats.truncexpon(2, 1000, 3000).cdf),
    "power": ({"power": {"index": -3.5, "min": 1000, "max": 50000}}, power_cdf(1000, 50000, -3.5)),
    "power without end": ({"power": {"index": -4, "min": 1000}}, stats.pareto(3, 0, 1000).cdf),
    "power -1": ({"power": {"index": -1, "min": 100, "max": 9000}}, stats.loguniform(100, 9000).cdf),
    "power 2": ({"power": {"index": 2, "min": 100, "max": 9000}}, power_cdf(100, 9000, 2)),
    "gaussian": ({"gaussian": {"mean": 9000, "sigma": 500}}, stats.norm(9000, 500).cdf),
    "gaussian, cut": ({"gaussian": {"mean": 0, "sigma": 500, "min": 1000}}, stats.truncnorm(2, np.inf, 0, 500).cdf),
    "gaussian, far": (
        {"gaussian": {"mean": 0, "sigma": 500, "min": 5000, "max": 5100}}, stats.truncnorm(10, 10.2, 0, 500).cdf,
    ),
    "histogram": (
        {"histogram": {"edges": [1000, 2000, 5000, 6000], "contents": [1, 0, 3]}},
        lambda x: np.interp(x, [1000, 2000, 5000, 6000], [0, 0.25, 0.25, 1]),
    ),
    "histogram, cut and scaled": (
        {"histogram": {"edges": [1, 2, 4], "contents": [1, 3], "scale": 1000, "min": 1500, "max": 3000}},
        lambda x: np.interp(x, [1500, 2000, 3000], [0, 0.25, 1]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_distribution_of_a_momentum(name):
    law, cdf = DISTRIBUTIONS[name]
    assert stats.kstest(drawn("p", law), cdf).pvalue > ALARM


RANGES = {
    "p": (2000, 9000), "pt": (500, 3000), "energy": (1000, 5000), "kinetic_energy": (10, 300),
    "theta": (0.05, 2.5), "cos_theta": (-0.9, 1.0), "eta": (-3, 5), "phi": (-1, 2),
}  # fmt: skip


@pytest.mark.parametrize("quantity", RANGES)
def test_every_quantity_is_drawn_from_the_law_that_is_given_for_it(quantity):
    low, high = RANGES[quantity]
    values = drawn(quantity, {"flat": [low, high]})
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > ALARM


def test_a_rapidity_goes_with_a_transverse_momentum():
    shot = shoot(N, particle="B0", pt=3000, y={"flat": [2, 4.5]}, stable=["B0"])
    px, py, pz, e = shot.momentum(shot.rows(511)).T
    assert np.allclose(np.hypot(px, py), 3000, rtol=1e-12)
    assert stats.kstest(np.arctanh(pz / e), stats.uniform(2, 2.5).cdf).pvalue > ALARM


def test_fixed_values_are_exact():
    shot = shoot(2, particle="mu-", p=5000, theta=0.1, phi=0.5)
    (px, py, pz, e), _ = shot.momentum(shot.rows(13))
    assert np.allclose(
        [px, py, pz], 5000 * np.array([np.sin(0.1) * np.cos(0.5), np.sin(0.1) * np.sin(0.5), np.cos(0.1)])
    )
    assert e == pytest.approx(np.hypot(5000, 105.6583755), rel=1e-15)


GOLDEN = {"p": {"log_flat": [2000, 90000]}, "theta": {"gaussian": {"mean": 0.1, "sigma": 0.02, "min": 0.01}}}
MOMENTA = [
    "-0x1.51380a872335fp+12",
    "-0x1.b1b59ddc08db9p+11",
    "0x1.d6225503f4a25p+15",
    "-0x1.5b80a38c360aep+10",
    "-0x1.b4b7eed1df94fp+9",
    "0x1.183551a948ff8p+14",
]
PLACES = [
    "-0x1.039af9a2baef3p-5",
    "0x1.8f25560a27dc0p-11",
    "-0x1.280f812829cb9p+1",
    "-0x1.56811640ed0d8p-9",
    "0x1.f8c8fe3155304p-6",
    "-0x1.830b83a0d64c5p+3",
]


def test_the_same_seed_is_the_same_event_for_ever():
    """Frozen bits: a change here changes every production that is run again."""
    shot = shoot(2, seed=42, particle="mu-", origin={"luminous_region": 2016}, **GOLDEN)
    momenta = shot.momentum(shot.rows(13))[:, :3].ravel().tolist()
    assert [value.hex() for value in momenta] == MOMENTA
    assert [value.hex() for value in shot.place(shot.rows(13))[:, :3].ravel().tolist()] == PLACES


def test_azimuths_are_flat_where_nothing_is_said():
    assert stats.kstest(drawn("phi", {"flat": [-np.pi, np.pi]}), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > ALARM


@pytest.mark.parametrize("name", ["b_13TeV", "c_13TeV"])
def test_the_shipped_spectra(name):
    shot = shoot(N, particle="B0", spectrum=name, stable=["B0"])
    px, py, pz, _ = shot.momentum(shot.rows(511)).T
    pt = np.hypot(px, py)
    for values, axis in ((pt, "pt"), (np.arcsinh(pz / pt), "eta")):
        found = shipped()[name][axis]
        cumulative = np.append(0, np.cumsum(found["contents"])) / sum(found["contents"])
        cdf = lambda x, e=found["edges"], c=cumulative: np.interp(x, e, c)  # noqa: E731
        assert stats.kstest(values, cdf).pvalue > ALARM


def test_the_shipped_b_spectrum_has_the_published_shape():
    """RapidSim's LHCb13.root: mean and quantiles of pT in GeV, shares of half units of eta."""
    shot = shoot(200000, particle="B0", spectrum={"shipped": "b_13TeV", "eta": [2, 5]}, stable=["B0"])
    px, py, pz, _ = shot.momentum(shot.rows(511)).T
    pt, eta = np.hypot(px, py) / 1000, np.arcsinh(pz / np.hypot(px, py))
    assert pt.mean() == pytest.approx(5.32, abs=0.08)
    quantiles = np.quantile(pt, [0.25, 0.5, 0.75, 0.95, 0.99])
    assert quantiles == pytest.approx([2.38, 4.12, 6.62, 13.4, 22.4], rel=0.06)
    assert np.histogram(eta, [2, 2.5, 3, 3.5, 4, 4.5, 5])[0] / len(eta) == pytest.approx(
        [0.210, 0.214, 0.178, 0.166, 0.126, 0.106], abs=0.005
    )


def test_a_range_cuts_a_shipped_spectrum():
    shot = shoot(2000, particle="B0", spectrum={"shipped": "b_13TeV", "pt": [2300, 4100], "eta": [2, 5]}, stable=["B0"])
    px, py, pz, _ = shot.momentum(shot.rows(511)).T
    pt = np.hypot(px, py)
    assert (pt > 2300).all() and (pt < 4100).all()
    assert (np.arcsinh(pz / pt) > 2).all() and (np.arcsinh(pz / pt) < 5).all()


def test_a_spectrum_in_two_dimensions_keeps_the_correlation():
    spectrum = {
        "axes": ["pt", "eta"],
        "edges": [[0, 1, 2], [2, 3, 5]],
        "contents": [[0, 1], [3, 0]],
        "scale": [1000, 1],
    }
    shot = shoot(N, particle="B0", spectrum=spectrum, stable=["B0"])
    px, py, pz, _ = shot.momentum(shot.rows(511)).T
    pt, eta = np.hypot(px, py), np.arcsinh(pz / np.hypot(px, py))
    low = pt < 1000
    assert ((eta > 3) == low).all()
    assert stats.binomtest(int(low.sum()), N, 0.25).pvalue > ALARM
    assert stats.kstest(eta[low], stats.uniform(3, 2).cdf).pvalue > ALARM
    assert stats.kstest(pt[low], stats.uniform(0, 1000).cdf).pvalue > ALARM


def test_histograms_come_from_root_files(tmp_path):
    import uproot

    with uproot.recreate(tmp_path / "h.root") as file:
        file["pt"] = np.array([1.0, 3.0]), np.array([0.0, 1.0, 2.0])
        file["both"] = np.array([[0.0, 1.0], [3.0, 0.0]]), np.array([0.0, 1.0, 2.0]), np.array([2.0, 3.0, 5.0])
    one = {"histogram": {"file": str(tmp_path / "h.root"), "name": "pt", "scale": 1000}}
    same = {"histogram": {"edges": [0, 1000, 2000], "contents": [1, 3]}}
    assert np.array_equal(drawn("pt", one, 100), drawn("pt", same, 100))
    both = {"axes": ["pt", "eta"], "file": str(tmp_path / "h.root"), "name": "both", "scale": [1000, 1]}
    given = {"axes": ["pt", "eta"], "edges": [[0, 1000, 2000], [2, 3, 5]], "contents": [[0, 1], [3, 0]]}
    shots = [shoot(100, particle="mu-", spectrum=spectrum) for spectrum in (both, given)]
    assert np.array_equal(shots[0].particles["px"], shots[1].particles["px"])
    del one["histogram"]["name"], both["name"]
    with pytest.raises(
        InputError, match=r"gun\.pt: expected the 'name' of a TH1 in .*h\.root, found none; it has: pt\."
    ):
        drawn("pt", one, 1)
    with pytest.raises(
        InputError, match=r"gun\.spectrum: expected the 'name' of a TH2 in .*, found none; it has: both"
    ):
        shoot(1, particle="mu-", spectrum=both)


def test_one_of_several_species_by_their_shares():
    shot = shoot(N, particle={"mu-": 1, "K+": 3}, p=5000, theta=0.1)
    assert len(shot.rows(13)) + len(shot.rows(321)) == N
    assert stats.binomtest(len(shot.rows(13)), N, 0.25).pvalue > ALARM


def test_particles_and_antiparticles():
    shot = shoot(N, particle="pi+", charge_conjugate=True, p=5000, theta=0.1)
    assert stats.binomtest(len(shot.rows(211)), N, 0.5).pvalue > ALARM
    assert len(shot.rows(211)) + len(shot.rows(-211)) == N


def test_several_particles_of_an_event_share_its_vertex():
    entries = [{"particle": "mu-", "p": 5000, "theta": 0.1}, {"particle": 211, "pt": 500, "eta": {"flat": [2, 5]}}]
    shot = shoot(100, particles=entries, origin={"luminous_region": 2016})
    assert np.array_equal(shot.place(shot.rows(13)), shot.place(shot.rows(211)))
    assert len(np.unique(shot.place(shot.rows(13))[:, 2])) == 100


def test_collisions_spread_over_the_luminous_region():
    shot = shoot(N, particle="mu-", p=5000, theta=0.1, origin={"luminous_region": 2016})
    for axis, sigma in enumerate((0.035, 0.035, 60)):
        values = shot.place(shot.rows(13))[:, axis]
        assert stats.kstest(values, stats.norm(0, sigma).cdf).pvalue > ALARM
    assert (shot.vertices["is_primary"] == 1).all()


def test_a_place_by_coordinates_and_by_distributions():
    shot = shoot(N, particle="mu-", p=5000, theta=0.1, origin=[0.1, -0.2, 30])
    assert (shot.place(shot.rows(13)) == [0.1, -0.2, 30, 0]).all()
    shot = shoot(N, particle="mu-", p=5000, theta=0.1, origin={"z": {"flat": [-50, 80]}, "t": 3})
    assert stats.kstest(shot.place(shot.rows(13))[:, 2], stats.uniform(-50, 130).cdf).pvalue > ALARM
    assert (shot.place(shot.rows(13))[:, 3] == 3).all()


def test_a_displaced_particle_has_a_vertex_of_its_own():
    gun = {"origin": [0, 0, 10], "displaced": {"z": {"flat": [100, 500]}}}
    shot = shoot(N, particle="pi+", p=5000, theta=0.1, **gun)
    assert stats.kstest(shot.place(shot.rows(211))[:, 2], stats.uniform(110, 400).cdf).pvalue > ALARM
    assert shot.vertices["is_primary"].tolist() == [1, 0] * N
    assert (shot.vertices["z"][::2] == 10).all()


def test_the_first_particle_is_the_collision_and_carries_the_sum():
    entries = [{"particle": "mu-", "p": 5000, "theta": 0.1}, {"particle": "K+", "p": 7000, "theta": 0.2}]
    shot = shoot(50, particles=entries)
    system = shot.rows(90)
    assert np.allclose(shot.momentum(system), shot.momentum(shot.rows(13)) + shot.momentum(shot.rows(321)), rtol=1e-14)
    assert (shot.particles["status"][system] == 4).all()


MUON = {"particle": "mu-", "p": 5000, "theta": 0.1}
NAN = float("nan")
JOINT = {"axes": ["p", "eta"], "edges": [[1, 2], [3, 4]]}
REFUSED = [
    ({**MUON, "particle": "Bs"}, "There is no particle 'Bs'. Did you mean"),
    ({**MUON, "particle": 1234567}, "No particle has the PDG code 1234567."),
    ({**MUON, "pt": 500}, "gun: expected one of p, pt, energy, kinetic_energy, found p and pt."),
    ({"particle": "mu-", "p": 5000}, "gun: expected one of theta, eta, y, cos_theta, found none."),
    ({"p": 5000, "theta": 0.1}, "gun: expected either 'particle' or 'decay', found none."),
    ({**MUON, "decay": "B0 -> K+ pi-"}, "expected either 'particle' or 'decay', found both."),
    ({"particle": "mu-", "p": 5000, "y": 3}, "gun.y: a rapidity must be combined with pt, found p."),
    ({**MUON, "p": -5}, "gun.p: expected finite values from 0 to inf, found -5 to -5."),
    ({**MUON, "theta": {"flat": [0, 4]}}, "gun.theta: expected finite values from 0 to 3.14159, found 0 to 4."),
    ({**MUON, "p": {"flat": [5, float("inf")]}}, "gun.p: expected finite values from 0 to inf, found 5 to inf."),
    ({**MUON, "p": {"flat": [5, 1]}}, "expected a range with the lower limit first, found 5 to 1."),
    ({**MUON, "p": {"flaat": [1, 5]}}, "gun.p: unknown kind of distribution 'flaat'; known kinds: flat, log_flat"),
    ({**MUON, "p": {"flaat": [1, 5]}}, "Did you mean 'flat'?"),
    ({**MUON, "p": {"exponential": {"men": 3}}}, "gun.p.exponential: unknown key 'men'; known are: mean, min, max"),
    ({**MUON, "p": {"log_flat": [0, 5]}}, "gun.p: log_flat needs limits above 0, found 0."),
    ({**MUON, "phi": {"exponential": {"mean": 1, "min": -9}}}, "gun.phi: expected finite values from -6.28319"),
    ({**MUON, "p": {"power": {"index": -1, "min": 1}}}, "power needs 'min' above 0 and, unless its index is below -1"),
    ({**MUON, "p": {"histogram": {"edges": [1, 2], "contents": [1, 2]}}}, "2 contents need 3 edges, found 2."),
    ({**MUON, "p": {"histogram": {"edges": [2, 1], "contents": [1]}}}, "must be finite and in ascending order."),
    ({**MUON, "p": {"histogram": {"edges": [1, 2], "contents": [-1]}}}, "must not be negative"),
    ({**MUON, "p": {"histogram": {"edges": [1, 2], "contents": [NAN]}}}, "contents of a histogram must be finite numb"),
    ({"particle": "mu-", "spectrum": {**JOINT, "contents": [[NAN]]}}, "contents of a spectrum must be finite numbers."),
    ({"particle": "mu-", "spectrum": {**JOINT, "contents": [[-1]]}}, "of a spectrum must not be negative, nor all"),
    ({**MUON, "p": {"histogram": {"edges": [1, 2], "contents": [1], "min": 3}}}, "no content within the limits."),
    ({**MUON, "p": {"histogram": {"edges": [1, 2]}}}, "histogram needs 'edges' and 'contents', or 'file' and 'name'."),
    ({**MUON, "p": {"histogram": {"file": "absent.root", "name": "h"}}}, "absent.root does not exist."),
    ({"particle": "mu-", "spectrum": "b_14TeV"}, "gun.spectrum: unknown shipped spectrum 'b_14TeV'; known spectra:"),
    ({"particle": "mu-", "spectrum": "b_14TeV"}, "Did you mean 'b_13TeV'?"),
    ({**MUON, "spectrum": "b_13TeV"}, "a spectrum sets both momentum and angle, so p, theta cannot be given as well."),
    ({"particle": "mu-", "spectrum": {"axes": ["pt", "teta"]}}, "gun.spectrum.axes: expected one of theta, eta"),
    ({**MUON, "origin": [1, 2]}, "gun.origin: expected [x, y, z] in mm, found [1, 2]."),
    ({**MUON, "origin": {"zz": 2}}, "gun.origin: unknown key 'zz'; known keys: x, y, z, t, luminous_region."),
    ({**MUON, "origin": {"luminous_region": 2030}}, "one of 2015, 2016, 2017, 2018, found 2030."),
    ({**MUON, "displaced": {"t": 2}}, "gun.displaced: unknown key 't'; known keys: x, y, z."),
    ({**MUON, "particle": {"mu-": -1}}, "gun.particle: expected names, or names with shares that are not negative"),
    ({**MUON, "particles": [MUON]}, "gun: particle, p, theta must be in the entries of 'particles'."),
    ({"particles": [MUON, {"particle": "mu+", "p": 5}]}, "gun.particles.1: expected one of theta"),
]  # fmt: skip


@pytest.mark.parametrize(("gun", "message"), REFUSED)
def test_a_gun_that_cannot_be(gun, message):
    with pytest.raises(InputError) as caught:
        shoot(1, **gun)
    assert message in str(caught.value)


TOO_LITTLE = [
    (100, 100),
    ({"flat": [50, 1000]}, 50),
    ({"log_flat": [50, 1000]}, 50),
    ({"exponential": {"mean": 5000}}, 0),
    ({"power": {"index": -2, "min": 105}}, 105),
    ({"gaussian": {"mean": 800, "sigma": 100}}, 100),
    ({"gaussian": {"mean": 800, "sigma": 200, "min": 90}}, 90),
    ({"histogram": {"edges": [0, 90, 500], "contents": [0, 1]}}, 90),
]


@pytest.mark.parametrize(("energy", "least"), TOO_LITTLE)
def test_energies_below_the_mass_are_an_error_at_the_start(energy, least):
    message = (
        rf"gun: expected energies above the mass of mu-, 105\.66 MeV, found energies from {least:g} MeV\. Raise the "
        "lower limit of 'energy', or give 'kinetic_energy'"
    )
    gun = {"particle": ["gamma", "mu-"], "energy": energy, "theta": 0.1}
    with pytest.raises(InputError, match=message):
        describe({"gun": gun}).prepare(1)
    describe({"gun": {**gun, "particle": "gamma"}}).prepare(1)


def test_energies_below_the_mass_of_a_joint_spectrum_or_of_a_resonance_are_an_error_at_the_start():
    joint = {"axes": ["energy", "eta"], "edges": [[0, 90, 200, 500], [2, 4]], "contents": [[0], [1], [1]]}
    with pytest.raises(InputError, match="energies above the mass of mu-, .* found energies from 90 MeV\\."):
        describe({"gun": {"particle": "mu-", "spectrum": joint}}).prepare(1)
    with pytest.raises(
        InputError, match=r"the mass of phi\(1020\), up to 1083\.\d\d MeV, found energies from 1080 MeV\."
    ):
        describe({"gun": {"decay": "phi -> K+ K-", "energy": 1080, "eta": 3}}).prepare(1)


@pytest.mark.parametrize("energy", [106, {"gaussian": {"mean": 5000, "sigma": 500}}, {"flat": [106, 200]}])
def test_energies_above_the_mass_are_none(energy):
    assert len(shoot(10, particle="mu-", energy=energy, theta=0.1).rows(13)) == 10


GEV = [
    ({"pt": {"flat": [0.5, 10]}, "eta": 3}, "gun: pt is at most 10 MeV."),
    ({"p": 5, "eta": 3}, "gun: p is at most 5 MeV."),
    ({"p": {"exponential": {"mean": 20}}, "eta": 3}, "gun: p is at most 140 MeV."),
    ({"pt": {"power": {"index": -3, "min": 1}}, "eta": 3}, "gun: pt is at most 31.6228 MeV."),
    ({"pt": {"gaussian": {"mean": 5, "sigma": 1}}, "eta": 3}, "gun: pt is at most 8 MeV."),
    ({"spectrum": {"shipped": "b_13TeV", "pt": [1, 20]}}, "gun: pt is at most 20 MeV."),
    (
        {"spectrum": {"axes": ["p", "eta"], "edges": [[0, 5, 100], [2, 5]], "contents": [[1], [2]]}},
        "gun: p is at most 100",
    ),
]


@pytest.mark.parametrize(("momentum", "message"), GEV)
def test_momenta_in_gev_are_noticed(momentum, message):
    said = [warning for warning in shoot(1, particle="pi+", **momentum).warnings if message in warning]
    assert len(said) == 1
    assert said[0].endswith("If that was meant in GeV: momenta and energies are in MeV, so 10 GeV is 10000.")


@pytest.mark.parametrize(
    "momentum",
    [{"p": 0}, {"p": 1000}, {"pt": {"power": {"index": -1.001, "min": 1}}}, {"pt": {"exponential": {"mean": 400}}}],
)
def test_momenta_in_mev_are_not(momentum):
    assert not shoot(1, particle="pi+", eta=3, **momentum).warnings
