"""Entries of ``models``: kinds, one function of a model, and what the output file says of them."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest
from onnx_tools import linear, outside
from run_tools import command_line

import sqlamarr
from sqlamarr import load_pipeline
from sqlamarr.errors import ModelError, PipelineError
from sqlamarr.models import entry
from sqlamarr.models.files import sha256
from sqlamarr.output import provenance
from sqlamarr.output.provenance_differences import DECISIVE
from sqlamarr.output.provenance_differences import differences as differences_of
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

PIPELINE = """
name: test
models: {{{models}}}
schema: schema.sql
steps:
  - find_primary_vertices: {{}}
  - select_particles: {{}}
  - plugin: {{model: m, function: f, query: q.sql, table: First, key: [mcparticle_id, event_id],
             inputs: 2, outputs: [a, b]}}
  - plugin: {{model: m, function: g, query: q.sql, table: Second, key: [mcparticle_id, event_id],
             inputs: 2, outputs: [a, b]}}
output: {{tables: [MCParticles, First, Second]}}
"""
TABLE = (
    "CREATE TABLE {} (mcparticle_id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, a REAL NOT NULL, b REAL NOT NULL);"
)
QUERY = "SELECT mcparticle_id, event_id, px / 1e4 AS px, py / 1e4 AS py FROM MCParticles"
MODULE = """
def f(inputs):
    return inputs + 1

def g(inputs):
    return inputs + 2
