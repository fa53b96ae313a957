"""What installed packages add is used like ours, noted in outputs, and decides resume and merge."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from run_tools import TRUTH, command_line

import sqlamarr
from sqlamarr.errors import InputError, ModelError, OutputError, PackageError, PipelineError, SqlamarrError
from sqlamarr.output.provenance import read
from sqlamarr.pipeline.load import load
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

CONTENT = """
from sqlamarr.sources.kind import ContentKind
from sqlamarr.sources.hepmc.ascii import read
from sqlamarr.sources.streams import Stream
import io

class Wrapped(ContentKind):
    def sniff(self, head):
        return head.startswith(b"WRAPPED")
    def read(self, stream, reading):
        content = b"".join(iter(stream.read, b""))[8:]
        return read(Stream(io.BytesIO(content[::-1]), stream.path), reading)

source = Wrapped()
"""
READ = """
from sqlamarr.sources.kind import ReadKind
from sqlamarr.sources.hepmc.ascii import read as read_hepmc
from sqlamarr.sources.streams import Stream

class Backwards(ReadKind):
    SUFFIXES = (".sdrawkcab",)
    schema = {"type": "object", "properties": {"file": {"type": "string", "description": "A file."}}}
    def read(self, description, reading, entry):
        import io
        path = description.file(description.content["file"])
        return read_hepmc(Stream(io.BytesIO(path.read_bytes()[::-1]), str(path)), reading)

source = Backwards()
"""
MODEL = """
import numpy as np
from sqlamarr.models.kind import ModelKind
from sqlamarr.models.python import PythonModel

class Scale(ModelKind):
    HELP = "A text file with a number."
    SUFFIXES = (".factor",)
    OPTIONS = {"offset": {"type": "number", "description": "Added."}}
    def open(self, file, function):
        from sqlamarr.models.blocks import BlockModel
        from sqlamarr.models.base import ModelDescription
        factor, offset = float(file.path.read_text()), file.entry.get("offset", 0)
        class Scaled(BlockModel):
            def _function(self, sizes):
                return lambda inputs, noise: (inputs * factor + offset).astype(np.float32)
        return Scaled("scale", ModelDescription())

model_kind = Scale()
"""
FORMAT = """
from sqlamarr.exporters.format import Format

class Counts(Format):
    HELP = "numbers of rows"
    SUFFIXES = {suffixes}
    OPTIONS = {{"unit": {{"type": "string", "default": "rows", "description": "What is counted."}}}}
    def write(self, db, path, tables, options, summary):
        path.write_text("".join(f"{{table}} {{options['unit']}}\\n" for table in tables))
        summary.entries["counts"] = (len(tables), 1)

exporter = Counts()
"""
SECTION = """
from sqlamarr.report.section import Section, SectionMaker

class Mine(SectionMaker):
    HELP = "A section."
    TABLES = ("Tracks",)
    def make(self, sample):
        {body}

section = Mine()
"""
SCALED = """
name: scaled
models: {{m: {model}}}
steps:
  - find_primary_vertices: {{}}
  - select_particles: {{}}
  - plugin:
      {{model: m, function: f, query: q.sql, table: Scaled, key: [mcparticle_id, event_id], inputs: 1, outputs: [y]}}
