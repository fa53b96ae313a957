"""The example guns, and events of guns written as HepMC3."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyhepmc
import pytest
from run_tools import command_line, hashes

import sqlamarr
from sqlamarr.events.chunk import GENERATOR_TABLES
from sqlamarr.sources.inputs import open_inputs

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("gun_*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_without_a_note_about_the_gun(path, tmp_path):
    summary = sqlamarr.run("lhcb_run2", path, tmp_path / "out.db", seed=1, events=50)
    assert summary.events == 50
    assert summary.rows["Tracks"] > 0 or path.stem == "gun_pi0"
    assert not summary.warnings


def test_there_are_the_examples_that_the_documents_speak_of():
    text = (ROOT / "examples" / "README.md").read_text()
    assert all(f"`{path.name}`" in text for path in EXAMPLES)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> Path:
    """A gun with all that a record can have: two particles, one of them displaced, decays at several places."""
    path = tmp_path_factory.mktemp("gun") / "mixed.yaml"
    path.write_text("""
gun:
  particles:
    - {decay: "[B0 -> (J/psi -> mu+ mu-) K_S0]CC", spectrum: b_13TeV}
    - {particle: pi+, pt: 500, eta: 3, displaced: {z: {flat: [100, 300]}}}
  origin: {luminous_region: 2016}
""")
    return path


def tables_of(path, **options):
    source = open_inputs([str(path)], **options)
    (chunk,) = source.chunks(1000)
    return chunk.parse().tables, source


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_what_is_written_is_read_back_as_it_was(mixed, tmp_path, suffix):
    path = tmp_path / f"events.hepmc{suffix}"
    assert command_line("gun", mixed, "-n", "20", "--seed", "4", "-o", path) == 0
    tables, source = tables_of(path)
    expected, _ = tables_of(mixed, seed=4, max_events=20)
    assert source.warnings == [] and source.collisions == "record"
    for name in set(GENERATOR_TABLES) - {"GenWeights"}:
        for column in set(expected[name]) - {"datasource_id", "x", "y", "z", "t"} | (
            {"x", "y", "z", "t"} if name == "GenVertices" else set()
        ):
            one, other = tables[name][column], expected[name][column]
            assert np.array_equal(np.ma.filled(one, -1), np.ma.filled(other, -1), equal_nan=one.dtype == float), column


def test_a_run_over_the_written_file_is_the_run_over_the_gun(mixed, tmp_path):
    command_line("gun", mixed, "-n", "20", "--seed", "4", "-o", tmp_path / "events.hepmc")
    for path, name in ((mixed, "gun"), (tmp_path / "events.hepmc", "file")):
        sqlamarr.run("lhcb_run2", path, tmp_path / f"{name}.db", seed=4, events=20, generator="full")
    one, other = hashes(tmp_path / "gun.db"), hashes(tmp_path / "file.db")
    assert {name for name in one if one[name] != other[name]} == {"DataSources"}


def test_the_hepmc_library_reads_it(mixed, tmp_path):
    command_line("gun", mixed, "-n", "5", "--seed", "4", "-o", tmp_path / "events.hepmc")
    expected, _ = tables_of(mixed, seed=4, max_events=5)
    with pyhepmc.open(tmp_path / "events.hepmc") as file:
        events = list(file)
    assert [event.event_number for event in events] == [0, 1, 2, 3, 4]
    assert {tool.name for tool in events[0].run_info.tools} == {"sqlamarr"}
    particles = [particle for event in events for particle in event.particles]
    assert [p.pid for p in particles] == expected["GenParticles"]["pid"].tolist()
    assert [p.momentum.px for p in particles] == expected["GenParticles"]["px"].tolist()
    assert [v.position.z for event in events for v in event.vertices] == expected["GenVertices"]["z"].tolist()


def test_any_record_can_be_written(example, tmp_path):
    """Thousands of particles, beams, weights and attributes of Pythia's."""
    from sqlamarr.sources.hepmc.write import write

    source = open_inputs([str(example)], max_events=3)
    write(tmp_path / "events.hepmc", (chunk.parse() for chunk in source.chunks(2)), "a copy", source.weight_names)
    tables, again = tables_of(tmp_path / "events.hepmc")
    expected, _ = tables_of(example, max_events=3)
    assert again.weight_names == source.weight_names
    assert np.array_equal(tables["GenWeights"]["value"], expected["GenWeights"]["value"])
    for name in ("cross_section", "process_id", "scale", "alpha_qed"):
        assert np.array_equal(tables["GenEvents"][name], expected["GenEvents"][name])
    for name in ("pid", "status", "px", "pe", "m", "event_id"):
        one, other = (np.sort(t["GenParticles"][name]) for t in (tables, expected))
        assert np.array_equal(one, other), name
    assert np.array_equal(np.sort(tables["GenVertices"]["z"]), np.sort(expected["GenVertices"]["z"]))


