"""Models of whole events in ONNX and Python, against a compiled one that does the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_tools import constants, save, value
from run_tools import command_line
from test_event_plugin import PAIRS

from sqlamarr.errors import EventError, ModelError
from sqlamarr.models.events import CompiledEventModel, EventBatch, EventLimits, EventSizes
from sqlamarr.models.padded_kinds import OnnxEventModel, PythonEventModel

pytest.importorskip("onnxruntime")

N = 12  # the most rows of an event
SIZES, LIMITS = EventSizes(2, 1, 2, 2, 1), EventLimits(6, 12, N)

MODULE = """
import numpy as np

def pairs(events):
    n = events.mask.shape[1]
    matrix = (np.arange(n)[:, None] // 2 == np.arange((n + 1) // 2)).astype(np.float32)
    a = (events.event * events.rows[:, :, 0] + events.rows[:, :, 1]) @ matrix
    b = events.noise.sum(axis=2) @ matrix + events.event_noise
    mask = np.minimum(events.mask @ matrix, 1)
    return np.stack([a, b], axis=2), mask, matrix.T * (events.rows[:, :, 0] * events.mask)[:, None, :]

def everything(events):
    rows, mask, links = pairs(events)
    return rows, np.ones_like(mask), np.ones_like(links)

def centred(events):
    rows, mask, links = pairs(events)
    return rows - rows.mean(axis=0), mask, links

def flat(events):
    rows, mask, links = pairs(events)
    return rows, mask, links[:, :, :-1]

def unsure(events):
    rows, mask, links = pairs(events)
    return rows, np.where(events.mask.sum(axis=1, keepdims=True) > 3, np.float32(np.nan), mask), links

def fails(events):
    raise KeyError("x")

def two(events, more):
    return None
"""


def batch_of(*counts, seed=0):
    rng = np.random.default_rng(seed)
    total, events = sum(counts), len(counts)
    rows, noise = (rng.normal(size=(total, 2)).astype(np.float32) for _ in range(2))
    event, event_noise = (rng.normal(size=(events, 1)).astype(np.float32) for _ in range(2))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return EventBatch(np.arange(events) * 1_000_000, offsets, rows, event, noise, event_noise)


def one_of(batch, k):
    part = slice(batch.offsets[k], batch.offsets[k + 1])
    n = part.stop - part.start
    one = slice(k, k + 1)
    noise, event_noise = batch.noise[part], batch.event_noise[one]
    return EventBatch(batch.event_ids[one], np.array([0, n]), batch.rows[part], batch.event[one], noise, event_noise)


def onnx_pairs(path: Path, dropped=()) -> Path:
    nodes = [
        helper.make_node("Gather", ["rows", "zero"], ["px"], axis=2),
        helper.make_node("Gather", ["rows", "one"], ["py"], axis=2),
        helper.make_node("Mul", ["px", "event"], ["scaled"]),
        helper.make_node("Add", ["scaled", "py"], ["t"]),
        helper.make_node("MatMul", ["t", "P"], ["a"]),
        helper.make_node("ReduceSum", ["noise", "last"], ["r"], keepdims=0),
        helper.make_node("MatMul", ["r", "P"], ["rp"]),
        helper.make_node("Add", ["rp", "event_noise"], ["b"]),
        helper.make_node("Unsqueeze", ["a", "last"], ["a3"]),
        helper.make_node("Unsqueeze", ["b", "last"], ["b3"]),
        helper.make_node("Concat", ["a3", "b3"], ["out_rows"], axis=2),
        helper.make_node("MatMul", ["mask", "P"], ["m"]),
        helper.make_node("Clip", ["m", "low", "high"], ["out_mask"]),
        helper.make_node("Mul", ["px", "mask"], ["w"]),
        helper.make_node("Unsqueeze", ["w", "middle"], ["w3"]),
        helper.make_node("Mul", ["w3", "PT"], ["out_links"]),
    ]
    pairing = (np.arange(N)[:, None] // 2 == np.arange(N // 2)).astype(np.float32)
    weights = constants(
        zero=np.array(0), one=np.array(1), last=np.array([2]), middle=np.array([1]), P=pairing, PT=pairing.T[None],
        low=np.float32(0), high=np.float32(1),
    )  # fmt: skip
    shapes = {"rows": (N, 2), "mask": (N,), "event": (1,), "noise": (N, 2), "event_noise": (1,)}
    inputs = [value(name, "N", *shape) for name, shape in shapes.items() if name not in dropped]
    outputs = [helper.make_tensor_value_info(f"out_{n}", TensorProto.FLOAT, None) for n in ("rows", "mask", "links")]
    return save(path, nodes, inputs, outputs, weights)


@pytest.fixture(params=["onnx", "python"])
def model(request, tmp_path):
    if request.param == "onnx":
        return OnnxEventModel(onnx_pairs(tmp_path / "pairs.onnx"))
    return python(tmp_path, "pairs")


def python(folder, function):
    (folder / "mine.py").write_text(MODULE)
    return PythonEventModel("mine.py", function, folder)


def test_it_does_what_a_compiled_model_does(model, compile_plugin):
    counts = (0, 1, 2, 12, 0, 5, *([3] * 130))
    batch = batch_of(*counts)
    model.verify(SIZES, LIMITS)
    found, expected = model(batch, SIZES, LIMITS), CompiledEventModel(compile_plugin(PAIRS), "f")(batch, SIZES, LIMITS)
    assert found.offsets.tolist() == expected.offsets.tolist()
    assert found.rows == pytest.approx(expected.rows, abs=1e-5)
    for name in ("link_out", "link_in"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    assert found.link_weight == pytest.approx(expected.link_weight, abs=1e-6)


def test_an_event_does_not_see_its_batch(model):
    batch = batch_of(3, 0, 12, 7, *range(12))
    together = model(batch, SIZES, LIMITS)
    alone = [model(one_of(batch, k), SIZES, LIMITS) for k in range(batch.events)]
    assert together.rows.tobytes() == b"".join(a.rows.tobytes() for a in alone)
    assert together.link_weight.tobytes() == b"".join(a.link_weight.tobytes() for a in alone)


def test_no_events_are_no_problem(model):
    answers = model(batch_of(), SIZES, LIMITS)
    assert (answers.offsets.tolist(), answers.rows.shape, len(answers.link_in)) == ([0], (0, 2), 0)


def test_more_rows_or_links_than_allowed_are_errors_of_their_event(model):
    batch = batch_of(2, 11)
    with pytest.raises(EventError, match="6 output rows, more than the 5 that max_rows allows") as caught:
        model(batch, SIZES, EventLimits(5, 12, N))
    assert caught.value.event_id == 1_000_000
    with pytest.raises(EventError, match="11 links, more than the 10 that max_links allows"):
        model(batch, SIZES, EventLimits(6, 10, N))


def test_the_most_rows_of_an_event_must_be_declared(model):
    with pytest.raises(ModelError, match="events are padded. Give the step 'max_inputs: N'"):
        model.verify(SIZES, EventLimits(6, 12))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("centred", "returns a different result for a row when other rows change"),
        ("flat", r"returns links of shape \(16, 6, 11\) for 16 events, expected \(16, 6, 12\)"),
        ("fails", r"raised KeyError: 'x'\n  .*mine.py"),
        ("two", r"cannot be called as f\(events\)"),
    ],
)
def test_functions_that_are_wrong_are_refused(tmp_path, function, message):
    with pytest.raises(ModelError, match=f"'mine.py:{function}': {message}"):
        python(tmp_path, function).verify(SIZES, LIMITS)


def test_steps_with_events_of_different_sizes_share_a_model(tmp_path):
    model, wide = python(tmp_path, "pairs"), EventLimits(10, 20, 20)
    for limits in (wide, LIMITS):
        model.verify(SIZES, limits)
    batch = batch_of(3, 12, 0)
    found, expected = model(batch, SIZES, wide), python(tmp_path, "pairs")(batch, SIZES, LIMITS)
    assert found.rows == pytest.approx(expected.rows, abs=1e-5)
    assert len(model(batch_of(18), SIZES, wide).rows) == 9


def test_links_to_places_without_row_are_refused(tmp_path):
    with pytest.raises(EventError, match="links an output row to a place where the event has no input row"):
        python(tmp_path, "everything")(batch_of(3), SIZES, EventLimits(6, 100, N))


def test_a_mask_that_is_no_number_loses_no_row(tmp_path):
    with pytest.raises(EventError, match="the mask of the output rows is NaN") as caught:
        python(tmp_path, "unsure")(batch_of(2, 3, 5), SIZES, LIMITS)
    assert caught.value.event_id == 2_000_000


def test_a_file_of_other_inputs_or_sizes_is_refused(tmp_path):
    model = OnnxEventModel(onnx_pairs(tmp_path / "pairs.onnx"))
    with pytest.raises(
        ModelError, match=r"takes 'rows' of shape \(12, 2\) per event, but the pipeline expects \(9, 2\)"
    ):
        model.verify(SIZES, EventLimits(6, 12, 9))
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    path = save(tmp_path / "other.onnx", nodes, [value("x", "N", 2)], [value("y", "N", 2)])
    with pytest.raises(ModelError, match="'other.onnx' has the inputs x and the outputs y; an event model takes rows"):
        OnnxEventModel(path)


def test_a_pipeline_with_a_padded_model_does_not_depend_on_the_batch(make_pipeline, example, tmp_path):
    onnx_pairs(tmp_path / "pairs.onnx")
    text = """
name: test
models: {m: {onnx: pairs.onnx}}
steps:
  - find_primary_vertices: {}
  - select_particles: {}
  - event_plugin: {model: m, function: f, query: q.sql, key: [mcparticle_id], table: pairs, id: pair_id,
                   links: pair_links, inputs: 2, outputs: [a, b], max_rows: 6, max_links: 12, max_inputs: 12,
                   event_query: e.sql, event_inputs: 1, noise: 2, event_noise: 1}
output: {tables: [pairs, pair_links]}
"""
    ranked = "SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY mcparticle_id) AS n FROM MCParticles"
    query = f"SELECT mcparticle_id, event_id, px, py FROM ({ranked}) WHERE n < 9"
    path = make_pipeline(text, q=query, e="SELECT event_id, 2.0 AS scale FROM Events")
    assert command_line("check", path, "--split", example, "-n", 6) == 0
