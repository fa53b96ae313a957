"""Decays of a particle gun against analytic results."""

from __future__ import annotations

import re
import signal
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import yaml
from gun_tools import ALARM, at_rest, mass, shoot
from scipy import stats

from sqlamarr.errors import InputError, SqlamarrError
from sqlamarr.particles import descriptors
from sqlamarr.particles.decay_tables import from_dec, shipped

N = 20000
MANY = 200000  # shows an error of 5 % in a width
AIM = {"p": {"flat": [5000, 200000]}, "theta": {"flat": [0.01, 0.3]}}
PT = {"pt": {"flat": [0, 20000]}, "eta": {"flat": [2, 5]}}
LB = "[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu- anti-nu_mu]CC"
BS = "[B_s0 -> (J/psi -> mu+ mu-) (phi -> K+ K-)]CC"
CHAINS = [
    LB,
    BS,
    "B0 -> (K*0 -> K+ pi-) gamma",
    "B+ -> (D*0 -> D0 pi0) pi+ pi+ pi-",
    "tau- -> pi- pi- pi+ pi0 nu_tau",
    "D*+ -> (D0 -> K- pi+) pi+",
    "B0 -> (rho0 -> pi+ pi-) (rho0 -> pi+ pi-) (K*0 -> K+ pi-)",
]


@pytest.mark.parametrize("chain", CHAINS)
def test_energy_and_momentum_are_conserved_at_every_vertex(chain):
    shot = shoot(3000, decay=chain, **PT)
    momenta = shot.momentum(np.arange(shot.particles.rows))
    total, incoming = np.zeros((2, shot.vertices.rows, 4))
    for sums, name, sign in ((total, "production_vertex", -1), (total, "end_vertex", 1), (incoming, "end_vertex", 1)):
        vertex = np.ma.filled(shot.particles[name], -1)
        at = np.searchsorted(shot.vertices["genvertex_id"], vertex[vertex >= 0])
        np.add.at(sums, at, sign * momenta[vertex >= 0])
    assert (np.abs(total) < 1e-9 * incoming[:, 3:]).all()
    assert (incoming[:, 3] > 0).all()


@pytest.mark.parametrize("chain", CHAINS)
def test_every_particle_is_on_its_mass_shell(chain):
    shot = shoot(3000, decay=chain, **PT)
    momenta = shot.momentum(np.arange(shot.particles.rows))
    off = np.abs(mass(momenta) ** 2 - shot.particles["m"] ** 2)
    assert (off < 1e-12 * momenta[:, 3] ** 2).all()