@pytest.mark.parametrize("mothers", [False, True])
def test_a_table_can_be_written(tmp_path, mothers):
    """What enters its vertices is not in it; HepMC's library reads no vertex that nothing enters."""
    rows = [
        "event,pid,px,py,pz,m,x,y,z,mother",
        "0,443,2,0.5,40,3.097,0.1,0.2,3,-1",
        "0,13,1.5,0.25,25,0.1,0.1,0.2,7,0",
        "0,-13,0.5,0.25,15,0.1,0.1,0.2,7,0",
        "1,211,0.3,0.1,5,0.14,0,0,0,-1",
    ]
    (tmp_path / "rows.csv").write_text("\n".join(rows if mothers else [row.rpartition(",")[0] for row in rows]))
    description = tmp_path / "table.yaml"
    description.write_text("table: {file: rows.csv, units: {momentum: GeV}}")
    path = tmp_path / "rows.hepmc"
    assert command_line("gun", description, "-o", path) == 0
    expected, _ = tables_of(description, seed=1)
    with pyhepmc.open(path) as file:
        events = list(file)  # they own their particles
    particles = [particle for event in events for particle in event.particles]
    own = [particle for particle in particles if particle.status != 4]
    for name in ("px", "pz"):
        assert [getattr(p.momentum, name) for p in own] == expected["GenParticles"][name].tolist()
    places = [(p.production_vertex.position.x, p.production_vertex.position.z) for p in own]
    assert places == [(0.1, 3), (0.1, 7), (0.1, 7), (0, 0)]
    assert len(particles) == 4 + (2 if mothers else 3)
    for system in particles:
        if system.status == 4:
            assert system.momentum.pz == sum(p.momentum.pz for p in system.end_vertex.particles_out)
    options = {"output": tmp_path / "out.db", "seed": 2, "overwrite": True}
    runs = [sqlamarr.run("lhcb_run2", source, **options) for source in (description, path)]
    assert runs[0].rows["MCParticles"] == runs[1].rows["MCParticles"] == 4


def test_crossings_of_several_collisions_are_not_taken_apart(tmp_path, capsys):
    description = tmp_path / "crossings.yaml"
    description.write_text("pileup: {mu: 1, collisions: {gun: {particle: pi+, p: 5000, eta: 3}}, events: 3}")
    assert command_line("gun", description, "-o", tmp_path / "x.hepmc") == 1
    assert "a HepMC record is one" in capsys.readouterr().err


def test_the_same_seed_writes_the_same_bytes(mixed, tmp_path):
    for name in ("one", "two"):
        command_line("gun", mixed, "-n", "5", "--seed", "4", "-o", tmp_path / f"{name}.hepmc.gz")
    assert (tmp_path / "one.hepmc.gz").read_bytes() == (tmp_path / "two.hepmc.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.hepmc.gz").read_bytes()).endswith(b"END_EVENT_LISTING\n\n")


def test_the_command_says_what_it_wrote(mixed, tmp_path, capsys):
    command_line("gun", mixed, "-n", "5", "--seed", "4", "-o", tmp_path / "x.hepmc")
    assert capsys.readouterr().out == f"{tmp_path / 'x.hepmc'}: 5 collisions, seed 4\n"


def test_what_the_command_refuses(mixed, tmp_path, example, capsys):
    for arguments, message in (
        ([mixed, "-o", tmp_path / "x.hepmc"], "has no end: give the number of events"),
        ([mixed, "-n", "1", "-o", tmp_path / "x.root"], "expected a name ending in .hepmc, .hepmc.gz"),
        ([mixed, "-n", "1", "-o", tmp_path / "no" / "x.hepmc"], "cannot be written: No such file or directory."),
        ([mixed, "-n", "1", "-o", example], "exists. Choose another name, or use --overwrite."),
        ([example, "-n", "1", "-o", tmp_path / "x.hepmc"], "is not a description of a source: expected a .yaml file"),
    ):
        assert command_line("gun", *arguments) == 1
        assert message in capsys.readouterr().err
    assert not (tmp_path / "x.hepmc").exists()


def test_the_descriptions_of_the_document_are_good(tmp_path, monkeypatch):
    import re

    from sqlamarr.checking.yaml_schema import read_yaml

    text = (ROOT / "docs" / "gun.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        list(open_inputs([read_yaml(block, "gun.md")], seed=1, max_events=1).chunks(1))
    assert blocks[0].strip() in (ROOT / "examples" / "gun_lambda_b.yaml").read_text()


def test_every_key_of_a_gun_is_documented():
    from sqlamarr.sources.gun.distributions import KINDS
    from sqlamarr.sources.gun.gun import SCHEMA

    text = (ROOT / "docs" / "gun.md").read_text()
    assert not [name for name in SCHEMA["properties"] if f"`{name}" not in text and f"`{{{name}" not in text]
    assert not [name for name in KINDS if f"`{{{name}: " not in text]


def test_the_document_shows_what_the_example_gives(tmp_path, capsys):
    import re

    text = (ROOT / "docs" / "gun.md").read_text()
    ((query, shown),) = re.findall(r'\$ sqlamarr sql lb\.db "(.*?)"\n(.*?)\n```', text, re.DOTALL)
    (tmp_path / "truth.yaml").write_text(
        "name: truth\nsteps: [{find_primary_vertices: {}}, {select_particles: {}}]\noutput: {tables: [MCParticles]}\n"
    )
    gun = ROOT / "examples" / "gun_lambda_b.yaml"
    sqlamarr.run(tmp_path / "truth.yaml", gun, tmp_path / "lb.db", seed=1, events=10000)
    command_line("sql", tmp_path / "lb.db", query)
    assert capsys.readouterr().out.rstrip() == shown