"""


@pytest.fixture
def pipeline(make_pipeline, tmp_path):
    (tmp_path / "mine.py").write_text(MODULE)
    linear(tmp_path / "net.onnx", 2, 2)
    schema = TABLE.format("First") + TABLE.format("Second")
    return lambda models: load_pipeline(make_pipeline(PIPELINE.format(models=models), q=QUERY, schema=schema))


def differences(path):
    with sqlamarr.open(path) as db:
        return db.execute(
            "SELECT count(*), avg(f.a - m.px / 1e4), avg(s.a - m.px / 1e4) FROM First f JOIN Second s "
            "USING (mcparticle_id) JOIN MCParticles m USING (mcparticle_id)"
        ).fetchone()


def test_a_python_module_serves_every_function(pipeline, example, tmp_path):
    out = tmp_path / "out.db"
    sqlamarr.run(pipeline("m: {python: mine.py}"), example, out, seed=1, events=2)
    n, first, second = differences(out)
    assert n > 100
    assert (first, second) == pytest.approx((1, 2), abs=1e-5)
    with sqlamarr.open(out) as db:
        recorded = provenance.read(db)["models"]["m"]
    assert recorded == {
        "python": "mine.py",
        "file": str(tmp_path / "mine.py"),
        "sha256": hashlib.sha256(MODULE.encode()).hexdigest(),
    }
    assert entry.describe(recorded).startswith("mine.py, sha256 ")


def test_a_model_beside_a_pipeline_whose_path_is_relative_is_found(pipeline, example, tmp_path, monkeypatch):
    absolute = pipeline('m.f: {python: "mine.py:f"}, m.g: {onnx: net.onnx}')
    monkeypatch.chdir(tmp_path.parent)
    relative = load_pipeline(absolute.path.relative_to(tmp_path.parent))
    summaries = [sqlamarr.run(p, example, tmp_path / "out.db", seed=1, events=2, overwrite=True)
                 for p in (absolute, relative)]  # fmt: skip
    assert [summary.events for summary in summaries] == [2, 2]
    with sqlamarr.open(tmp_path / "out.db") as db:
        assert provenance.read(db)["models"]["m.f"]["file"] == str(tmp_path / "mine.py")


def test_one_function_of_a_model_is_replaced_by_one_line(pipeline, example, tmp_path, capsys):
    chosen = pipeline("m: {python: mine.py}, m.g: {onnx: net.onnx}")
    sqlamarr.run(chosen, example, tmp_path / "out.db", seed=1, events=2)
    _, first, second = differences(tmp_path / "out.db")
    assert first == pytest.approx(1, abs=1e-5)
    assert second != pytest.approx(2, abs=1e-3)
    assert command_line("show", tmp_path / "out.db") == 0
    digest = hashlib.sha256((tmp_path / "net.onnx").read_bytes()).hexdigest()
    assert f"  model       m.g: net.onnx, sha256 {digest[:16]}...\n" in capsys.readouterr().out


def test_the_command_line_replaces_one_function_too(pipeline, example, tmp_path, monkeypatch, capsys):
    path = pipeline("m: {python: mine.py}").path
    monkeypatch.chdir(tmp_path)
    for number, word in enumerate(["net.onnx", "mine:f", "mine.py:f", "mine.py"]):
        out = tmp_path / f"{number}.db"
        assert command_line("run", path, example, "-o", out, "-n", 2, "--model", f"m.g={word}") == 0
        _, _, second = differences(out)
        assert (second == pytest.approx(1, abs=1e-5)) == word.endswith(":f")


def test_results_of_other_kinds_do_not_depend_on_the_batch(pipeline, example):
    path = pipeline("m.f: {python: 'mine.py:f'}, m.g: {onnx: net.onnx}").path
    assert command_line("check", path, "--split", example, "-n", 5) == 0


def test_a_file_of_one_function_serves_one(pipeline):
    with pytest.raises(
        PipelineError, match=r"models\.m is a single function, but steps use it for 'f' and 'g'.*'m\.g: {"
    ):
        Worker(pipeline("m: {onnx: net.onnx}"), RunOptions(seed=1))


def test_a_function_that_no_step_asks_for_is_named(pipeline):
    with pytest.raises(PipelineError, match=r"no step uses models\.m\.h; the steps use: m\.f, m\.g"):
        Worker(pipeline("m: {python: mine.py}, m.h: {onnx: net.onnx}"), RunOptions(seed=1))


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ("m: {sha256: " + "a" * 64 + "}", "models.m: expected one of library, onnx, python, found none"),
        ("m: {onnx: a.onnx, library: a.so}", "models.m: expected one of .* found library, onnx"),
        (
            "m: {library: a.so, noise: z}",
            "models.m: 'noise' is an option of models of the kind onnx, not of the kind library",
        ),
        ("m: {python: 'a b'}", "models.m: python: expected module:function or file.py:function, found 'a b'"),
        ("m: {libary: a.so}", "models.m: unknown key 'libary'.*Did you mean 'library'"),
        ("m: {onnx: 'https://host/a.onnx'}", "https://host/a.onnx is a download and needs a sha256"),
    ],
)
def test_entries_that_are_wrong_are_explained(pipeline, models, message):
    with pytest.raises(PipelineError, match=message):
        pipeline(models)


def test_a_model_that_no_step_asks_for_must_be_there_too(pipeline):
    with pytest.raises(
        ModelError,
        match=r"pipeline\.yaml: models\.idle, which no step uses: The model file .*/no\.so does not exist",
    ):
        Worker(pipeline("m: {python: mine.py}, idle: {library: no.so}"), RunOptions(seed=1))


def test_another_file_than_the_checksum_says_is_refused(pipeline):
    for kind, name in [("onnx", "net.onnx"), ("python", "mine.py")]:
        with pytest.raises(ModelError, match="expected sha256 abab.* found .* Is it the right file"):
            Worker(pipeline(f"m: {{{kind}: {name}, sha256: {'ab' * 32}}}"), RunOptions(seed=1))


def test_weights_beside_an_onnx_file_are_part_of_the_model(pipeline, example, tmp_path):
    entries = "m.f: {onnx: net.onnx}, m.g: {python: 'mine.py:g'}"
    data = outside(linear(tmp_path / "net.onnx", 2, 2))
    options = {"inputs": example, "output": tmp_path / "o.db", "seed": 1, "events": 2}
    sqlamarr.run(pipeline(entries), **options)
    with sqlamarr.open(tmp_path / "o.db") as db:
        made = provenance.read(db)
        record = made["models"]["m.f"]
    assert record["external"] == {"net.onnx.data": hashlib.sha256(data.read_bytes()).hexdigest()}
    assert not differences_of(made, made, DECISIVE)
    content = data.read_bytes()
    data.write_bytes(content[4:] + content[:4])
    now = {**made, "models": {**made["models"], "m.f": entry.find({"onnx": "net.onnx"}, tmp_path).record()}}
    assert now["models"]["m.f"]["sha256"] == record["sha256"]
    assert differences_of(made, now, DECISIVE) == ["model m.f"]


def test_a_checksum_that_would_not_cover_the_weights_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outside(linear(tmp_path / "net.onnx", 2, 2))
    options = {"onnx": "net.onnx", "sha256": sha256(tmp_path / "net.onnx")}
    with pytest.raises(
        ModelError, match=r"weights in other files \(net.onnx.data\), which its sha256 does not"
    ) as told:
        entry.find(options, tmp_path)
    command = re.search('python -c "(.*)"$', str(told.value))[1]
    exec(command)
    (tmp_path / "net.onnx.data").unlink()
    one = {"onnx": "one_file.onnx", "sha256": sha256(tmp_path / "one_file.onnx")}
    assert entry.find(one, tmp_path).open("f")(np.ones((1, 2), np.float32), None, 2).shape == (1, 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plugins:lhcb_run2", {"library": "plugins:lhcb_run2"}),
        ("/a/b.so", {"library": "/a/b.so"}),
        ("/a/b.onnx", {"onnx": "/a/b.onnx"}),
        ("/a/b.py:f", {"python": "/a/b.py:f"}),
        ("/a/b.py", {"python": "/a/b.py"}),
        ("package.module:f", {"python": "package.module:f"}),
        ("https://h/b.onnx#sha256=00", {"onnx": "https://h/b.onnx", "sha256": "00"}),
        ("https://h/b.so#sha256=00", {"library": "https://h/b.so", "sha256": "00"}),
        ("/a/lib", {"library": "/a/lib"}),
    ],
)
def test_a_word_of_the_command_line_says_the_kind(text, expected):
    assert entry.parse(text) == expected


def test_models_that_python_gives_are_checked_like_those_of_a_file(pipeline):
    with pytest.raises(PipelineError, match=r"models\.m: unknown key 'onx'.*Did you mean 'onnx'"):
        pipeline("m: {python: mine.py}").with_models({"m": {"onx": "a.onnx"}})
    with pytest.raises(PipelineError, match="there is no model 'n.f'; there are: m"):
        pipeline("m: {python: mine.py}").with_models({"n.f": "a.onnx"})


@pytest.mark.parametrize(
    "model",
    [
        "net.onnx",
        {"onnx": "net.onnx"},
        {"python": "there.py:f"},
        {"python": "there:f"},
        {"library": "plugins:lhcb_run2"},
    ],
)
def test_paths_that_python_gives_start_at_the_current_folder(pipeline, tmp_path, monkeypatch, model):
    before = pipeline("m: {python: mine.py}")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "net.onnx").rename(elsewhere / "net.onnx")
    (elsewhere / "there.py").write_text(MODULE)
    monkeypatch.chdir(elsewhere)
    changed = before.with_models({"m.f": model})
    if model == {"library": "plugins:lhcb_run2"}:
        assert changed.models["m.f"] == model
        return
    monkeypatch.chdir(tmp_path)
    assert Worker(changed, RunOptions(seed=1)).workspace.model_file("m.f").path.parent == elsewhere


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["px"], r"Step 'First': function 'mine\.py:f' has 1 input \(px\), but the pipeline expects 2: px, py\."),
        (["px", "pt"], r"q\.sql returns py where function 'mine\.py:f' expects pt\. Name the columns like the model's"),
    ],
)
def test_names_of_inputs_that_do_not_fit_are_shown(pipeline, tmp_path, names, message):
    (tmp_path / "mine.py").write_text(f"{MODULE}\nf.input_names = {names}\n")
    with pytest.raises(PipelineError, match=message):
        Worker(pipeline("m: {python: mine.py}"), RunOptions(seed=1))
