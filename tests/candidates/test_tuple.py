"""Candidates and n-tuples out of simulated decays."""

from __future__ import annotations

import itertools
import re
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from decay_events import jpsi_file, kstar_gamma_file, lambda_b_file, simulated
from hypothesis import given
from hypothesis import strategies as st
from run_tools import command_line

import sqlamarr
from sqlamarr.candidates import build, ntuple, variables
from sqlamarr.candidates.build import Selection
from sqlamarr.candidates.combine import Particles, combinations
from sqlamarr.candidates.ntuple import NTuple, find_candidates
from sqlamarr.candidates.variables import labels_of
from sqlamarr.candidates.write import write_tuple
from sqlamarr.errors import OutputError, SqlamarrError
from sqlamarr.exporters.format import own_suffixes
from sqlamarr.particles.descriptors import mass, parse
from sqlamarr.report.statistics import half_width

EXAMPLES = Path(__file__).parents[2] / "examples"
LB = "[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu-]CC"


@pytest.fixture(scope="module")
def lambda_b(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("lb"), lambda_b_file, 1000)


@pytest.fixture(scope="module")
def jpsi(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("jpsi"), jpsi_file, 500)


@pytest.fixture(scope="module")
def bs(tmp_path_factory):
    path = tmp_path_factory.mktemp("bs") / "out.db"
    sqlamarr.run("lhcb_run2", EXAMPLES / "gun_bs_jpsiphi.yaml", path, seed=1, events=150)
    return path


@pytest.fixture(scope="module")
def matched(lambda_b):
    return find_candidates(lambda_b, LB, Selection(truth=True, tree_fit=True, point_back=True, masses=("Lc",)))


# -- combinations -----------------------------------------------------------------------------------

GROUPS = st.lists(st.integers(0, 3), max_size=6).map(sorted)


@given(a=GROUPS, b=GROUPS, same=st.booleans())
def test_combinations_are_all_there_are(a, b, same):
    tracks = iter(range(1000))
    first = Particles(np.array(a, int), np.array([[next(tracks)] for _ in a], int).reshape(-1, 1))
    second = Particles(np.array(b, int), np.array([[next(tracks)] for _ in b], int).reshape(-1, 1))
    found = combinations([first, first, second], [None, 0 if same else None, None])
    expected = [
        (i, j, k)
        for i, j, k in itertools.product(range(len(a)), range(len(a)), range(len(b)))
        if a[i] == a[j] == b[k] and (i < j if same else i != j)
    ]
    assert sorted(map(tuple, found)) == sorted(expected)


def test_all_combinations_of_a_real_event(reference):
    """Against a plain loop over the tracks of every event."""
    found = find_candidates(reference[0], "[D+ -> K- pi+ pi+]CC", Selection(where="Dplus_M < 1500"))
    with sqlamarr.open(reference[0]) as db:
        rows = db.execute("SELECT event_id, track_id, charge FROM Tracks WHERE type = 3").fetchall()
    events = {}
    for event, track, charge in rows:
        events.setdefault(event, {1: [], -1: []})[charge].append(track)
    everything = find_candidates(reference[0], "[D+ -> K- pi+ pi+]CC", Selection(cuts={"Kminus": "PT > 800"}))
    expected = set()
    heavy = set(everything["Kminus_TRACK_Key"])
    for event in events.values():
        for sign in (1, -1):
            for kaon in set(event[-sign]) & heavy:
                expected |= {(kaon, *sorted(pair)) for pair in itertools.combinations(event[sign], 2)}
    keys = ("Kminus_TRACK_Key", "piplus_TRACK_Key", "piplus_1_TRACK_Key")
    assert set(zip(*(everything[k] for k in keys))) == expected
    assert len(everything["event_id"]) == len(expected)
    assert (found["Dplus_M"] < 1500).all()


