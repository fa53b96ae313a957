"""Particles of one's own: shot by guns, simulated, and named in decay descriptors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gun_tools import ALARM, mass, shoot
from run_tools import command_line, hashes
from scipy import stats

import sqlamarr
from sqlamarr.candidates.build import Selection
from sqlamarr.candidates.ntuple import find_candidates
from sqlamarr.errors import DescriptorError, InputError
from sqlamarr.particles import descriptors

N1 = {"pid": 9900014, "mass": 2000.0, "ctau": 50.0}
STAU = {"pid": 1000015, "mass": 3e5, "antiparticle": "stau+"}
DECAY = "[B+ -> (N1 -> mu- pi+) mu+]CC"
HNL = {
    "decay": DECAY,
    "new_particles": {"N1": N1},
    "spectrum": {"shipped": "b_13TeV", "eta": [2, 5]},
    "origin": {"luminous_region": 2016},
}
AIM = {"p": {"flat": [20000, 100000]}, "eta": {"flat": [2, 5]}}


def test_mass_and_lifetime_are_those_that_are_asked_for():
    shot = shoot(20000, **HNL)
    rows = shot.rows(9900014)
    assert len(rows) == 20000
    assert np.allclose(mass(shot.momentum(rows)), 2000.0)
    flight = shot.place(rows, "end_vertex") - shot.place(rows)
    proper = flight[:, 3] * 2000.0 / shot.momentum(rows)[:, 3]
    assert stats.kstest(proper, stats.expon(scale=50.0).cdf).pvalue > ALARM
    assert not shot.warnings


def test_a_lifetime_is_a_decay_length_in_other_units():
    ctau = {"new_particles": {"N1": N1}}
    lifetime = {"new_particles": {"N1": {"pid": 9900014, "mass": 2000, "lifetime": 50.0 / 299.792458}}}
    one, other = (shoot(100, decay="N1 -> mu- pi+", **gun, **AIM) for gun in (ctau, lifetime))
    assert np.allclose(one.vertices["z"], other.vertices["z"], rtol=1e-12)


def test_a_width_gives_a_mass_that_varies():
    shot = shoot(2000, decay="N1 -> mu- pi+", new_particles={"N1": {"pid": 54, "mass": 2000, "width": 10}}, **AIM)
    masses = mass(shot.momentum(shot.rows(54)))
    assert 5 < np.subtract(*np.quantile(masses, [0.75, 0.25])) < 20  # a Breit-Wigner's is its width
    assert len(np.unique(shot.vertices["z"])) == 1


def test_what_no_chain_spells_out_decays_by_the_table_and_charge_conjugation_knows_it():
    table = {"N1": {"mu- pi+": 0.25, "mu+ pi-": 0.75}}
    shot = shoot(20000, particle="N1", new_particles={"N1": N1}, decays=table, charge_conjugate=True, **AIM)
    assert len(shot.rows(9900014)) == 20000
    assert stats.binomtest(len(shot.rows(13)), 20000, 0.25).pvalue > ALARM
    pair = shoot(1000, particle="stau-", new_particles={"stau-": STAU}, charge_conjugate=True, **AIM)
    assert 400 < len(pair.rows(1000015)) < 600
    assert len(pair.rows(1000015, both=True)) == 1000


def test_without_decays_it_stays_and_that_is_said_if_it_should_not():
    shot = shoot(10, particle="N1", new_particles={"N1": N1}, **AIM)
    assert len(shot.rows(9900014, status=1)) == 10
    assert "no decay is given for N1" in shot.warnings[0]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    path = tmp_path_factory.mktemp("hnl") / "out.db"
    sqlamarr.run("lhcb_run2", {"gun": HNL}, path, seed=1, events=2000)
    return path


def test_it_is_simulated_and_found_by_its_name(simulated):
    with sqlamarr.open(simulated) as db:
        query = "SELECT count(*), min(charge), max(charge) FROM MCParticles WHERE pid = 9900014"
        assert db.execute(query).fetchone() == (2000, 0, 0)
    found = find_candidates(simulated, DECAY, Selection(truth=True, tree_fit=True, masses=("N1",)))
    assert len(found["event_id"]) > 50
    assert set(found["N1_TRUEID"].tolist()) == {9900014}
    assert abs(np.median(found["N1_M"]) - 2000) < 5
    with pytest.raises(DescriptorError, match="There is no particle 'N2'. Did you mean N1, "):
        find_candidates(simulated, DECAY.replace("N1", "N2"))
    assert not descriptors.is_known("N1")  # outside that file


def test_a_file_and_a_report_of_its_decay(simulated, tmp_path):
    for command in (["tuple", str(simulated), DECAY, "--truth"], ["report", str(simulated), "--decay", DECAY]):
        out = tmp_path / ("x.html" if command[0] == "report" else "x.db")
        assert command_line(*command, "-o", out, "--quiet") == 0
        assert out.stat().st_size > 10000


def test_it_is_found_when_its_gun_is_the_signal_of_pileup(tmp_path):
    pileup = {
        "pileup": {"mu": 1.0, "signal": {"gun": HNL}, "collisions": {"gun": {"particle": "pi+", "events": 50, **AIM}}}
    }
    sqlamarr.run("lhcb_run2", pileup, tmp_path / "out.db", seed=1, events=300)
    assert len(find_candidates(tmp_path / "out.db", DECAY, Selection(truth=True))["event_id"]) > 5


def test_charged_ones_make_tracks(tmp_path):
    gun = {"particle": "stau-", "new_particles": {"stau-": STAU}, "charge_conjugate": True, "eta": 3, "p": 8e5}
    sqlamarr.run("lhcb_run2", {"gun": gun}, tmp_path / "out.db", seed=1, events=200)
    with sqlamarr.open(tmp_path / "out.db") as db:
        query = "SELECT pid, t.charge, count(*) FROM Tracks t JOIN MCParticles USING (mcparticle_id) GROUP BY 1, 2"
        charges = {(pid, charge): n for pid, charge, n in db.execute(query)}
    assert set(charges) == {(1000015, -1), (-1000015, 1)}
    assert min(charges.values()) > 50


def test_its_events_as_hepmc_give_the_same(tmp_path):
    (tmp_path / "hnl.yaml").write_text(json.dumps({"gun": HNL}))
    assert command_line("gun", tmp_path / "hnl.yaml", "-n", 20, "--seed", 3, "-o", tmp_path / "hnl.hepmc") == 0
    for source, out in (("hnl.yaml", "a.db"), ("hnl.hepmc", "b.db")):
        sqlamarr.run("lhcb_run2", tmp_path / source, tmp_path / out, seed=3, events=20)
    one, other = (hashes(tmp_path / name) for name in ("a.db", "b.db"))
    assert {name for name in one if one[name] != other[name]} <= {"DataSources", "GenEvents"}


REFUSED = [
    ({"B1": {**N1, "pid": 521}}, "new_particles.B1: the PDG code 521 already belongs to B[+]. Choose another code."),
    ({"B+": N1}, r"a particle 'B\+' exists already. Choose another name."),
    ({"N1": {**N1, "charge": 1}}, r"expected charge \+0, as the PDG code 9900014 requires, found \+1. Choose another"),
    (
        {"X": {**STAU, "antiparticle": "X"}},
        "a charged particle cannot be its own antiparticle: give 'antiparticle: NAME'",
    ),
    ({"X": {"pid": 1000015, "mass": 5}}, "a charged particle cannot be its own antiparticle"),
    ({"N1": {**N1, "width": 1}}, "expected at most one of ctau, lifetime and width, found ctau, width."),
    ({"N1": {**N1, "pid": 4900101}}, "4900101 does not determine a charge.*Codes of new particles are, e.g., 9900014"),
    ({"N 1": N1}, "expected a name that begins with a letter and has no spaces or brackets, found 'N 1'"),
    ({"N1": N1, "N2": N1}, "N2: the name 'N2' or the PDG code 9900014 is given to two particles."),
    ({"N1": {"pid": 9900014}}, "new_particles.N1: missing mass."),
    (
        {"N1": {**N1, "mass": 100}},
        "N1 -> mu- pi[+] is impossible: the products have a total mass of 245.23 MeV, but its own mass is 100",
    ),
    ({"N1": {**N1, "ctua": 1}}, "unknown key 'ctua'; known are: .*Did you mean 'ctau'"),
]


@pytest.mark.parametrize(("particles", "message"), REFUSED)
def test_a_particle_that_cannot_be(particles, message):
    with pytest.raises(InputError, match=message):
        shoot(1, **{**HNL, "new_particles": particles})


EXOTIC = [
    {"particle": "chi_c1(3872)"},
    {"decay": "B+ -> X(3872) K+"},
    {"decay": "B+ -> chi_c1(3872) K+"},
    {"particle": 9920443},
    {"particle": "B+", "decays": {"B+": {"Z_c(3900)+ K0": 1}}},
    {"particle": "B+", "stable": ["P_c(4312)+"]},
]


@pytest.mark.parametrize("gun", EXOTIC)
def test_a_message_about_a_particle_that_nobody_knows_says_how_to_define_it(gun):
    with pytest.raises(InputError, match=r"can be defined in 'new_particles' \(docs/gun\.md\)\.$"):
        shoot(1, **gun, p=50e3, eta=3)


def test_a_wrong_descriptor_says_nothing_of_new_particles():
    with pytest.raises(InputError, match=r"mu-\]CC'\.$"):
        shoot(1, decay="B0 K+", p=50e3, eta=3)


def test_an_exotic_hadron_is_defined_under_a_name_of_its_own():
    x = {"X3872": {"pid": 9930443, "mass": 3871.65, "width": 1.19}}
    shot = shoot(10, decay="B+ -> (X3872 -> J/psi pi+ pi-) K+", stable=["J/psi"], new_particles=x, p=50e3, eta=3)
    assert np.all(np.abs(shot.particles["m"][shot.rows(9930443)] - 3871.65) < 15 * 1.19)