output: {{tables: [MCParticles, Scaled]}}
"""
QUERY = "SELECT mcparticle_id, event_id, pe AS x FROM MCParticles WHERE pe > 0"


@pytest.fixture
def wrapped(install, tmp_path, example):
    """A file of a format that only an installed package knows."""
    import gzip

    install("sqlamarr-wrapped", {"sources": {"wrapped": "wrapped_source"}}, {"wrapped_source": CONTENT})
    path = tmp_path / "events.dat"
    path.write_bytes(b"WRAPPED\n" + gzip.decompress(example.read_bytes())[::-1])
    return path


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "truth.yaml"
    path.write_text(TRUTH)
    return path


def packages(path):
    with sqlamarr.open(path) as db:
        return read(db)["other_packages"]


def test_a_file_that_only_a_package_knows_is_read_by_its_first_bytes(wrapped, truth, tmp_path):
    sqlamarr.run(truth, wrapped, tmp_path / "o.db", seed=1)
    assert packages(tmp_path / "o.db") == {"sources": {"wrapped": "sqlamarr-wrapped 1.0"}}
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert db.execute("SELECT count(*) FROM Events").fetchone() == (40,)


def test_a_file_of_ours_is_read_without_asking_packages(wrapped, truth, tmp_path, example):
    sqlamarr.run(truth, example, tmp_path / "o.db", seed=1, events=2)
    assert packages(tmp_path / "o.db") == {}
    assert "wrapped_source" not in sys.modules


def test_a_file_is_read_by_its_suffix(install, truth, tmp_path, example):
    import gzip

    install("sqlamarr-back", {"sources": {"backwards": "back_source"}}, {"back_source": READ})
    (tmp_path / "e.sdrawkcab").write_bytes(gzip.decompress(example.read_bytes())[::-1])
    sqlamarr.run(truth, tmp_path / "e.sdrawkcab", tmp_path / "o.db", seed=1)
    assert packages(tmp_path / "o.db") == {"sources": {"backwards": "sqlamarr-back 1.0"}}


def test_an_unknown_file_names_packages_that_could_not_be_asked(install, truth, tmp_path):
    install("sqlamarr-bust", {"sources": {"bust": "bust_source"}}, {"bust_source": "import no_such_module_here"})
    (tmp_path / "what.dat").write_text("what")
    with pytest.raises(InputError, match="Expected HEPEVT, HepMC2 or HepMC3 ASCII or LHEF, .*'bust' of sqlamarr-bust"):
        sqlamarr.run(truth, tmp_path / "what.dat", tmp_path / "o.db", seed=1)


def test_a_key_of_files_is_no_description(truth, tmp_path):
    with pytest.raises(InputError, match="sources of kind 'hepmc' are files"):
        sqlamarr.run(truth, {"hepmc": {}}, tmp_path / "o.db", seed=1)


def test_another_version_of_a_source_is_refused_on_resume(wrapped, install, truth, tmp_path):
    def stop(n):
        raise KeyboardInterrupt

    options = {"pipeline": truth, "inputs": wrapped, "output": tmp_path / "o.db", "seed": 1, "batch_size": 5}
    with pytest.raises(SqlamarrError, match="Interrupted"):
        sqlamarr.run(**options, progress=stop)
    install("sqlamarr-wrapped", {"sources": {"wrapped": "wrapped_source"}}, version="1.1")
    with pytest.raises(
        OutputError, match=r"the package that brings the source wrapped \(sqlamarr-wrapped 1.0 there, .* 1.1 here\)"
    ):
        sqlamarr.run(**options, resume=True)


def test_the_same_version_resumes_and_parts_merge(wrapped, truth, tmp_path, example):
    first, second = tmp_path / "1.db", tmp_path / "2.db"
    sqlamarr.run(truth, wrapped, first, seed=1)
    sqlamarr.run(truth, example, second, seed=1, first_event=40)
    assert command_line("merge", first, second, "-o", tmp_path / "m.db") == 0
    assert packages(tmp_path / "m.db") == {"sources": {"wrapped": "sqlamarr-wrapped 1.0"}}


def test_parts_of_different_versions_are_not_merged(wrapped, install, truth, tmp_path, capsys):
    sqlamarr.run(truth, wrapped, tmp_path / "1.db", seed=1)
    install("sqlamarr-wrapped", {"sources": {"wrapped": "wrapped_source"}}, version="1.1")
    sqlamarr.run(truth, wrapped, tmp_path / "2.db", seed=1, first_event=40)
    assert command_line("merge", tmp_path / "1.db", tmp_path / "2.db", "-o", tmp_path / "m.db") == 1
    assert "the package that brings the source wrapped (sqlamarr-wrapped 1.0 in 1.db" in capsys.readouterr().err


def test_a_kind_of_model_of_a_package(install, tmp_path, example, capsys):
    install("sqlamarr-scale", {"models": {"scale": "scale_model"}}, {"scale_model": MODEL})
    (tmp_path / "two.factor").write_text("2")
    (tmp_path / "q.sql").write_text(QUERY)
    path = tmp_path / "scaled.yaml"
    path.write_text(SCALED.format(model="{scale: two.factor, offset: 1}"))
    sqlamarr.run(path, example, tmp_path / "o.db", seed=1, events=3)
    with sqlamarr.open(tmp_path / "o.db") as db:
        found = db.arrays("SELECT pe, y FROM Scaled JOIN MCParticles USING (mcparticle_id)")
    np.testing.assert_allclose(found["y"], 2 * found["pe"] + 1, rtol=1e-6)
    assert packages(tmp_path / "o.db") == {"models": {"scale": "sqlamarr-scale 1.0"}}
    assert command_line("show", tmp_path / "o.db") == 0
    shown = capsys.readouterr().out
    assert "m: two.factor, sha256 " in shown
    assert "package     sqlamarr-scale 1.0: scale (models)" in shown
    loaded = load(path)
    assert loaded.with_models({"m": str(tmp_path / "two.factor")}).models["m"] == {
        "scale": str(tmp_path / "two.factor")
    }
    with pytest.raises(PipelineError, match="unknown key 'ofset'.*Did you mean 'offset'"):
        loaded.with_models({"m": {"scale": "two.factor", "ofset": 1}})


def test_libraries_of_packages_are_plugins(install, tmp_path, compile_plugin, example):
    library = compile_plugin("float *f(float *out, const float *in) { out[0] = 2 * in[0]; return out; }")
    install("sqlamarr-lib", {"libraries": {"mine": "lib_paths:PATH", "gone": "lib_paths:GONE"}},
            {"lib_paths": f"PATH = {str(library)!r}; GONE = '/no/where.so'"})  # fmt: skip
    (tmp_path / "q.sql").write_text(QUERY)
    path = tmp_path / "scaled.yaml"
    path.write_text(SCALED.format(model="{library: 'plugins:mine'}"))
    sqlamarr.run(path, example, tmp_path / "o.db", seed=1, events=3)
    assert packages(tmp_path / "o.db") == {"libraries": {"mine": "sqlamarr-lib 1.0"}}
    with pytest.raises(PackageError, match="expected the path of a shared library, but there is no file /no/where.so"):
        Worker(load(path).with_models({"m": "plugins:gone"}), RunOptions(seed=1))
    with pytest.raises(ModelError, match="no model library 'mne'; .*Did you mean 'mine'"):
        Worker(load(path).with_models({"m": "plugins:mne"}), RunOptions(seed=1))


def test_pipelines_of_packages_run_by_their_names(install, tmp_path, example):
    folder = install("sqlamarr-pipe", {"pipelines": {"piped": "pipe_paths:PIPELINE", "whole": "pipe_paths:FOLDER"}},
                     {"pipe_paths": "from pathlib import Path\nFOLDER = Path(__file__).parent / 'p'\n"
                                    "PIPELINE = str(FOLDER / 'pipeline.yaml')"})  # fmt: skip
    (folder / "p").mkdir()
    (folder / "p" / "pipeline.yaml").write_text(TRUTH)
    assert command_line("run", "piped", example, "-n", 2, "--seed", 1, "-o", tmp_path / "o.db") == 0
    assert packages(tmp_path / "o.db") == {"pipelines": {"piped": "sqlamarr-pipe 1.0"}}
    assert load("whole").path == load("piped").path
    with pytest.raises(PipelineError, match=r"no pipeline 'pipd': .*\(lhcb_run2, piped, whole\)\. Did"):
        load("pipd")


def test_a_format_of_a_package_is_known_by_name_and_suffix_everywhere(install, tmp_path, example, reference, capsys):
    install("sqlamarr-fmt", {"exporters": {"counts": "fmt_format"}},
            {"fmt_format": FORMAT.format(suffixes='(".counts", ".rows.txt")')})  # fmt: skip
    for name in ("o.counts", "o.rows.txt"):
        assert command_line("export", reference[0], tmp_path / name, "-t", "Tracks", "-O", "unit=things") == 0
        assert (tmp_path / name).read_text() == "Tracks things\n"
    assert command_line("export", reference[0], tmp_path / "plain", "--format", "counts") == 0
    assert command_line("run", "lhcb_run2", example, "-n", 1, "--seed", 1, "-o", tmp_path / "r.counts") == 0
    assert "Tracks rows" in (tmp_path / "r.counts").read_text()
    assert not (tmp_path / "r.counts.db").exists()
    assert command_line("tuple", reference[0], "[Lambda_c+ -> p+ K- pi+]CC", "-o", tmp_path / "t.counts") == 0
    assert (tmp_path / "t.counts").read_text() == "DecayTree rows\n"
    capsys.readouterr()
    assert command_line("export", reference[0], tmp_path / "p.counts", "--layout", "flat") == 1
    assert "The format 'counts' has no option 'layout'; its options: unit" in capsys.readouterr().err
    with pytest.raises(SqlamarrError, match="has no option 'unti'; its options: unit. Did you mean 'unit'"):
        sqlamarr.export(reference[0], tmp_path / "p.counts", unti="x")


def test_a_suffix_of_two_packages_is_refused(install, tmp_path, reference):
    for letter in "ab":
        install(f"sqlamarr-s{letter}", {"exporters": {f"s{letter}": f"s{letter}_format"}},
                {f"s{letter}_format": FORMAT.format(suffixes='(".both",)')})  # fmt: skip
    with pytest.raises(PackageError, match=r"the suffix \.both belongs to more than one format of export"):
        sqlamarr.export(reference[0], tmp_path / "o.both")
    sqlamarr.export(reference[0], tmp_path / "o.both", format="sa")


def test_a_run_into_a_name_that_a_broken_package_may_mean_says_so(install, tmp_path, example, capsys):
    install("sqlamarr-brk", {"exporters": {"brk": "brk_format"}}, {"brk_format": "import no_such_module_here"})
    for name, said in {"o.db": False, "o": False, "o.other": True}.items():
        assert command_line("run", "lhcb_run2", example, "-n", 1, "--seed", 1, "-o", tmp_path / name) == 0
        assert ("is written as an SQLite file. The format of export 'brk' of" in capsys.readouterr().err) == said
        assert (tmp_path / name).read_bytes().startswith(b"SQLite")


@pytest.mark.parametrize(
    ("module", "body", "shown"),
    [
        ("sec_good", 'return Section("Own", lead="All mine.", facts=[("a", "b")])', "All mine."),
        (
            "sec_bad",
            "return 1 / 0",
            "The section of the report &#39;mine&#39; of sqlamarr-sec 1.0 failed: ZeroDivisionError",
        ),
    ],
)
def test_sections_of_packages_are_on_the_page(install, tmp_path, reference, module, body, shown):
    pytest.importorskip("mplhep")
    install("sqlamarr-sec", {"report": {"mine": module}}, {module: SECTION.format(body=body)})
    assert command_line("report", reference[0], "-o", tmp_path / "r.html") == 0
    page = (tmp_path / "r.html").read_text()
    assert shown in page
    assert "Cut flow" in page


BARE = """
class Bare:
    "What a step needs, and nothing else: no decorator, no base class."
    SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
    name, tables = "bare", ("Seen",)
    @classmethod
    def from_options(cls, options):
        return cls()
    def prepare(self, workspace):
        workspace.create_table("bare", "Seen", {"event_id": "INTEGER"}, ["event_id"])
        return lambda batch: batch.change("Seen", "INSERT INTO Seen SELECT event_id FROM Events")
"""


def test_a_plain_class_is_a_step_also_in_other_processes(install, tmp_path, example):
    install("sqlamarr-bare", {"steps": {"bare": "bare_steps:Bare"}}, {"bare_steps": BARE})
    path = tmp_path / "bare.yaml"
    path.write_text(TRUTH.replace("output:", "  - bare: {}\noutput:").replace("MCVertices]", "MCVertices, Seen]"))
    sqlamarr.run(path, example, tmp_path / "o.db", seed=1, events=8, batch_size=2, jobs=2)
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert db.execute("SELECT count(*) FROM Seen").fetchone() == (8,)
        assert set(read(db)["code"]) == {"bare"}