def test_the_momenta_of_a_decay_in_two_are_those_of_the_formula_and_isotropic():
    shot = shoot(N, decay="B0 -> K+ pi-", **AIM)
    rest = at_rest(shot.momentum(shot.rows(321)), shot.momentum(shot.rows(511)))
    m, a, b = (descriptors.mass(pid) for pid in (511, 321, 211))
    expected = np.sqrt((m**2 - (a + b) ** 2) * (m**2 - (a - b) ** 2)) / (2 * m)
    p = np.sqrt((rest[:, :3] ** 2).sum(axis=1))
    assert np.allclose(p, expected, rtol=1e-9)
    assert stats.kstest(rest[:, 2] / p, stats.uniform(-1, 2).cdf).pvalue > ALARM
    assert stats.kstest(np.arctan2(rest[:, 1], rest[:, 0]), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > ALARM


def test_the_dalitz_plot_of_three_bodies_is_flat():
    """Density constant in m12^2 and m23^2 within the boundary of the Review of Particle Physics, "Kinematics"."""
    shot = shoot(50000, decay="D0 -> K- pi+ pi0", stable=["pi0"], **AIM)
    k, pip, pi0 = (shot.momentum(shot.rows(pid)) for pid in (-321, 211, 111))
    x, y = mass(k + pip) ** 2, mass(pip + pi0) ** 2
    m, m1, m2, m3 = (descriptors.mass(pid) for pid in (421, 321, 211, 111))

    def limits(s):
        e2, e3 = (s - m1**2 + m2**2) / (2 * np.sqrt(s)), (m**2 - s - m3**2) / (2 * np.sqrt(s))
        p2, p3 = np.sqrt(np.maximum(e2**2 - m2**2, 0)), np.sqrt(np.maximum(e3**2 - m3**2, 0))
        return (e2 + e3) ** 2 - (p2 + p3) ** 2, (e2 + e3) ** 2 - (p2 - p3) ** 2

    low, high = limits(x)
    # Given x, y is flat between its limits; x itself follows their distance.
    assert stats.kstest((y - low) / (high - low), stats.uniform(0, 1).cdf).pvalue > ALARM
    grid = np.linspace((m1 + m2) ** 2, (m - m3) ** 2, 20001)
    middle = (grid[1:] + grid[:-1]) / 2
    lower, upper = limits(middle)
    cumulative = np.append(0, np.cumsum(upper - lower))
    assert stats.kstest(x, lambda v: np.interp(v, grid, cumulative / cumulative[-1])).pvalue > ALARM
    assert stats.spearmanr(x, (y - low) / (high - low)).pvalue > ALARM


def two_body(m, a, b):
    return np.sqrt(np.maximum((m**2 - (a + b) ** 2) * (m**2 - (a - b) ** 2), 0)) / (2 * m)


def test_four_bodies_are_distributed_as_phase_space_says():
    """dPhi4 in the masses of two pairs: p(M; m12, m34) p(m12) p(m34), by the recursion of phase space."""
    shot = shoot(40000, decay="D0 -> K- pi+ pi+ pi-", **AIM)
    k, minus = (shot.momentum(shot.rows(pid)) for pid in (-321, -211))
    one, other = (shot.momentum(shot.rows(211)[i::2]) for i in (0, 1))
    m, mk, mpi = (descriptors.mass(pid) for pid in (421, 321, 211))
    edges_x, edges_y = np.linspace(mk + mpi, m - 2 * mpi, 601), np.linspace(2 * mpi, m - mk - mpi, 601)
    x, y = ((e[1:] + e[:-1]) / 2 for e in (edges_x, edges_y))
    xx, yy = x[:, None], y[None, :]
    density = two_body(m, xx, yy) * two_body(xx, mk, mpi) * two_body(yy, mpi, mpi) * (xx + yy < m)
    for values, edges, axis in ((mass(k + one), edges_x, 1), (mass(other + minus), edges_y, 0)):
        cumulative = np.append(0, np.cumsum(density.sum(axis=axis)))
        assert stats.kstest(values, lambda v, e=edges, c=cumulative: np.interp(v, e, c / c[-1])).pvalue > ALARM


@pytest.mark.parametrize("pairs", [2, 3, 5])
def test_many_bodies_are_distributed_as_phase_space_says(pairs):
    """Mass of all but one of 2 n pions, from the recursion Phi_k(M) = int p(M; m, pi) Phi_(k-1)(m) dm."""
    shot = shoot(N if pairs < 5 else N // 4, decay="B0 -> " + " ".join(["pi+ pi-"] * pairs), **PT)
    m, pi = descriptors.mass(511), descriptors.mass(211)
    grid = np.linspace(0, m, 2001)
    volume = two_body(np.maximum(grid, 1e-9), pi, pi) * (grid > 2 * pi)
    for _ in range(3, 2 * pairs):
        step = two_body(np.maximum(grid[:, None], 1e-9), grid[None, :], pi) * (grid[:, None] > grid[None, :] + pi)
        volume = step @ volume
        volume /= volume.max()
    cumulative = np.append(0, np.cumsum((volume * two_body(m, grid, pi) * (grid < m - pi))[1:]))
    mother = shot.momentum(shot.rows(511))
    for pid, which in ((211, 0), (211, pairs - 1), (-211, 0), (-211, pairs - 1)):
        one = shot.momentum(shot.rows(pid)[which::pairs])
        values = mass(mother - one)
        edges = grid + (grid[1] - grid[0]) / 2
        assert stats.kstest(values, lambda v, e=edges: np.interp(v, e, cumulative / cumulative[-1])).pvalue > ALARM


@pytest.mark.parametrize(("pid", "chain"), [(531, BS), (421, "D0 -> K- pi+"), (310, "K_S0 -> pi+ pi-")])
def test_decay_times_are_exponential_and_flights_are_along_the_momentum(pid, chain):
    shot = shoot(MANY, decay=chain, **PT)
    rows = shot.rows(pid, both=True)
    momentum, flight = shot.momentum(rows), shot.place(rows, "end_vertex") - shot.place(rows)
    time = flight[:, 3] * mass(momentum) / momentum[:, 3]  # mm
    assert stats.kstest(time, stats.expon(0, descriptors.ctau(pid)).cdf).pvalue > ALARM
    assert np.allclose(flight[:, :3], flight[:, 3:] * momentum[:, :3] / momentum[:, 3:], rtol=1e-9, atol=1e-12)


def test_a_resonance_decays_where_it_is_made():
    shot = shoot(100, decay=BS, **PT)
    assert np.array_equal(shot.place(shot.rows(333)), shot.place(shot.rows(333), "end_vertex"))


def breit_wigner(m, m0, width):
    """Density in m of 1 / ((m^2 - m0^2)^2 + m0^2 width^2) in m^2."""
    return 2 * m / ((m**2 - m0**2) ** 2 + (m0 * width) ** 2)


def test_a_resonance_is_a_breit_wigner_times_phase_space():
    shot = shoot(MANY, decay="B0 -> (K*0 -> K+ pi-) gamma", **PT)
    m0, width, m = descriptors.mass(313), descriptors.width(313), descriptors.mass(511)
    edges = np.linspace(descriptors.mass(321) + descriptors.mass(211), m, 200001)
    x = (edges[1:] + edges[:-1]) / 2
    cumulative = np.append(0, np.cumsum(breit_wigner(x, m0, width) * two_body(m, x, 0.0)))
    values = shot.particles["m"][shot.rows(313)]
    assert stats.kstest(values, lambda v: np.interp(v, edges, cumulative / cumulative[-1])).pvalue > ALARM
    assert np.allclose(mass(shot.momentum(shot.rows(321)) + shot.momentum(shot.rows(-211))), values, rtol=1e-8)


def test_resonances_in_a_narrow_space_share_it():
    """Both rho0 of a D0 are far below their pole: the density is the product of both and of the momentum."""
    shot = shoot(N, decay="D0 -> (rho0 -> pi+ pi-) (rho0 -> pi+ pi-)", **PT)
    m0, width, m, pi = descriptors.mass(113), descriptors.width(113), descriptors.mass(421), descriptors.mass(211)
    edges = np.linspace(2 * pi, m - 2 * pi, 1501)
    x = (edges[1:] + edges[:-1]) / 2
    xx, yy = x[:, None], x[None, :]
    density = breit_wigner(xx, m0, width) * breit_wigner(yy, m0, width) * two_body(m, xx, yy) * (xx + yy < m)
    cumulative = np.append(0, np.cumsum(density.sum(axis=1)))
    for i in (0, 1):
        values = shot.particles["m"][shot.rows(113)[i::2]]
        assert stats.kstest(values, lambda v: np.interp(v, edges, cumulative / cumulative[-1])).pvalue > ALARM


def test_the_mass_of_a_first_resonance_is_a_breit_wigner_up_to_fifteen_widths():
    shot = shoot(MANY, decay="phi -> K+ K-", **PT)
    m0, width = descriptors.mass(333), descriptors.width(333)
    edges = np.linspace(2 * descriptors.mass(321), m0 + 15 * width, 100001)
    cumulative = np.append(0, np.cumsum(breit_wigner((edges[1:] + edges[:-1]) / 2, m0, width)))
    values = shot.particles["m"][shot.rows(333)]
    assert stats.kstest(values, lambda v: np.interp(v, edges, cumulative / cumulative[-1])).pvalue > ALARM


def test_statuses_are_those_of_lhcb():
    shot = shoot(50, decay=LB, **PT)
    status = {abs(pid): set() for pid in shot.particles["pid"].tolist()}
    for pid, value in zip(shot.particles["pid"].tolist(), shot.particles["status"].tolist()):
        status[abs(pid)].add(value)
    stable = {pid: {999} for pid in (13, 14, 2212, 321, 211)}
    assert status == {90: {4}, 5122: {889}, 4122: {777}, **stable}
    assert set(shoot(5, decay=LB, signal=False, **PT).particles["status"].tolist()) == {4, 888, 777, 999}
    assert set(shoot(5, particle="mu-", **PT).particles["status"].tolist()) == {4, 1}


def test_half_of_a_decay_with_cc_is_its_conjugate():
    shot = shoot(N, decay=LB, **PT)
    assert stats.binomtest(len(shot.rows(5122)), N, 0.5).pvalue > ALARM
    for pid in (5122, 4122, 13, -14, 2212, -321, 211):  # signs go together
        assert len(shot.rows(pid)) == len(shot.rows(5122))
    again = shoot(N, decay=LB[1:-3], charge_conjugate=True, **PT)
    assert np.array_equal(again.particles["pid"], shot.particles["pid"])


def test_one_of_several_decays_by_their_shares():
    shot = shoot(N, decay={"B0 -> K+ pi-": 3, "B0 -> pi+ pi-": 1}, **PT)
    assert stats.binomtest(len(shot.rows(321)), N, 0.75).pvalue > ALARM


def test_what_no_chain_spells_out_decays_by_the_shipped_table():
    shot = shoot(N, decay="B+ -> K+ pi0", **PT)
    pairs = np.count_nonzero(shot.particles["pid"] == 22) - N
    assert stats.binomtest(pairs, N, 0.98823 / (0.98823 + 0.01174)).pvalue > ALARM
    assert not shot.warnings


def test_every_shipped_decay_conserves_charge_and_is_possible():
    for key in shipped().channels:
        assert len(shoot(20, particle=int(key), charge_conjugate=True, **PT).rows(90)) == 20


RHO = {"rho+": "pi+ pi0", "rho-": "pi- pi0", "rho0": "pi+ pi-"}


def modes(table, key):
    """Fractions by daughters, rhos decayed: there is phi -> rho pi in some tables, phi -> pi pi pi in others."""
    pions = {descriptors.pid_of(rho): [*map(descriptors.pid_of, pair.split())] for rho, pair in RHO.items()}
    found = Counter()
    for channel in table.of(key):
        found[tuple(sorted(p for pid in channel.daughters for p in pions.get(pid, [pid])))] += channel.fraction
    return found


@pytest.mark.parametrize(("other", "tolerance"), [("DECAY_LHCB.DEC", 0.03), ("DECAY_BELLE2.DEC", 0.012)])
def test_shipped_branching_fractions_are_those_of_the_experiments(other, tolerance, tmp_path):
    """LHCb's are of 2011, when those of the D*0 were less well known."""
    table = files(pytest.importorskip("decaylanguage").data) / other
    if not table.is_file():
        pytest.skip(f"this version of decaylanguage has no {other}")
    text = table.read_text()
    names = yaml.safe_load((files("sqlamarr.particles") / "decays.yaml").read_text())
    blocks = [re.search(rf"^Decay {re.escape(name)}\s.*?^Enddecay", text, re.M | re.S)[0] for name in names]
    (tmp_path / "some.dec").write_text("\n".join([*blocks, "End"]))
    theirs = from_dec(tmp_path / "some.dec")
    for key in shipped().channels:
        found, expected = modes(shipped(), key), modes(theirs, key)
        assert all(abs(found[mode] - expected[mode]) < tolerance for mode in {*found, *expected}), key


def test_branching_fractions_of_a_description_win_and_are_scaled():
    table = {"D0": {"K- pi+": 0.03, "K- pi+ pi0": 0.09}, "pi0": {"e+ e- gamma": 1}}
    shot = shoot(N, particle="D0", decays=table, **PT)
    assert stats.binomtest(len(shot.rows(111)), N, 0.75).pvalue > ALARM
    assert len(shot.rows(11)) == len(shot.rows(111))
    assert shot.warnings == [
        "gun (described in Python): gun.decays: the branching fractions of D0 add up to 0.12 and are scaled to 1."
    ]


def test_stable_particles_and_those_without_a_table_stay():
    assert len(shoot(10, particle="K_S0", stable=["K_S0"], **PT).rows(310, status=1)) == 10
    shot = shoot(10, decay="B0 -> D- pi+", **PT)
    assert len(shot.rows(-411, status=999)) == 10
    assert "no decay is given for D-, so they are left undecayed." in shot.warnings[0]
    assert not shoot(10, decay="B0 -> D- pi+", stable=["D-"], **PT).warnings
    assert "pi0" in shoot(10, particle="pi0", shipped_decays=False, **PT).warnings[0]


def test_a_resonance_below_the_threshold_of_its_decay_lives_from_its_tail():
    shot = shoot(200, decay="B0 -> (f_0 -> K+ K-) K_S0", stable=["K_S0"], **PT)
    assert (shot.particles["m"][shot.rows(9010221)] > 2 * descriptors.mass(321)).all()


REFUSED = [
    ("B0 -> K+ pi+", "B0 -> K+ pi+ does not conserve charge: +0 becomes +2."),
    ("D0 -> B- pi+", "is impossible: the products have a total mass of 5418.98 MeV, but its own mass is 1864.84 MeV."),
    ("B0 -> K+ pi-=", "There is no particle 'pi-='. Did you mean"),
    (
        "B+ -> K+",
        "B+ -> K+ does not conserve energy and momentum: 5279.41 MeV become 493.68 MeV. A particle must decay to",
    ),
    ("B0 -> (D- -> K-) pi+", "D- -> K- does not conserve energy and momentum"),
    ("B0 K+ pi-", "cannot be understood: expected an arrow"),
]


@pytest.mark.parametrize(("decay", "message"), REFUSED)
def test_a_decay_that_cannot_be(decay, message):
    with pytest.raises(SqlamarrError) as caught:
        shoot(1, decay=decay, **PT)
    assert message in str(caught.value)


IMPROBABLE = [
    (
        "B0 -> " + " ".join(["(rho0 -> pi+ pi-)"] * 6),
        "511 to 6 particles",
        "1666667 trials",
        "4651.56",
        "1674.84",
        "5279.",
    ),
    ("Higgs0 -> " + " ".join(["pi+ pi-"] * 50), "25 to 100 particles", "100000 trials", "13957.0", "13957.0", "1251"),
]


@pytest.mark.parametrize(("decay", "what", "trials", "sum_of_masses", "least", "mass_of_mother"), IMPROBABLE)
def test_a_decay_too_improbable_for_hit_or_miss_is_an_error_soon(
    decay, what, trials, sum_of_masses, least, mass_of_mother
):
    start = time.perf_counter()
    with pytest.raises(SqlamarrError) as caught:
        shoot(2000, decay=decay, **PT)
    assert time.perf_counter() - start < 30  # about a second
    assert f"of PDG id {what}, which is too improbable: none of {trials} found" in str(caught.value)
    assert f"Their masses sum to {sum_of_masses}" in str(caught.value)
    assert f"(at least {least}" in str(caught.value)
    assert f"its mass is {mass_of_mother}" in str(caught.value)


def test_a_gun_that_takes_long_answers_signals():
    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, 2)
        with pytest.raises(KeyboardInterrupt):
            shoot(100_000, decay="B0 -> " + " ".join(["(rho0 -> pi+ pi-)"] * 5), **PT)  # minutes
        assert time.perf_counter() - start < 20
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(shoot(10, decay="B0 -> K+ pi-", **PT).rows(511)) == 10


def test_a_particle_may_become_another_of_its_mass():
    """As a K0 does."""
    shot = shoot(100, decay="B0 -> (K0 -> K_S0) gamma", stable=["K_S0"], **PT)
    assert len(shot.rows(310)) == 100
    assert not shot.warnings


def test_a_decay_without_its_baryon_is_said():
    """Searches look for such decays."""
    shot = shoot(10, decay="[Lambda_b0 -> K- pi+]CC", **PT)
    assert len(shot.rows(5122, both=True)) == 10
    said = "Lambda_b0 -> K- pi+ does not conserve the baryon number: +1 becomes +0. The decay is used as written."
    assert sum(said in warning for warning in shot.warnings) == 1
    assert not shoot(10, decay="B0 -> (Lambda_c~- -> p~- K+ pi-) p+ pi+ pi-", **PT).warnings


def test_decays_that_do_not_end():
    with pytest.raises(InputError, match=r"the decays never end: B0 -> anti-?B|the decays never end: B"):
        shoot(1, particle="B0", decays={"B0": {"anti-B0": 1}}, **PT)


DEC = Path(__file__).parents[1] / "data" / "example.dec"


def test_a_dec_file_gives_the_decays():
    pytest.importorskip("decaylanguage")
    table = from_dec(DEC)
    assert table.pid("B0sig") == 511
    shot = shoot(N, particle="B0sig", charge_conjugate=True, decay_file=str(DEC), **PT)
    assert stats.binomtest(len(shot.rows(511)), N, 0.5).pvalue > ALARM
    assert stats.binomtest(len(shot.rows(111)), N, 0.3).pvalue > ALARM
    assert len(shot.rows(413, both=True)) == len(shot.rows(421, both=True)) == N
    assert shot.warnings == ["decays use phase space only; EvtGen's models D_DALITZ, SVS, VSS are not used."]


def test_the_decay_file_of_lhcb_gives_what_a_gun_can_make_of_it():
    """It has particles without PDG codes, and much of what becomes hadrons in Pythia alone."""
    path = files(pytest.importorskip("decaylanguage").data) / "DECAY_LHCB.DEC"
    table = from_dec(path)
    assert modes(table, 443)[-11, 11] == pytest.approx(0.0594 / (1 - 0.48), rel=0.1)
    assert "DECAY_LHCB.DEC: 0.48 of the decays of J/psi(1S) are left out, and the rest" in table.notes[443][0]
    assert table.notes[443][0].endswith("main reason: partons must become hadrons, which takes a generator.")
    shot = shoot(100, particle="B+", decay_file=str(path), **PT)
    assert len(shot.rows(521)) == 100
    assert not any(descriptors.is_parton(pid) for pid in shot.particles["pid"].tolist())
    assert re.match(r"\.\.\. and \d+ more such notes on the decays of the chain\.", shot.warnings[-2])
    assert re.search(r"EvtGen's models .* and \d+ more are not used\.", shot.warnings[-1])
    assert "chi_c0(1P) -> K- p+ Lambda0 does not conserve the baryon number" in shot.warnings[0]  # for anti-Lambda0


def test_a_misspelt_daughter_of_a_dec_file_is_told_when_its_mother_decays(tmp_path):
    pytest.importorskip("decaylanguage")
    (tmp_path / "my.dec").write_text("Decay D0\n0.9 K- pi+ PHSP;\n0.1 K- pi+ pj0 PHSP;\nEnddecay\nEnd\n")
    options = {"decay_file": str(tmp_path / "my.dec"), **PT}
    told = shoot(10, particle="D0", **options).warnings[0]
    assert "my.dec: 0.1 of the decays of D0 are left out" in told
    assert "There is no particle 'pj0'. Did you mean pi0" in told
    assert not shoot(10, particle="pi0", **options).warnings


SIGNAL_DEC = "Alias B0sig B0\nAlias MyD- D-\nDecay B0sig\n1.0 {} PHSP;\nEnddecay\nEnd\n"


def test_a_dec_file_that_leaves_nothing_of_the_decays_of_what_is_shot(tmp_path):
    pytest.importorskip("decaylanguage")
    (tmp_path / "my.dec").write_text(SIGNAL_DEC.format("K+ pj-"))
    options = {"decay_file": str(tmp_path / "my.dec"), **PT}
    with pytest.raises(
        InputError, match=r"my\.dec: none of the decays of B0sig can .* 'pj-'\. Did you mean .*pi-.*'stable'"
    ):
        shoot(1, particle="B0sig", **options)
    assert len(shoot(10, particle="B0sig", stable=["B0sig"], **options).rows(511, status=1)) == 10
    (tmp_path / "my.dec").write_text(SIGNAL_DEC.format("MyD pi+"))
    with pytest.raises(InputError, match=r"There is no particle 'MyD'\. Did you mean MyD-"):
        shoot(1, particle="B0sig", **options)
    (tmp_path / "my.dec").write_text("Decay D0\n1.0 K- pi~ PHSP;\nEnddecay\nEnd\n")
    warnings = shoot(1, decay="B+ -> anti-D0 pi+", **options).warnings
    assert "my.dec: none of the decays of D0 can be generated: There is no particle 'pi~'." in warnings[0]
    assert "no decay is given for D~0" in warnings[1]


def test_what_does_not_decay_is_called_by_its_alias(tmp_path):
    pytest.importorskip("decaylanguage")
    (tmp_path / "my.dec").write_text(SIGNAL_DEC.format("MyD- pi+"))
    warnings = shoot(1, particle="B0sig", decay_file=str(tmp_path / "my.dec"), **PT).warnings
    assert "no decay is given for MyD-, so they are left undecayed." in warnings[0]


@pytest.mark.parametrize("text", ["", "End\n", "# nothing\n", "Alias B0sig B0\nEnd\n"])
def test_a_dec_file_without_decays(tmp_path, text):
    pytest.importorskip("decaylanguage")
    (tmp_path / "none.dec").write_text(text)
    with pytest.raises(InputError, match=r"none\.dec has no decays: expected blocks 'Decay NAME"):
        shoot(1, particle="B0", decay_file=str(tmp_path / "none.dec"), **PT)


def test_a_dec_file_that_is_none(tmp_path):
    pytest.importorskip("decaylanguage")
    (tmp_path / "bad.dec").write_text("Decay B0\n1.0 K+ pi- ;\n")
    with pytest.raises(InputError, match=r"bad\.dec cannot be read as an EvtGen decay file: "):
        shoot(1, particle="B0", decay_file=str(tmp_path / "bad.dec"), **PT)
