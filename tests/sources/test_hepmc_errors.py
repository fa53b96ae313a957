"""Malformed input: what is said, that only the event concerned is lost, and that nothing is made up."""

from __future__ import annotations

import random

import pytest
from hepmc_tools import EVENT2, EVENT3, FOOT2, FOOT3, HEAD2, HEAD3, hepmc2, hepmc3, plain, read_text, rows

from sqlamarr.errors import DataError, InputError
from sqlamarr.sources.hepmc.ascii import RecordPlace, parse
from sqlamarr.sources.inputs import open_inputs

DAMAGE = {
    "word for a number": ("P 3 23 1 ", "P 3 23 one ", 'expected a number for px, found "one"'),
    "word for an integer": ("P 3 23 1 ", "P 3 Z 1 ", 'expected an integer for the PDG code, found "Z"'),
    "real for an integer": ("P 3 23 1 ", "P 3 23.5 1 ", 'expected an integer for the PDG code, found "23.5"'),
    "too few fields": ("P 5 211 1 2 3 4 0.14 1 0 0 0 0", "P 5 211 1 2", "Too few fields: expected a number for pz"),
    "too many fields": ("P 5 211 1 2 3 4 0.14 1 0 0 0 0", "P 5 211 1 2 3 4 0.14 1 0 0 0 0 9", "Too many fields"),
    "NaN": ("P 3 23 1 ", "P 3 23 nan ", "Px must be a finite number, found NaN"),
    "infinity": ("P 3 23 1 ", "P 3 23 -inf ", "Px must be a finite number, found infinity"),
    "overflow": ("P 3 23 1 ", "P 3 23 1e999 ", "Px must be a finite number, found infinity"),
    "hexadecimal": ("P 3 23 1 ", "P 3 23 0x10 ", 'expected a number for px, found "0x10"'),
    "NUL byte": ("P 3 23 1 ", "P 3 23 1\0 ", 'expected a number for px, found "1?"'),
    "unknown vertex": ("91.2 2 0 0 -2 1", "91.2 2 0 0 -7 1", "Particle 3 ends in vertex -7, which the record does"),
    "vertex twice": ("V -2 3", "V -1 3", "Vertex -1 appears twice"),
    "positive vertex": ("V -2 3", "V 2 3", "The barcode of a vertex must be negative"),
    "too many vertices": ("101 0 2 1", "101 0 1 1", "The E line announces 1 vertices, found 2"),
    "too few vertices": ("101 0 2 1", "101 0 3 1", "The E line announces 3 vertices, found 2"),
    "missing particle": ("P 4 -211 -1 -2 -3 4 0.14 1 0 0 0 0\n", "", "Vertex -2 announces 2 particles, found 1"),
    "negative count": ("0 2 0\nP 5", "0 -2 0\nP 5", "number of outgoing particles must lie between 0 and"),
    "absurd count": (" 0 2 0.5 1.5", " 0 999999999999 0.5 1.5", "The number of weights must lie between 0 and"),
    "unknown kind of line": ("C 12.5", "X 12.5", "An unknown kind of line; expected one of E, N, U, C, H, F, V, P"),
    "unknown unit": ("U GEV CM", "U TEV CM", 'The unit of momentum must be MEV or GEV, found "TEV"'),
    "units too late": ("V -2 3", "U MEV MM\nV -2 3", "Units must be stated before the first vertex"),
    "cycle": ("0.14 1 0 0 0 0\nP 4", "0.14 1 0 0 -1 0\nP 4", "A particle is its own ancestor"),
    "particle first": ("V -1 0 1 2 3 4 2 1 0\n", "", "A particle before the first vertex"),
}
DAMAGE3 = {
    "particles out of order": ("P 3 -1", "P 4 -1", "Expected particle 3, found 4"),
    "unknown parent": ("P 3 -1", "P 3 99", "Particle 3 refers to particle 99, which the record does not contain"),
    "unknown vertex": ("P 3 -1", "P 3 -9", "Particle 3 comes from vertex -9, which the record does not contain"),
    "unknown incoming": ("[1,2]", "[1,77]", "Vertex -1 refers to particle 77, which the record does not contain"),
    "broken list": ("[1,2]", "[1;2]", "Expected ids of particles between"),
    "no list": ("[1,2]", "", "Expected the list of incoming particles"),
    "ends twice": ("V -2 3 [3]", "V -2 3 [3,1]", "Particle 1 ends in two vertices"),
    "too many particles": ("E 7 2 5", "E 7 2 4", "The E line announces 4 particles, found 5"),
    "too few vertices": ("E 7 2 5", "E 7 3 5", "The E line announces 3 vertices, found 2"),
    "its own ancestor": ("[1,2]", "[1,4]", "A particle is its own ancestor"),
    "infinite position": ("@ 1 2 3 4", "@ 1 inf 3 4", "Y must be a finite number"),
    "no position": ("@ 1 2 3 4", "@ 1 2 3", "Too few fields: expected a number for t"),
}
CASES = [
    *(pytest.param(hepmc2, EVENT2, *case, id=f"HepMC2, {name}") for name, case in DAMAGE.items()),
    *(pytest.param(hepmc3, EVENT3, *case, id=f"HepMC3, {name}") for name, case in DAMAGE3.items()),
]