def test_numbers_of_candidates(reference):
    found = find_candidates(reference[0], "phi(1020) -> K+ K-", Selection(where="phi_M < 1030"))
    for event in np.unique(found["event_id"]):
        own = found["event_id"] == event
        assert found["nCandidate"][own].tolist() == list(range(own.sum()))
        assert (found["totCandidates"][own] == own.sum()).all()


def test_a_decay_that_is_its_own_conjugate_is_found_once(jpsi):
    plain = find_candidates(jpsi, "J/psi(1S) -> mu+ mu-")
    both = find_candidates(jpsi, "[J/psi(1S) -> mu+ mu-]CC")
    assert len(plain["event_id"]) == len(both["event_id"]) > 100


@pytest.mark.parametrize(
    ("descriptor", "alone"),
    [("[B_s0 -> (J/psi(1S) -> mu+ mu-) (phi(1020) -> K+ K-)]CC", True),
     ("[B0 -> (K*(892)0 -> K+ pi-) (K*(892)~0 -> K- pi+)]CC", True),
     ("[psi(3770) -> (D0 -> K- K+) (D~0 -> pi+ pi-)]CC", True),
     ("[B0 -> (K*(892)0 -> K+ pi-) pi+ pi-]CC", False),
     ("[D*(2010)+ -> (D0 -> K- K+) pi+]CC", False)],
)  # fmt: skip
def test_a_candidate_that_is_its_own_conjugate_is_there_once(bs, descriptor, alone):
    """As B_s0 and as B_s~0 it is made of the same tracks, taken for the same: only the truth knows which it was."""
    with sqlamarr.open(bs) as db:
        everything = NTuple(db, descriptor, Selection())
        assert len(everything.builders) == (1 if alone else 2)
        assert len(NTuple(db, descriptor, Selection(truth=True)).builders) == 2


def test_candidates_of_a_self_conjugate_final_state(bs):
    decay = "B_s0 -> (J/psi(1S) -> mu+ mu-) (phi(1020) -> K+ K-)"
    found = find_candidates(bs, f"[{decay}]CC")
    keys = np.stack([found[name] for name in found if name.endswith("_TRACK_Key")], axis=1)
    assert len(np.unique(keys, axis=0)) == len(keys) > 30
    assert set(found["B_s0_ID"]) == {531}
    true = find_candidates(bs, f"[{decay}]CC", Selection(truth=True))
    assert set(true["B_s0_ID"]) == {531, -531}
    assert (true["B_s0_ID"] == true["B_s0_TRUEID"]).all()


def test_fits_that_run_away_are_said_and_print_nothing(bs):
    """Of wrong combinations, whose masses no vertex can make: warnings of numpy would fail here."""
    decay = "[B_s0 -> (J/psi(1S) -> mu+ mu-) (phi(1020) -> K+ K-)]CC"
    found = find_candidates(bs, decay, Selection(tree_fit=True, point_back=True, masses=("Jpsi",)))
    failed = found["B_s0_DTF_STATUS"] == 1
    assert 0 < failed.sum() < len(failed)
    assert (np.isnan(found["B_s0_DTF_M"]) == failed).all()


def test_combinations_of_the_wrong_sign_are_called_so(lambda_b, tmp_path, capsys):
    decay = "[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu+]CC"
    assert command_line("tuple", lambda_b, decay, "-o", tmp_path / "ws.db") == 0
    assert "Note: Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu+ does not conserve charge" in capsys.readouterr().out
    assert command_line("tuple", lambda_b, LB, "-o", tmp_path / "rs.db") == 0
    assert "Note" not in capsys.readouterr().out


def test_pieces_do_not_matter(lambda_b, matched, monkeypatch):
    monkeypatch.setattr(ntuple, "EVENTS", 37)
    small = find_candidates(lambda_b, LB, Selection(truth=True, tree_fit=True, point_back=True, masses=("Lc",)))
    for name, values in matched.items():
        assert np.allclose(small[name], values, rtol=1e-9, atol=1e-12, equal_nan=True), name


