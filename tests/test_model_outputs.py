"""Outputs of models and the columns that they become."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper
from onnx_tools import constants, linear, save, value

import sqlamarr
from sqlamarr.errors import PipelineError
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
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, max_events=1)
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
        r"Step 'answers': outputs are x, y, z, where .* gives y, z, u\. Name them in the step as the model does, in "
        r"any order, or in the model as the step does \(sqlamarr compile --outputs FUNCTION=NAME,\.\.\.\)"
    )
    with pytest.raises(PipelineError, match=message):
        answers(copying("y", "z", "u"), "x, y, z")


@pytest.mark.parametrize("names", [("y0", "y1", "y2"), ("p_1", "p_2", "p_3"), ("0", "1", "2")])
def test_names_that_only_count_say_no_more_than_the_order(copying, answers, names):
    found = answers(copying(*names), "z, x, y")
    assert np.array_equal(found["z"], found["px"].astype(np.float32))


@pytest.mark.parametrize("names", [("y2", "y1", "y0"), ("p_0", "p_3", "p_4"), ("p_0", "q_1", "p_2")])
def test_names_that_count_in_another_way_mean_something(copying, answers, names):
    with pytest.raises(PipelineError, match=r"outputs are x, y, z, where .* gives " + ", ".join(names)):
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


def test_names_of_all_outputs_of_a_network_are_not_those_of_some(tmp_path):
    nodes = [helper.make_node("Split", ["x", "sizes"], ["a", "b"], axis=1)]
    metadata = {"output_names": "u,v,w"}
    outputs = [value("a", "N", 1), value("b", "N", 2)]
    path = save(
        tmp_path / "m.onnx", nodes, [value("x", "N", 3)], outputs, constants(sizes=np.array([1, 2])), metadata=metadata
    )
    assert OnnxModel(path).output_names == ["u", "v", "w"]
    assert OnnxModel(path, outputs=["a", "b"]).output_names == ["u", "v", "w"]
    assert OnnxModel(path, outputs=["b"]).output_names is None
    assert OnnxModel(linear(tmp_path / "n.onnx", 2, 2)).output_names is None


@pytest.mark.parametrize(
    ("outputs", "twice"), [("x, event_id, z", "event_id"), ("x, y, x", "x"), ("x, MCparticle_id, z", "MCparticle_id")]
)
def test_two_columns_of_one_name_are_refused(copying, answers, outputs, twice):
    message = (
        rf"Step 'answers': table 'answers' would have two columns '{twice}' \(mcparticle_id, event_id, x, .*none of"
    )
    with pytest.raises(PipelineError, match=message):
        answers(copying("x", "y", "z"), outputs)
