"""Events agree to the last bit with what the HepMC3 library reads from the same bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyhepmc
import pytest
from hepmc_tools import physical, physical_of_library, plain, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Units = pyhepmc.Units

# The library writes a mass computed from the momentum where none is set: its square must not overflow.
numbers = st.one_of(st.just(0.0), st.floats(1e-100, 1e100), st.floats(-1e100, -1e-100), st.floats(-1e5, 1e5, width=32))
positions = st.tuples(numbers, numbers, numbers, numbers)


@st.composite
def events(draw: Any) -> pyhepmc.GenEvent:
    """A tree of decays: beams into one vertex, then particles that decay with or without a position of their own."""
    units = draw(st.sampled_from([(Units.GEV, Units.CM), (Units.MEV, Units.MM), (Units.GEV, Units.MM)]))
    event = pyhepmc.GenEvent(*units)
    event.event_number = draw(st.integers(0, 2**31 - 1))
    beams = [_particle(draw, 4) for _ in range(draw(st.integers(1, 2)))]
    alive = _decay(draw, event, beams)
    for _ in range(draw(st.integers(0, 4))):
        parents = [alive.pop(draw(st.integers(0, len(alive) - 1)))]
        if len(alive) > 1 and draw(st.booleans()):
            parents.append(alive.pop())
        alive += _decay(draw, event, parents)
    if draw(st.booleans()):
        event.weights = draw(st.lists(numbers, min_size=1, max_size=3))
    return event


def _particle(draw: Any, status: int) -> pyhepmc.GenParticle:
    particle = pyhepmc.GenParticle(draw(positions), draw(st.integers(-(2**31), 2**31 - 1)), status)
    if draw(st.booleans()):
        particle.generated_mass = draw(numbers)
    return particle


def _decay(draw: Any, event: Any, parents: list[Any]) -> list[Any]:
    vertex = pyhepmc.GenVertex(draw(positions)) if draw(st.booleans()) else pyhepmc.GenVertex()
    vertex.status = draw(st.integers(0, 5))
    children = [_particle(draw, draw(st.integers(1, 999))) for _ in range(draw(st.integers(1, 3)))]
    for parent in parents:
        vertex.add_particle_in(parent)
    for child in children:
        vertex.add_particle_out(child)
    event.add_vertex(vertex)
    return children


def library(path: Path) -> list[Any]:
    with pyhepmc.open(path) as file:
        return list(file)


def check_against_library(path: Path) -> None:
    parsed, expected = read(path, collisions="record"), library(path)
    assert parsed.rejected == []
    assert plain(parsed.tables["GenEvents"], "event_number") == [event.event_number for event in expected]
    weights = [event.weights[0] if len(event.weights) else 1 for event in expected]
    assert plain(parsed.tables["GenEvents"], "weight") == weights
    for number, event in enumerate(expected):
        assert physical(parsed, number * 1_000_000) == physical_of_library(event)


@pytest.mark.parametrize("kind", ["HepMC2", "HepMC3"])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(event=events())
def test_any_event_agrees_with_the_library(kind, event):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "event"
        with pyhepmc.open(path, "w", format=kind) as file:
            file.write(event)
        check_against_library(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(event=events())
def test_ids_of_hepmc3_are_those_of_the_library(event):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "event"
        with pyhepmc.open(path, "w") as file:
            file.write(event)
        tables = read(path, collisions="record").tables
        (expected,) = library(path)
    assert plain(tables["GenParticles"], "hepmc_id") == [particle.id for particle in expected.particles]
    assert sorted(plain(tables["GenVertices"], "hepmc_id")) == sorted(vertex.id for vertex in expected.vertices)
    id_of = dict(zip(plain(tables["GenVertices"], "genvertex_id"), plain(tables["GenVertices"], "hepmc_id")))
    found = [id_of.get(row) for row in plain(tables["GenParticles"], "end_vertex")]
    assert found == [particle.end_vertex and particle.end_vertex.id for particle in expected.particles]


@pytest.fixture
def lhcb_files(lhcb_data: Path) -> list[Path]:
    return sorted(lhcb_data.glob("*.mc2"))


class TestLHCbFiles:
    def test_every_collision_agrees_with_the_library(self, lhcb_files):
        for path in lhcb_files:
            check_against_library(path)

    def test_ids_are_the_barcodes_of_the_file(self, lhcb_files):
        for path in lhcb_files:
            lines = path.read_text().splitlines()
            barcodes = [int(line.split()[1]) for line in lines if line.startswith("P ")]
            assert plain(read(path).tables["GenParticles"], "hepmc_id") == barcodes

    def test_status_codes_make_the_records_of_a_file_collisions_of_one_event(self, lhcb_files):
        paths = {path.name: path for path in lhcb_files}
        collisions = {}
        for name in ("evt0.mc2", "evt1.mc2", "evt3.mc2", "evt7.mc2"):
            tables = read(paths[name]).tables
            assert set(plain(tables["GenEvents"], "event_id")) == {0}
            collisions[name] = tables["GenEvents"].rows
        assert collisions == {"evt0.mc2": 3, "evt1.mc2": 1, "evt3.mc2": 1, "evt7.mc2": 1}

    def test_beams_lead_to_primary_vertices(self, lhcb_files):
        tables = read(*lhcb_files).tables
        primaries = [row for row, primary in enumerate(plain(tables["GenVertices"], "is_primary")) if primary]
        collisions = [plain(tables["GenVertices"], "genevent_id")[row] for row in primaries]
        assert set(collisions) == set(plain(tables["GenEvents"], "genevent_id"))
