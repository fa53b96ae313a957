"""Inputs that are described in YAML, or in Python, instead of stored."""

from __future__ import annotations

import hashlib
import pickle

import numpy as np
import pytest
from run_tools import hashes

import sqlamarr
from sqlamarr.checking.yaml_schema import read_yaml
from sqlamarr.errors import InputError
from sqlamarr.events.event import EventRef, EventRun, event_numbers
from sqlamarr.output.provenance import read
from sqlamarr.sources.inputs import open_inputs
from sqlamarr.sources.kind import SOURCES, DescribedKind
from sqlamarr.sources.yaml_inputs import describe

GUN = {"particle": "mu-", "p": {"flat": [3000, 50000]}, "theta": {"flat": [0.02, 0.25]}}
TEXT = "gun:\n  particle: mu-\n  p: {flat: [3000, 50000]}\n  theta: {flat: [0.02, 0.25]}\n"


@pytest.fixture
def yaml_file(tmp_path):
    path = tmp_path / "gun.yaml"
    path.write_text(TEXT)
    return path


def columns(arguments, batch_size=10, **options):
    """A column of the particles of all events, by chunk."""
    source = open_inputs(arguments, **{"seed": 1, "max_events": 25, **options})
    return [chunk.parse().tables["GenParticles"]["px"] for chunk in source.chunks(batch_size)]


def test_a_yaml_file_and_the_same_dict_give_the_same_events(yaml_file):
    assert np.array_equal(np.concatenate(columns([str(yaml_file)])), np.concatenate(columns([{"gun": GUN}])))


@pytest.mark.parametrize("batch_size", [1, 7, 25, 100])
def test_the_events_do_not_depend_on_the_chunks(batch_size):
    expected = np.concatenate(columns([{"gun": GUN}], 5))
    assert np.array_equal(np.concatenate(columns([{"gun": GUN}], batch_size)), expected)


def test_another_seed_and_other_events_are_different_numbers():
    one, other = (np.concatenate(columns([{"gun": GUN}], seed=seed)) for seed in (1, 2))
    later = np.concatenate(columns([{"gun": GUN}], first_event=25))
    assert len(np.unique(np.concatenate([one, other, later]))) == 75


def test_jobs_with_a_first_event_are_parts_of_one_run():
    whole = np.concatenate(columns([{"gun": GUN}]))
    parts = [*columns([{"gun": GUN}], max_events=11), *columns([{"gun": GUN}], max_events=14, first_event=11)]
    assert np.array_equal(whole, np.concatenate(parts))


def test_a_chunk_is_small_when_pickled_splits_and_remembers():
    (chunk,) = open_inputs([{"gun": GUN}], seed=1, max_events=100).chunks(100)
    before = len(pickle.dumps(chunk))
    table = chunk.parse().tables["GenParticles"]
    assert len(pickle.dumps(chunk)) == before < 8000
    again = pickle.loads(pickle.dumps(chunk))
    halves = [half.parse().tables["GenParticles"]["pz"] for half in again.split()]
    assert np.array_equal(np.concatenate(halves), table["pz"])


def test_events_in_the_description_end_it_and_the_next_input_follows(example):
    source = open_inputs([{"gun": {**GUN, "events": 3}}, str(example), {"gun": {**GUN, "events": 2}}], seed=1)
    events = [event for chunk in source.chunks(100) for event in chunk.events]
    assert [event.ordinal for event in events] == list(range(45))
    assert [entry["events"] for entry in source.inputs()] == [3, 40, 2]