@pytest.mark.parametrize("at_once", [700, 1])
def test_many_combinations_are_made_a_few_events_at_a_time(reference, monkeypatch, at_once):
    whole = find_candidates(reference[0], "phi(1020) -> K+ K-")
    assert len(whole["phi_M"]) > 700
    monkeypatch.setattr(ntuple, "AT_ONCE", at_once)
    assert find_candidates(reference[0], "phi(1020) -> K+ K-")["phi_M"] == pytest.approx(whole["phi_M"], nan_ok=True)


def test_too_many_combinations_are_refused_before_they_are_made(reference, monkeypatch, tmp_path, capsys):
    """Four tracks without cuts: their number goes with its fourth power."""
    decay = "[B_s0 -> (J/psi(1S) -> mu+ mu-) (phi(1020) -> K+ K-)]CC"
    fitted = []
    monkeypatch.setattr(build, "fit", lambda *a, _fit=build.fit, **k: fitted.append(len(a[1][0])) or _fit(*a, **k))
    arguments = ("tuple", reference[0], decay, "-o", tmp_path / "bs.db")
    assert command_line(*arguments, "--max-combinations", 20_000) == 1
    message = capsys.readouterr().err
    assert re.search(
        r"Error: B_s0 has about [\d,]+ combinations of its daughters in the file, expected at most 20,000\. Cut on "
        r"the particles before .*\(--cut 'muplus: PT > 500', .*--max-combinations N\)",
        message,
    ), message
    assert list(tmp_path.iterdir()) == []
    assert sum(fitted) < 20_000
    cuts = ("--cut", "Jpsi: M BETWEEN 3000 AND 3200", "--cut", "phi: M < 1050")
    assert command_line(*arguments, *cuts, "--max-combinations", 20_000) == 0


