"""What the tables hold: values, links, ids, units, positions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hepmc_tools import EVENT2, EVENT3, hepmc2, hepmc3, plain, read_text, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlamarr.sources.hepmc.ascii import RecordPlace, parse
from sqlamarr.sources.inputs import open_inputs

PARTICLES = "genparticle_id event_id genevent_id hepmc_id production_vertex end_vertex pid status pe px py pz m"
VERTICES = "genvertex_id event_id genevent_id hepmc_id status is_primary t x y z"
EVENTS = (
    "genevent_id event_id collision datasource_id event_number process_id scale alpha_qcd alpha_qed weight t x y z "
    "cross_section cross_section_error"
)
WEIGHTS = "event_id genevent_id position value"


@pytest.mark.parametrize("text", [hepmc2(EVENT2), hepmc3(EVENT3)], ids=["hepmc2", "hepmc3"])
class TestOneEvent:
    def test_columns_have_the_agreed_names_and_order(self, tmp_path, text):
        tables = read_text(tmp_path, text).tables
        assert list(tables["GenEvents"]) == EVENTS.split()
        assert list(tables["GenVertices"]) == VERTICES.split()
        assert list(tables["GenParticles"]) == PARTICLES.split()
        assert list(tables["GenWeights"]) == WEIGHTS.split()

    def test_event_row_carries_what_the_generator_says(self, tmp_path, text):
        tables = read_text(tmp_path, text).tables
        assert rows(tables["GenEvents"]) == [(0, 0, 0, 0, 7, 101, 20.5, 0.118, 0.0078, 0.5, 0, 0, 0, 0, 12.5, 0.5)]
        assert rows(tables["GenWeights"]) == [(0, 0, 0, 0.5), (0, 0, 1, 1.5)]

    def test_lengths_are_in_mm_and_the_vertex_of_the_beams_is_primary(self, tmp_path, text):
        vertices = rows(read_text(tmp_path, text).tables["GenVertices"])
        assert vertices == [(0, 0, 0, -1, 0, 1, 40, 10, 20, 30), (1, 0, 0, -2, 3, 0, 42.5, 10, 20, 35)]

    def test_momenta_are_in_mev_and_beams_have_no_production_vertex(self, tmp_path, text):
        particles = read_text(tmp_path, text).tables["GenParticles"]
        assert plain(particles, "production_vertex") == [None, None, 0, 1, 1]
        assert plain(particles, "end_vertex") == [0, 0, 1, None, None]
        assert plain(particles, "pid") == [2212, 2212, 23, 211, -211]
        assert plain(particles, "pz") == [6.5e6, -6.5e6, 3000, 3000, -3000]
        assert plain(particles, "m")[2] == 91.2 * 1000

    def test_weight_names_are_found_and_nothing_is_warned_of(self, tmp_path, text):
        path = tmp_path / "input"
        path.write_text(text.replace("Asciiv3-START_EVENT_LISTING\n", "Asciiv3-START_EVENT_LISTING\nW nominal\\|up\n"))
        source = open_inputs([str(path)])
        list(source.chunks(1))
        assert (source.weight_names, source.warnings) == (("nominal", "up"), [])

    def test_windows_line_ends_change_nothing(self, tmp_path, text):
        windows = text.replace("\n", "\r\n")
        expected, found = read_text(tmp_path, text).tables, read_text(tmp_path, windows).tables
        assert {name: rows(found[name]) for name in found} == {name: rows(expected[name]) for name in expected}


def test_hepmc_id_of_hepmc2_is_the_barcode_of_the_file(tmp_path):
    assert plain(read_text(tmp_path, hepmc2(EVENT2)).tables["GenParticles"], "hepmc_id") == [1, 2, 3, 5, 4]


def test_vertices_without_a_line_get_the_free_ids_in_order_of_appearance(tmp_path):
    event = (
        "E 1 3 6\nU MEV MM\nP 1 0 2212 0 0 6500 6500 0.9 4\nP 2 1 21 1 2 3 5 0.25 2\nV -1 0 [2] @ 1 1 1 1\n"
        "P 3 -1 211 1 2 3 4 1 2\nP 4 3 211 1 2 3 4 1 1\nP 5 3 -211 1 2 3 4 1 1\nP 6 -1 22 0 0 1 1 0 1\n"
    )
    tables = read_text(tmp_path, hepmc3(event)).tables
    # The V line is met before the links are made, so its row comes first.
    assert plain(tables["GenVertices"], "hepmc_id") == [-1, -2, -3]
    assert plain(tables["GenParticles"], "production_vertex") == [None, 1, 0, 2, 2, 0]
    assert plain(tables["GenVertices"], "is_primary") == [0, 1, 0]


def test_event_without_beams_is_read_with_its_particles(tmp_path):
    gun2 = "E 1 -1 0 0 0 0 0 1 0 0 0 0\nU MEV MM\nV -1 0 1 2 3 4 0 1 0\nP 3 211 1 2 3 4 1 1 0 0 0 0\n"
    gun3 = "E 1 1 1\nU MEV MM\nV -1 0 [] @ 1 2 3 4\nP 1 -1 211 1 2 3 4 1 1\n"
    for text in (hepmc2(gun2), hepmc3(gun3)):
        tables = read_text(tmp_path, text).tables
        assert rows(tables["GenVertices"])[0][5:] == (0, 4, 1, 2, 3)
        assert plain(tables["GenParticles"], "production_vertex") == [0]
        assert plain(tables["GenEvents"], "weight") == [1]
        assert tables["GenWeights"].rows == 0


def test_event_without_particles_is_an_event(tmp_path):
    for text in (hepmc2("E 1 -1 0 0 0 0 0 0 0 0 0 0\nU MEV MM\n"), hepmc3("E 1 0 0\nU MEV MM\n")):
        parsed = read_text(tmp_path, text)
        assert {name: table.rows for name, table in parsed.tables.items()} == {
            "GenEvents": 1, "GenVertices": 0, "GenParticles": 0, "GenWeights": 0,
        }  # fmt: skip
        assert parsed.rejected == []


def test_particle_without_any_vertex_is_kept(tmp_path):
    tables = read_text(tmp_path, hepmc3("E 1 0 1\nU MEV MM\nP 1 0 13 1 2 3 4 1 1\n")).tables
    assert plain(tables["GenParticles"], "production_vertex") == [None]
    assert plain(tables["GenParticles"], "end_vertex") == [None]


def test_position_of_the_event_is_kept_and_inherited(tmp_path):
    event = (
        "E 1 2 3 @ 1 2 3 4\nU MEV CM\nP 1 0 2212 0 0 9 9 0 4\nV -1 0 [1]\nP 2 -1 21 0 0 9 9 0 2\nP 3 2 21 0 0 9 9 0 1\n"
    )
    tables = read_text(tmp_path, hepmc3(event)).tables
    assert rows(tables["GenEvents"])[0][10:14] == (40, 10, 20, 30)
    assert [row[6:] for row in rows(tables["GenVertices"])] == [(40, 10, 20, 30)] * 2


def test_vertex_without_position_stands_where_its_mother_was_made(tmp_path):
    event = (
        "E 1 -1 0 0 0 0 0 3 1 0 0 0\nU MEV MM\nV -3 0 0 0 0 0 0 1 0\nP 4 1 0 0 1 1 0 1 0 0 0 0\n"
        "V -2 0 0 0 0 0 0 1 0\nP 3 1 0 0 1 1 0 2 0 0 -3 0\n"
        "V -1 0 1 2 3 4 1 1 0\nP 1 1 0 0 1 1 0 4 0 0 -1 0\nP 2 1 0 0 1 1 0 2 0 0 -2 0\n"
    )
    tables = read_text(tmp_path, hepmc2(event)).tables
    assert [row[6:] for row in rows(tables["GenVertices"])] == [(4, 1, 2, 3)] * 3


def test_beams_listed_as_outgoing_of_the_root_vertex_become_its_incoming(tmp_path):
    event = (
        "E 1 -1 0 0 0 0 0 1 1 2 0 0\nU MEV MM\nV -1 0 1 2 3 4 0 3 0\nP 1 2212 0 0 6 6 0 4 0 0 0 0\n"
        "P 2 2212 0 0 -6 6 0 4 0 0 0 0\nP 3 211 1 2 3 4 1 1 0 0 0 0\n"
    )
    tables = read_text(tmp_path, hepmc2(event)).tables
    assert plain(tables["GenParticles"], "production_vertex") == [None, None, 0]
    assert plain(tables["GenParticles"], "end_vertex") == [0, 0, None]
    assert plain(tables["GenVertices"], "is_primary") == [1]


def test_barcodes_may_be_any_negative_numbers(tmp_path):
    event = EVENT2.replace("V -1 ", "V -123456789 ").replace("0 0 -1 0", "0 0 -123456789 0")
    event = event.replace("V -2 ", "V -9000000000 ").replace("0 0 -2 1", "0 0 -9000000000 1")
    tables = read_text(tmp_path, hepmc2(event)).tables
    assert plain(tables["GenVertices"], "hepmc_id") == [-123456789, -9000000000]
    assert plain(tables["GenParticles"], "end_vertex") == [0, 0, 1, None, None]


def test_missing_units_mean_gev_and_mm_and_are_warned_of_once(tmp_path):
    path = tmp_path / "input"
    event = EVENT2.replace("U GEV CM\n", "")
    path.write_text(hepmc2(event, event))
    source = open_inputs([str(path), str(path)])
    (chunk,) = source.chunks(10)
    tables = chunk.parse().tables
    assert plain(tables["GenParticles"], "pe")[0] == 6500500
    assert plain(tables["GenVertices"], "x")[0] == 1
    assert len(source.warnings) == 1
    assert "states no units" in source.warnings[0]
    assert "GeV and mm" in source.warnings[0]


NUMBERS = [
    "0",
    "-0",
    "+1",
    "1.",
    ".5",
    "1e5",
    "1E-5",
    "-1.5e+03",
    "4.9406564584124654e-324",
    "1e-400",
    "2.2250738585072011e-308",
    "1.7976931348623157e308",
    "9007199254740993",
    "0.1",
    "123456789012345678901234567890",
    "0.3000000000000000444089209850062616169452667236328125",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_read_to_the_last_bit(tmp_path, number):
    event = f"E 1 0 1\nU MEV MM\nP 1 0 13 {number} 2 3 4 1 1\n"
    (px,) = plain(read_text(tmp_path, hepmc3(event)).tables["GenParticles"], "px")
    assert (px, math.copysign(1, px)) == (float(number), math.copysign(1, float(number)))


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=200))
def test_any_number_in_any_notation_is_read_to_the_last_bit(values):
    # A leading + takes the way of platforms whose C++ library cannot read floating-point numbers.
    notations = [f"{x!r} {x:.17e} {x:.20g} {'' if str(x)[0] == '-' else '+'}{x!r}" for x in values]
    text = f"E 1 0 0\nW {' '.join(notations)}\n".encode()
    found = parse(text, [RecordPlace(0, len(text), 1, 0, 0, 0, 3)])["GenWeights"]["value"]
    expected = np.repeat(np.array(values), 4)
    assert found.view(np.int64).tolist() == expected.view(np.int64).tolist()


def test_ids_count_over_the_collisions_of_an_event(tmp_path):
    tables = read_text(tmp_path, hepmc2(EVENT2, EVENT2), collisions="file", first_event=3).tables
    assert plain(tables["GenEvents"], "genevent_id") == [3_000_000, 3_000_001]
    assert plain(tables["GenEvents"], "collision") == [0, 1]
    assert plain(tables["GenVertices"], "genvertex_id") == [3_000_000 + i for i in range(4)]
    assert plain(tables["GenParticles"], "genparticle_id") == [3_000_000 + i for i in range(10)]
    assert plain(tables["GenParticles"], "genevent_id") == [3_000_000] * 5 + [3_000_001] * 5
    assert plain(tables["GenParticles"], "production_vertex")[5:] == [None, None, 3_000_002, 3_000_003, 3_000_003]
    assert plain(tables["GenWeights"], "position") == [0, 1, 0, 1]


def test_ids_count_over_records_as_events(tmp_path):
    tables = read_text(tmp_path, hepmc3(EVENT3, EVENT3), collisions="record").tables
    assert plain(tables["GenEvents"], "event_id") == [0, 1_000_000]
    assert plain(tables["GenParticles"], "genparticle_id") == [*range(5), *range(1_000_000, 1_000_005)]