def test_the_provenance_has_the_file_the_checksum_and_the_description(yaml_file, tmp_path):
    sqlamarr.run("lhcb_run2", yaml_file, tmp_path / "out.db", seed=1, events=3)
    with sqlamarr.open(tmp_path / "out.db") as db:
        (entry,) = read(db)["inputs"]
        assert db.execute("SELECT datasource, format FROM DataSources").fetchall() == [(str(yaml_file), "particle gun")]
    assert entry["sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert (entry["bytes"], entry["events"], entry["description"]) == (len(TEXT), 3, {"gun": GUN})


def test_a_run_of_a_gun_does_not_depend_on_the_batch_size(tmp_path):
    for size in (1, 20):
        sqlamarr.run("lhcb_run2", {"gun": GUN}, tmp_path / f"{size}.db", seed=5, events=20, batch_size=size)
    assert hashes(tmp_path / "1.db") == hashes(tmp_path / "20.db")


def refused(content, **options):
    with pytest.raises(InputError) as caught:
        list(open_inputs([content], **{"seed": 1, "max_events": 1, **options}).chunks(10))
    return str(caught.value)


def test_an_endless_source_needs_a_number_of_events(yaml_file):
    message = refused(str(yaml_file), max_events=None)
    assert message == f"{yaml_file} has no end: give the number of events with -n N (events in Python) or " + (
        "'events: N' below 'gun:'."
    )


def test_an_endless_source_comes_last(example):
    with pytest.raises(InputError, match="the inputs after it would never be read. Set 'events: N' below 'gun:', or"):
        list(open_inputs([{"gun": GUN}, str(example)], seed=1, max_events=1).chunks(10))


def test_random_events_need_a_seed():
    assert "which needs a seed" in refused({"gun": GUN}, seed=None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"gum": GUN}, "unknown kind of source 'gum'; known kinds: gun"),
        ({"gum": GUN}, "Did you mean 'gun'?"),
        ({"gun": {**GUN, "partcle": 1}}, "gun: unknown key 'partcle'; known are: "),
        ({"gun": {**GUN, "partcle": 1}}, "Did you mean 'particle'?"),
        ({"gun": GUN, "more": 1}, "with one top-level key (gun"),
        ({}, "found {}."),
        ({"name": "x", "steps": []}, "Put a pipeline first on the command line."),
        ({"gun": {**GUN, "p": "5 GeV"}}, "'5 GeV' is not of type 'number', 'object'. It is: Momentum [MeV]."),
        ({"gun": {**GUN, "events": 0}}, "gun.events: 0 is less than the minimum of 1."),
    ],
)
def test_a_description_that_is_none(content, message):
    assert message in refused(content)


def test_a_key_that_stands_twice_is_refused(tmp_path):
    (tmp_path / "gun.yaml").write_text("gun:\n  particle: pi+\n  p: 5000\n  eta: 3\n  p: 6000\n")
    with pytest.raises(InputError, match=r"gun\.yaml, line 5: the key 'p' was already used in line 3; one of the two"):
        open_inputs([str(tmp_path / "gun.yaml")])


@pytest.mark.parametrize(
    ("text", "value"),
    [("10e3", 10000.0), ("1e6", 1e6), ("-1E-2", -0.01), (".5e+1", 5.0), ("5.e1", 50.0), ("+2.5e3", 2500.0)],
)
def test_numbers_with_an_exponent_are_those_of_yaml_1_2(text, value):
    found = read_yaml(f"p: {text}", "gun.yaml")["p"]
    assert isinstance(found, float)
    assert found == value


def test_what_is_no_number_with_an_exponent_stays_what_it_was():
    content = {"a": "e3", "b": "1e", "c": "1e3x", "d": 12, "e": "10e3", "f": "26e0b1", "g": 1.5}
    text = "{a: e3, b: 1e, c: 1e3x, d: 12, e: '10e3', f: 26e0b1, g: 1.5}"
    assert read_yaml(text, "gun.yaml") == content


def test_momenta_and_numbers_of_events_may_have_exponents(tmp_path):
    (tmp_path / "gun.yaml").write_text("gun: {particle: mu-, p: {flat: [10e3, 2e4]}, eta: 3, events: 2e1}")
    plain = {"gun": {"particle": "mu-", "p": {"flat": [10000, 20000]}, "eta": 3, "events": 20}}
    found = columns([str(tmp_path / "gun.yaml")], max_events=None)
    assert np.array_equal(np.concatenate(found), np.concatenate(columns([plain], max_events=None)))
    with pytest.raises(InputError, match=r"gun.events: 20.5 is not of type 'integer'"):
        open_inputs([{"gun": {**plain["gun"], "events": 20.5}}])


def test_a_file_that_is_no_yaml(tmp_path):
    (tmp_path / "gun.yaml").write_text("gun: [")
    with pytest.raises(
        InputError, match=r"gun\.yaml is not valid YAML, line 1, column 7: while parsing a flow node, expected"
    ):
        open_inputs([str(tmp_path / "gun.yaml")])
    (tmp_path / "gun.yaml").write_text("gun: {decay: [B0 -> K+ pi-]CC}")
    with pytest.raises(InputError, match="Decay descriptors must be quoted."):
        open_inputs([str(tmp_path / "gun.yaml")])


