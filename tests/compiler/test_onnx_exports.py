"""Whole models as PyTorch, Keras, skl2onnx and onnxmltools export them, compiled, against onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from compiler_tools import assert_same_bits_for_every_count, needs_compiler

from sqlamarr.compiler.build import build
from sqlamarr.compiler.evaluate import evaluate
from sqlamarr.compiler.onnx_graph import read_file
from sqlamarr.models.compiled import CompiledModel

pytest.importorskip("onnxruntime")

FILES = {path.stem: path for path in sorted((Path(__file__).parents[1] / "data").glob("*.onnx"))}
FLOWS = ("affine_flow", "coupling_flow", "coupling_flow_dynamo", "autoregressive_flow")


def test_the_files_are_there():
    assert {"residual_mlp", "gan_generator", "keras_mlp", "sk_boosting", "lightgbm_two", "xgboost_two"} < set(FILES)


def rows_for(source, n=300, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(source.graph.input_names))).astype(np.float32)
    noise = source.graph.noise.width if source.graph.noise else 0
    return x, rng.normal(size=(n, noise)).astype(np.float32)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_translated(name):
    source = read_file(FILES[name], None)
    x, noise = rows_for(source)
    expected = source.reference(x.astype(float), noise.astype(float))
    size = max(1, np.abs(expected).max())
    assert evaluate(source.graph, x, noise) == pytest.approx(expected, abs=3e-5 * size)


@pytest.mark.parametrize("name", [*FLOWS, "gan_generator", "gan_generator_dynamo"])
def test_generators_get_their_noise_by_its_input(name):
    source = read_file(FILES[name], None)
    assert source.graph.noise is not None
    x, noise = rows_for(source)
    one = evaluate(source.graph, x, noise)
    assert (evaluate(source.graph, x, -noise) != one).all(axis=1).mean() > 0.99


@needs_compiler
def test_all_of_them_in_one_library(tmp_path):
    """Compiled, verified by the back end, and the same bits for every number of rows."""
    sources = {name: read_file(path, None) for name, path in FILES.items()}
    made = build(sources, tmp_path / "models.so", rows=1024)
    assert max(result.deviation for result in made.functions.values()) < 1e-4
    for name in ("residual_mlp", "autoregressive_flow", "sk_forest"):
        x, noise = rows_for(sources[name])
        model = CompiledModel(tmp_path / "models.so", name)
        width = sources[name].graph.output.width
        found = assert_same_bits_for_every_count(model, x, noise if sources[name].graph.noise else None, width)
        expected = sources[name].reference(x.astype(float), noise.astype(float))
        assert found == pytest.approx(expected, abs=3e-5 * max(1, np.abs(expected).max()))
