"""Outputs of models and the columns that they become."""

from __future__ import annotations

import re

import numpy as np
import pytest
from onnx import helper
from onnx_tools import constants, linear, save, value

import sqlamarr
from sqlamarr.errors import EventError, PipelineError
from sqlamarr.models.onnx import OnnxModel

PIPELINE = """
name: test
models: {{m: {{{model}}}}}
steps:
  - find_primary_vertices: {{}}
  - select_particles: {{}}
  - plugin: {{model: m, function: f, query: q.sql, table: answers, key: [mcparticle_id, event_id],
             inputs: {inputs}, outputs: [{outputs}]}}
output: {{tables: [MCParticles, answers]}}
"""
QUERY = "SELECT mcparticle_id, event_id, px, py, pz FROM MCParticles"

COMPILED = """
#include "sqlamarr_plugin.h"
static const char *const inputs[] = {"px", "py", "pz"};
static const char *const outputs[] = {NAMES};
static const sqlamarr_model_info info = {SQLAMARR_PLUGIN_ABI, 3, 3, 0, inputs, outputs, "a test", 0, 0};
SQLAMARR_EXPORT const sqlamarr_model_info *f_info(void) { return &info; }
SQLAMARR_EXPORT float *f(float *out, const float *in) {
    for (int i = 0; i < 3; ++i) out[i] = in[i];
    return out;
}
"""


@pytest.fixture(params=["library", "python", "onnx"])
def copying(request, compile_plugin, tmp_path):
    """A model of each kind that gives px, py, pz in this order, and names them as is said."""

    def make(*names):
        if request.param == "library":
            quoted = ", ".join(f'"{name}"' for name in names)
            return f"library: {compile_plugin(COMPILED.replace('NAMES', quoted))}"
        if request.param == "python":
            text = f"def f(inputs):\n    return 1 * inputs\nf.output_names = {list(names)}\n"
            (tmp_path / "mine.py").write_text(text)
            return "python: mine.py"
        nodes = [helper.make_node("Identity", ["x"], ["y"])]
        metadata = {"output_names": ",".join(names)}
        save(tmp_path / "m.onnx", nodes, [value("x", "N", 3)], [value("y", "N", 3)], metadata=metadata)
        return "onnx: m.onnx"

    return make


@pytest.fixture
def answers(make_pipeline, example, tmp_path):
    """What the step makes of the momenta of the particles, beside these."""

    def run(model, outputs, query=QUERY, inputs=3):
        pipeline = make_pipeline(PIPELINE.format(model=model, outputs=outputs, inputs=inputs), q=query)
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=1)
        with sqlamarr.open(tmp_path / "out.db") as db:
            return db.arrays("SELECT * FROM answers JOIN MCParticles USING (mcparticle_id, event_id)")

    return run


@pytest.mark.parametrize("outputs", ["x, y, z", "z, x, y", "y, x, z"])
def test_outputs_go_by_name_where_the_model_has_names(copying, answers, outputs):
    found = answers(copying("x", "y", "z"), outputs)
    for name in "xyz":
        assert np.array_equal(found[name], found[f"p{name}"].astype(np.float32)), name


def test_outputs_of_other_names_are_refused_before_any_event(copying, answers):
    message = (
        r"Step 'answers': outputs are x, y, z, but .* returns y, z, u\. Use the model's names in the "
        r"step, in any order, or the step's names in the model \(sqlamarr compile --outputs "
        r"FUNCTION=NAME,\.\.\.\)"
    )
    with pytest.raises(PipelineError, match=message):
        answers(copying("y", "z", "u"), "x, y, z")


@pytest.mark.parametrize("names", [("y0", "y1", "y2"), ("p_1", "p_2", "p_3"), ("0", "1", "2")])
def test_names_that_only_count_say_no_more_than_the_order(copying, answers, names):
    found = answers(copying(*names), "z, x, y")
    assert np.array_equal(found["z"], found["px"].astype(np.float32))


@pytest.mark.parametrize("names", [("y2", "y1", "y0"), ("p_0", "p_3", "p_4"), ("p_0", "q_1", "p_2")])
def test_names_that_count_in_another_way_mean_something(copying, answers, names):
    with pytest.raises(PipelineError, match=r"outputs are x, y, z, but .* returns " + ", ".join(names)):
        answers(copying(*names), "x, y, z")


def test_one_output_is_what_it_is_under_any_name(answers, tmp_path):
    (tmp_path / "mine.py").write_text("def f(inputs):\n    return inputs[:, 0]\nf.output_names = ['predict']\n")
    found = answers("python: mine.py", "x")
    assert np.array_equal(found["x"], found["px"].astype(np.float32))


def test_the_classes_of_a_yes_or_no_only_count(answers, tmp_path):
    text = "def f(inputs):\n    return inputs[:, :2]\nf.output_names = ['p_False', 'p_True']\n"
    (tmp_path / "mine.py").write_text(text)
    found = answers("python: mine.py", "lost, seen")
    assert np.array_equal(found["lost"], found["px"].astype(np.float32))