def test_combinations_are_counted_through_the_file(reference, monkeypatch):
    """The limit is that of the file, however it is split."""
    count = len(find_candidates(reference[0], "phi(1020) -> K+ K-")["phi_M"])
    monkeypatch.setattr(ntuple, "EVENTS", 4)
    assert len(find_candidates(reference[0], "phi(1020) -> K+ K-", Selection(max_combinations=count))["phi_M"]) == count
    with pytest.raises(SqlamarrError, match=r"phi has about [\d,]+ combinations .* in the first \d+ of 40 events"):
        find_candidates(reference[0], "phi(1020) -> K+ K-", Selection(max_combinations=count // 2))


def test_far_too_many_combinations_are_known_from_the_first_events(reference, monkeypatch):
    count = len(find_candidates(reference[0], "phi(1020) -> K+ K-")["phi_M"])
    monkeypatch.setattr(ntuple, "EVENTS", 4)
    monkeypatch.setattr(ntuple, "ENOUGH", 12)
    with pytest.raises(SqlamarrError, match=r"in the first 12 of 40 events, about [\d,]+ in all, expected at most"):
        find_candidates(reference[0], "phi(1020) -> K+ K-", Selection(max_combinations=count // 2))


def test_the_number_of_combinations_of_equal_particles_is_known_before(reference):
    """Two pions in both orders are one combination, in the number that decides too."""
    count = len(find_candidates(reference[0], "D+ -> K- pi+ pi+")["Dplus_M"])
    for limit, fits in ((count * 5 // 4, True), (count // 4, False)):
        with nullcontext() if fits else pytest.raises(SqlamarrError, match="Dplus has about"):
            find_candidates(reference[0], "D+ -> K- pi+ pi+", Selection(max_combinations=limit))


# -- what the columns hold --------------------------------------------------------------------------


def test_truth_matched_candidates_are_what_they_are_called(matched):
    found = matched
    assert 100 < len(found["event_id"]) < 1000
    assert (found["Lb_TRUEID"] == 5122).all()
    assert (found["Lc_TRUEID"] == 4122).all()
    assert (found["Lc_MC_MOTHER_ID"] == 5122).all()
    assert (found["Kminus_MC_GD_MOTHER_ID"] == 5122).all()
    assert (found["pplus_ID"] == found["pplus_TRUEID"]).all()
    assert found["Lc_TRUEENDVERTEX_Z"] == pytest.approx(found["piplus_TRUEORIGINVERTEX_Z"])
    assert np.median(np.abs(found["Lb_TRUEP_Z"] / found["Lb_PZ"] - 1)) < 0.01


def test_masses_and_vertices_are_near_the_truth(matched):
    assert np.median(matched["Lc_M"]) == pytest.approx(mass(4122), abs=2)
    assert np.median(matched["Lb_M"]) == pytest.approx(mass(5122), abs=5)
    assert matched["Lc_DTF_M"] == pytest.approx(mass(4122), abs=1e-3)
    assert np.median(np.abs(matched["Lc_ENDVERTEX_Z"] - matched["Lc_TRUEENDVERTEX_Z"])) < 0.5
    assert set(matched["Lb_ENDVERTEX_NDOF"]) == {1}
    assert set(matched["Lc_ENDVERTEX_NDOF"]) == {3}
    assert set(matched["Lb_DTF_NDOF"]) == {7}


def test_flight_and_direction(matched):
    found = matched
    distance = np.sqrt(sum((found[f"Lb_ENDVERTEX_{a}"] - found[f"Lb_BPV{a}"]) ** 2 for a in "XYZ"))
    assert found["Lb_BPVFD"] == pytest.approx(distance)
    assert np.median(found["Lb_BPVFDCHI2"]) > 100
    assert np.median(found["Lb_BPVDIRA"]) > 0.9999
    assert (found["Lb_BPVCORRM"] >= found["Lb_M"]).all()
    truth = np.sqrt(sum(found[f"Lb_TRUEP_{a}"] ** 2 for a in "XYZ"))
    flown = found["Lb_TRUEENDVERTEX_Z"] - found["Lb_TRUEORIGINVERTEX_Z"]
    lifetime = flown / found["Lb_TRUEP_Z"] * mass(5122) / 299.792458
    assert (truth > 0).all()
    assert np.median(np.abs(found["Lb_BPVLTIME"] - lifetime)) < 1e-4  # ns


def test_candidates_of_others_are_not_called_signal(lambda_b):
    swapped_decay = "[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) pi-]CC"
    swapped = find_candidates(lambda_b, swapped_decay)
    assert len(find_candidates(lambda_b, swapped_decay, Selection(truth=True))["Lb_M"]) == 0
    assert len(swapped["event_id"]) > 50
    assert set(np.unique(swapped["piminus_TRUEID"])) <= {13, -321, 211, 2212}  # the last in conjugates


def test_truth_matched_are_among_all(lambda_b, matched):
    everything = find_candidates(lambda_b, LB)
    right = (everything["Lb_TRUEID"] == 5122) & (everything["Lc_TRUEID"] == 4122)
    for name in ("pplus", "Kminus", "piplus", "muminus"):
        right &= everything[f"{name}_TRUEID"] == everything[f"{name}_ID"]
    assert everything["Lb_M"][right] == pytest.approx(matched["Lb_M"])


@pytest.fixture(scope="module")
def photons(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("photons"), kstar_gamma_file, 1500)


def test_photons_take_part_in_decays(photons):
    found = find_candidates(photons, "[B0 -> (K*(892)0 -> K+ pi-) gamma]CC", Selection(truth=True))
    assert len(found["B0_M"]) > 50
    assert (found["gamma_TRUEID"] == 22).all()
    assert np.median(found["B0_M"]) == pytest.approx(mass(511), abs=60)
    pulls = (found["B0_M"] - mass(511)) / found["B0_MERR"]
    assert 0.7 < half_width(pulls) < 1.6
    assert set(found["B0_ENDVERTEX_NDOF"]) == {1}


def test_neutral_pions_have_a_mass_and_no_vertex(photons):
    found = find_candidates(photons, "pi0 -> gamma gamma", Selection(truth=True, cuts={"gamma": "CALO_Type = 1"}))
    assert len(found["pi0_M"]) > 50
    assert np.median(found["pi0_M"]) == pytest.approx(mass(111), abs=8)
    assert (found["gamma_CALO_Key"] != found["gamma_1_CALO_Key"]).all()
    assert np.isnan(found["pi0_ENDVERTEX_CHI2"]).all()
    assert np.isnan(found["pi0_BPVIPCHI2"]).all()
    fixed = find_candidates(photons, "pi0 -> gamma gamma", Selection(truth=True, tree_fit=True, masses=("pi0",)))
    good = fixed["pi0_DTF_STATUS"] == 0
    assert fixed["pi0_DTF_M"][good] == pytest.approx(mass(111), abs=1e-2)


# -- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("descriptor", "labels"),
    [(LB, ["Lb", "Lc", "pplus", "Kminus", "piplus", "muminus"]),
     ("B+ -> (J/psi(1S) -> mu+ mu-) K+", ["Bplus", "Jpsi", "muplus", "muminus", "Kplus"]),
     ("[D+ -> K- pi+ pi+]CC", ["Dplus", "Kminus", "piplus", "piplus_1"]),
     ("B0 -> (K*(892)0 -> K+ pi-) gamma", ["B0", "Kst892_0", "Kplus", "piminus", "gamma"]),
     ("Lambda_b~0 -> p~- ${slow}pi+", ["Lb", "pbarminus", "slow"])],
)  # fmt: skip
def test_labels(descriptor, labels):
    assert labels_of(parse(descriptor).decay) == labels


def test_only_marked_particles_have_columns(lambda_b):
    found = find_candidates(lambda_b, "[Lambda_b0 -> ^(Lambda_c+ -> p+ K- pi+) mu-]CC", Selection(truth=True))
    assert {name.split("_")[0] for name in found if "_" in name and name != "event_id"} == {"Lb", "Lc"}


# -- files and the command --------------------------------------------------------------------------


def test_an_sqlite_ntuple_knows_its_units_and_its_origin(lambda_b, matched, tmp_path, capsys):
    path = tmp_path / "lb.db"
    assert command_line("tuple", lambda_b, LB, "--truth", "--pv", "--mass", "Lc", "-o", path) == 0
    printed = capsys.readouterr().out
    assert f"{len(matched['event_id'])} candidates of {LB}" in printed
    with sqlamarr.open(path) as db:
        assert db.arrays("SELECT Lb_M FROM DecayTree")["Lb_M"] == pytest.approx(matched["Lb_M"])
        (sql,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'DecayTree'").fetchone()
        assert '"Lb_M" REAL, -- mass; of final-state particles that of the hypothesis [MeV]' in sql
        assert db.execute("SELECT value FROM Provenance WHERE key = 'tuple'").fetchone()
    assert command_line("verify", path) == 0
    assert ", 4 tables, every checksum agrees" in capsys.readouterr().out
    with sqlamarr.Database(path) as db:
        db.execute("UPDATE DecayTree SET Lb_M = 0")
    text = sqlamarr.verify(path).text()
    assert "DecayTree, events 0 to 999: expected" in text
    assert "make it again with 'sqlamarr tuple'" in text
    assert command_line("tuple", lambda_b, LB, "-o", path) == 1
    assert "exists" in capsys.readouterr().err


def test_cuts_in_sql(lambda_b, tmp_path, capsys):
    path = tmp_path / "lb.db"
    cuts = [
        f"--cut={text}"
        for text in ("muminus:PT > 1000 AND ProbNNmu > 0.5", "Lc: M BETWEEN 2270 AND 2300", "muminus:P>5000")
    ]
    where = ("--where", "Lb_ENDVERTEX_CHI2 < 4")
    assert command_line("tuple", lambda_b, LB, *cuts, *where, "-o", path) == 0
    with sqlamarr.open(path) as db:
        found = db.arrays("SELECT * FROM DecayTree")
    assert len(found["Lb_M"]) > 20
    assert found["muminus_PT"].min() > 1000
    assert found["muminus_P"].min() > 5000
    assert found["muminus_ProbNNmu"].min() > 0.5
    assert np.abs(found["Lc_M"] - 2285).max() < 15
    assert found["Lb_ENDVERTEX_CHI2"].max() < 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("Lambda_b -> p+ K-",), "There is no particle 'Lambda_b'. Did you mean"),
     ((LB, "--cut", "mu:PT > 1"), "no particle of the decay is called 'mu'; there are Lb, Lc, pplus"),
     ((LB, "--cut", "muminus:pt2 > 1"), "--cut muminus: 'pt2 > 1': no such column: pt2"),
     ((LB, "--where", "Lb_M >"), "--where: 'Lb_M >': .*syntax error"),
     ((LB, "--mass", "muminus"), "no decaying particle is called 'muminus'; there are Lb, Lc"),
     ((LB, "--tracks", "velo"), "'velo' is not one of long, upstream, downstream"),
     (("[Lambda_b0 -> (Lambda_c+ -> p+ K- pi+) mu- nu_mu~]CC",), "nu_mu~ leaves neither a track .* leave it out"),
     (("J/psi(1S) -> mu+ mu+", "--truth"), r"mu\+ mu\+ does not conserve charge, \+0 becomes \+2, so none is true"),
     (("D0 -> KS0 pi0",), r"KS0 leaves neither .* write what it decays to, \(KS0 -> \.\.\.\)"),
     ((LB, "--cut", "PT > 3"), "expected LABEL:SQL, found 'PT > 3'")],
)  # fmt: skip
def test_what_is_wrong_is_said(lambda_b, tmp_path, capsys, arguments, message):
    assert command_line("tuple", lambda_b, *arguments, "-o", tmp_path / "x.db") in (1, 2)
    found = capsys.readouterr().err
    assert re.search(message, found), found
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused(lambda_b, tmp_path):
    suffixes = ", ".join([*own_suffixes(takes_tables=True), ".db"])
    with pytest.raises(SqlamarrError, match=re.escape(f"expected a name ending in one of {suffixes}")):
        write_tuple(lambda_b, LB, tmp_path / "lb.txt")


def test_a_file_without_tracks_is_refused(make_pipeline, example, tmp_path):
    pipeline = make_pipeline("name: t\nsteps:\n  - select_particles: {}\noutput: {tables: [MCParticles]}\n")
    sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=2)
    with pytest.raises(OutputError, match="has no table Tracks, TrackStates, .*decay candidates need"):
        find_candidates(tmp_path / "out.db", LB)


@pytest.mark.parametrize("suffix", ["root", "parquet"])
def test_root_and_parquet_hold_the_same(jpsi, tmp_path, suffix):
    decay, selection = "J/psi(1S) -> mu+ mu-", Selection(truth=True)
    expected = find_candidates(jpsi, decay, selection)
    path = tmp_path / f"jpsi.{suffix}"
    assert write_tuple(jpsi, decay, path, selection).candidates == len(expected["Jpsi_M"])
    if suffix == "root":
        tree = pytest.importorskip("uproot").open(path)["DecayTree"]
        assert tree["Jpsi_MERR"].title == "uncertainty of the mass [MeV]"
        found = tree.arrays(list(expected), library="np")
    else:
        table = pytest.importorskip("pyarrow.parquet").read_table(path)
        found = {name: np.array(table[name], dtype=float) for name in expected}
    for name, values in expected.items():
        assert np.array_equal(found[name], values, equal_nan=True), name
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_every_variable_is_documented(matched):
    text = (Path(__file__).parents[2] / "docs" / "tuples.md").read_text()
    for table in (
        variables.OF_ALL,
        variables.OF_TRACKS,
        variables.OF_PHOTONS,
        variables.OF_DECAYS,
        variables.OF_TREE_FIT_HEAD,
    ):
        for name, (unit, meaning) in table.items():
            assert f"| `{name}` | {unit} | {meaning} |" in text, name
    for column in matched:
        assert variables.describe(column, ["Lb", "Lc", "pplus", "Kminus", "piplus", "muminus"])[1]