@pytest.mark.parametrize(("make", "event", "old", "new", "message"), CASES)
def test_only_the_malformed_event_is_rejected_with_its_reason(tmp_path, make, event, old, new, message):
    assert old in event
    parsed = read_text(tmp_path, make(event, event.replace(old, new), event), collisions="record")
    (rejected,) = parsed.rejected
    assert rejected.event_id == 1_000_000
    assert message.lower() in rejected.message.lower()
    assert rejected.message.endswith(".")
    assert 3 + event.count("\n") <= rejected.line <= 3 + 2 * event.count("\n")
    for name, table in parsed.tables.items():
        assert set(plain(table, "event_id")) == {0, 2_000_000}, name


def test_the_line_of_the_trouble_is_named(tmp_path):
    text = hepmc2(EVENT2, EVENT2.replace("P 3 23 1 ", "P 3 23 one "))
    (rejected,) = read_text(tmp_path, text, collisions="record").rejected
    assert text.splitlines()[rejected.line - 1].startswith("P 3 23 one")


def test_one_malformed_collision_rejects_the_whole_event(tmp_path):
    text = hepmc3(EVENT3, EVENT3.replace("[1,2]", "[1,77]"))
    parsed = read_text(tmp_path, text, collisions="file")
    assert [row.event_id for row in parsed.rejected] == [0]
    assert all(table.rows == 0 for table in parsed.tables.values())


def test_damaged_first_e_line_is_an_event_lost_not_passed_over(tmp_path):
    parsed = read_text(tmp_path, hepmc2(EVENT2.replace("E 7", "Q 7"), EVENT2), collisions="record")
    (rejected,) = parsed.rejected
    assert (rejected.event_id, rejected.line) == (0, 3)
    assert "begins with E" in rejected.message
    assert plain(parsed.tables["GenEvents"], "event_id") == [1_000_000]


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**31, -(2**31) - 1])
@pytest.mark.parametrize(("kind", "event"), [(2, EVENT2), (3, EVENT3)])
def test_integers_at_the_limits_are_read_or_refused(number, kind, event):
    fields = event.replace("\n", " \n ").split(" ")
    for position, field in enumerate(fields):
        if not field.lstrip("-").isdigit():
            continue
        changed = [*fields[:position], str(number), *fields[position + 1 :]]
        text = " ".join(changed).replace(" \n ", "\n").encode()
        tables = parse(text, [RecordPlace(0, len(text), 1, 0, 0, 0, kind)])
        assert tables["GenEvents"].rows + tables["errors"].rows == 1


def test_more_rows_than_ids_is_an_error():
    particles = 1_000_001
    text = f"E 1 0 {particles}\nU MEV MM\n" + "".join(f"P {i} 0 1 0 0 1 1 0 1\n" for i in range(1, particles + 1))
    (row,) = rows(parse(text.encode(), [RecordPlace(0, len(text), 1, 0, 0, 0, 3)])["errors"])
    assert "an event may have at most 1000000 particles, found 1000001" in row[2]