def test_names_of_the_columns_of_a_network_go_with_the_outputs_that_are_chosen(tmp_path):
    nodes = [helper.make_node("Split", ["x", "sizes"], ["a", "b"], axis=1)]
    metadata = {"output_names": "u,v,w"}
    outputs = [value("a", "N", 1), value("b", "N", 2)]
    path = save(
        tmp_path / "m.onnx", nodes, [value("x", "N", 3)], outputs, constants(sizes=np.array([1, 2])), metadata=metadata
    )
    assert OnnxModel(path).output_names == ["u", "v", "w"]
    assert OnnxModel(path, outputs=["a", "b"]).output_names == ["u", "v", "w"]
    assert OnnxModel(path, outputs=["b", "a"]).output_names == ["v", "w", "u"]
    assert OnnxModel(path, outputs=["b"]).output_names == ["v", "w"]
    assert OnnxModel(path, outputs=["b", "a"])(np.float32([[1, 2, 3]]), None, 3).tolist() == [[2, 3, 1]]
    two = save(
        tmp_path / "2.onnx", nodes, [value("x", "N", 3)], outputs, constants(sizes=np.array([1, 2])),
        metadata={"output_names": "v,w"},
    )  # fmt: skip
    assert OnnxModel(two, outputs=["b"]).output_names == ["v", "w"]
    assert OnnxModel(two, outputs=["a"]).output_names is None
    assert OnnxModel(linear(tmp_path / "n.onnx", 2, 2)).output_names is None


@pytest.mark.parametrize(
    ("outputs", "twice"), [("x, event_id, z", "event_id"), ("x, y, x", "x"), ("x, MCparticle_id, z", "MCparticle_id")]
)
def test_two_columns_of_one_name_are_refused(copying, answers, outputs, twice):
    message = (
        rf"Step 'answers': table 'answers' would have two columns '{twice}' \(mcparticle_id, event_id, "
        "x, .*not the name of"
    )
    with pytest.raises(PipelineError, match=message):
        answers(copying("x", "y", "z"), outputs)


CASES = """
import re

import numpy as np
def efficiency(inputs):
    answers = np.tile(np.float32([0.1, 0.7000001, 0.1, 0.1000001]), (len(inputs), 1))
    answers[inputs[:, 0] < -2.5] = VALUES
    return answers
"""


@pytest.fixture
def with_efficiencies(example, tmp_path):
    """Run the shipped pipeline with an efficiency that gives some particles these probabilities."""

    def run(values, **options):
        (tmp_path / "cases.py").write_text(CASES.replace("VALUES", str(values)))
        models = {"tracking.efficiency": str(tmp_path / "cases.py")}
        return sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=1, models=models, **options)

    return run


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [0, 50, 0, 0],
            r"returned 50 as 'long' for mcparticle_id = \d+; expected a probability, 0 to 1\. Take them from a "
            r"classifier's ",
        ),
        ([0, 0, -5, 1], r"returned -5 as 'upstream' for mcparticle_id = \d+; expected a probability, 0 to 1"),
        (
            [0.5, 0.5, 0.5, 0],
            r"returned probabilities for mcparticle_id = \d+ \(not_reconstructed 0\.5, long 0\.5, upstream 0\.5, "
            r"downstream 0\) that sum to 1\.5, more than 1\. Take them from a classifier's predict_proba",
        ),
    ],
)
def test_what_is_no_probability_is_an_error_of_its_event(with_efficiencies, tmp_path, values, message):
    with pytest.raises(EventError, match=message):
        with_efficiencies(values, events=20)
    summary = with_efficiencies(values, events=20, on_error="skip", max_rejected=1, overwrite=True)
    with sqlamarr.open(tmp_path / "out.db") as db:
        rejected = dict(db.execute("SELECT event_id, reason FROM RejectedEvents"))
    assert 0 < len(rejected) == summary.rejected < 20
    for event, reason in rejected.items():
        assert int(re.search(r"mcparticle_id = (\d+)", reason)[1]) // 1_000_000 * 1_000_000 == event


def test_rounding_is_no_error(with_efficiencies):
    assert with_efficiencies([-5e-7, 1.0000005, 0, 0], events=2).rows["Tracks"] > 0


def test_probabilities_must_be_outputs(make_pipeline, example, tmp_path):
    (tmp_path / "mine.py").write_text("def f(inputs):\n    return inputs[:, 0]\n")
    text = PIPELINE.format(model="python: mine.py", outputs="x], probabilities: [y", inputs=3)
    with pytest.raises(PipelineError, match=r"Step 'answers': probabilities names y, .* among its outputs: x\."):
        sqlamarr.run(make_pipeline(text, q=QUERY), example, tmp_path / "out.db", seed=1)