def test_every_key_of_every_kind_is_described():
    described = {name: kind.schema for name, kind in SOURCES.own() if isinstance(kind, DescribedKind)}
    assert set(described) == {"gun", "pileup", "pythia", "table"}
    for name_of_kind, schema in described.items():
        assert schema["additionalProperties"] is False
        for name, option in schema["properties"].items():
            assert option.get("description"), (name_of_kind, name)


def test_what_stands_below_the_key_is_kept():
    assert describe({"gun": GUN}).content == GUN


def test_what_python_hands_over_is_what_yaml_has(tmp_path):
    (tmp_path / "d.dec").write_text("Decay D0\n1.0 K- pi+ PHSP;\nEnddecay\nEnd\n")
    edges, contents = [3e3, 5e3, 9e3], [[1.0], [2.0]]
    plain = {
        "events": 5,
        "decay_file": str(tmp_path / "d.dec"),
        "origin": [0.0, 0.0, 1.0],
        "particles": [
            {"particle": ["mu-", "mu+"], "p": {"flat": [1e4, 2e4]}, "eta": 3, "displaced": [0, 0, 2]},
            {"particle": 13, "p": {"histogram": {"edges": edges, "contents": [1, 3]}}, "eta": {"flat": [2.0, 5.0]}},
            {"particle": "D0", "spectrum": {"axes": ["pt", "eta"], "edges": [edges, [2, 5]], "contents": contents}},
        ],
    }
    python = {
        "events": np.int64(5),
        "decay_file": tmp_path / "d.dec",
        "origin": np.array([0.0, 0.0, 1.0]),
        "particles": (
            {
                "particle": np.array(["mu-", "mu+"]),
                "p": {"flat": (1e4, 2e4)},
                "eta": np.int32(3),
                "displaced": (0, 0, 2),
            },
            {
                "particle": np.int64(13),
                "p": {"histogram": {"edges": np.array(edges), "contents": np.array([1, 3])}},
                "eta": {"flat": (np.float64(2), np.float32(5))},
            },
            {
                "particle": "D0",
                "spectrum": {"axes": ("pt", "eta"), "edges": (np.array(edges), (2, 5)), "contents": np.array(contents)},
            },
        ),
    }
    assert describe({"gun": python}).content == describe({"gun": plain}).content
    one, other = (next(open_inputs([{"gun": gun}], seed=1).chunks(5)).parse().tables for gun in (plain, python))
    for name in ("px", "py", "pz", "pid"):
        assert np.array_equal(one["GenParticles"][name], other["GenParticles"][name])


@pytest.mark.parametrize("name", ["pid", "event"])
def test_tables_in_memory_are_not_copied(name):
    data = {name: np.array([13])}
    assert describe({"table": {"data": data, "columns": {"px": "x"}}}).content["data"][name] is data[name]
    below = describe({"pileup": {"mu": 1, "collisions": {"table": {"data": data}}}}).content["collisions"]
    assert below["table"]["data"][name] is data[name]


def test_a_table_among_inputs_is_not_copied():
    data = {"pid": np.array([13])}
    assert describe({"pileup": {"mu": 1, "collisions": (data,)}}).content["collisions"][0]["pid"] is data["pid"]


def test_a_run_of_events_is_the_events_that_it_stands_for():
    first = EventRef(7_000_000, 7, 5_000_003, 2)
    run = EventRun(first, 4)
    events = tuple(EventRef((7 + i) * 1_000_000, 7 + i, 5_000_003, 2 + i) for i in range(4))
    assert tuple(run) == events and len(run) == 4 and run[0] == first and run[-1] == events[-1]
    assert tuple(run[1:3]) == events[1:3] and tuple(run[::2]) == events[::2] and tuple(run[4:]) == ()
    assert np.array_equal(event_numbers(run), event_numbers(events))
    assert event_numbers(run[:0]).shape == event_numbers(()).shape == (0, 4)
    assert pickle.loads(pickle.dumps(run)) == run
    with pytest.raises(IndexError):
        run[4]