@pytest.mark.parametrize("place", [(-1, 4, 2), (0, 99, 2), (3, 2, 2), (0, 4, 5)])
def test_records_outside_the_text_are_refused(place):
    begin, end, kind = place
    with pytest.raises(DataError, match="A HepMC record must"):
        parse(b"E 1\n", [RecordPlace(begin, end, 1, 0, 0, 0, kind)])


@pytest.mark.parametrize(("head", "event", "foot"), [(HEAD2, EVENT2, FOOT2), (HEAD3, EVENT3, FOOT3)], ids=["2", "3"])
class TestEndOfFile:
    def test_without_its_end_mark_a_whole_file_is_read_with_a_warning(self, tmp_path, head, event, foot):
        for tail in ("", foot[:9], foot[:-3], "\n"):
            path = tmp_path / "input"
            path.write_text(head + event + event + tail)
            source = open_inputs([str(path)], collisions="record")
            (chunk,) = source.chunks(10)
            parsed = chunk.parse()
            assert (parsed.rejected, parsed.tables["GenEvents"].rows) == ([], 2), tail
            assert any("has no end marker" in warning for warning in source.warnings)

    def test_an_end_mark_without_newline_is_whole(self, tmp_path, head, event, foot):
        path = tmp_path / "input"
        path.write_text(head + event + foot.rstrip())
        source = open_inputs([str(path)])
        (chunk,) = source.chunks(10)
        assert chunk.parse().rejected == []
        assert source.warnings == []

    def test_a_file_that_ends_within_a_line_has_a_malformed_last_event(self, tmp_path, head, event, foot):
        parsed = read_text(tmp_path, head + event + event[:-1], collisions="record")
        (rejected,) = parsed.rejected
        assert "ends in the middle of a line" in rejected.message
        assert "truncated" in rejected.message
        assert plain(parsed.tables["GenEvents"], "event_id") == [0]

    def test_a_file_cut_anywhere_gives_no_event_that_was_not_in_it(self, tmp_path, head, event, foot):
        text = head + event + event + foot
        whole = read_text(tmp_path, text, collisions="record")
        expected = rows(whole.tables["GenParticles"])
        for cut in range(len(head), len(text)):
            parsed = read_text(tmp_path, text[:cut], collisions="record")
            events = (cut >= len(head + event)) + (cut >= len(head + event + event))
            if cut == len(head):
                assert parsed.tables == {}
                continue
            assert parsed.tables["GenEvents"].rows == events, text[:cut][-30:]
            assert rows(parsed.tables["GenParticles"]) == expected[: 5 * events]
            assert len(parsed.rejected) <= 1

    def test_a_changed_byte_never_adds_an_event(self, tmp_path, head, event, foot):
        text = (head + event + event + foot).encode()
        random_bytes = random.Random(20)
        for position in range(len(head), len(text)):
            damaged = bytearray(text)
            damaged[position] = random_bytes.choice([0, 10, 32, 45, 48, 57, 69, 80, 86, 255])
            try:
                parsed = read_text(tmp_path, bytes(damaged), collisions="record")
            except InputError:
                continue
            if parsed.tables:
                assert parsed.tables["GenEvents"].rows <= 2


def test_header_without_events_gives_no_event_and_a_warning(tmp_path):
    for text in (hepmc2(), hepmc3()):
        for collisions in ("auto", "record", "file"):
            path = tmp_path / "input"
            path.write_text(text)
            source = open_inputs([str(path)], collisions=collisions)
            assert list(source.chunks(5)) == []
            assert source.warnings == [f"{path} contains no events."]


def test_a_listing_of_another_kind_is_named(tmp_path):
    with pytest.raises(InputError, match="unknown kind of HepMC listing 'HepMC::IO_Ascii-START_EVENT_LISTING'"):
        read_text(tmp_path, hepmc2(EVENT2) + "HepMC::IO_Ascii-START_EVENT_LISTING\n")
