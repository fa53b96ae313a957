"""The C back end: every operation against numpy, equal bits for every number of rows and on every processor."""

from __future__ import annotations

import numpy as np
import pytest
from compiler_tools import (
    assert_same_bits_for_every_count,
    compile_graphs,
    load_with,
    needs_compiler,
    paths_of_this_processor,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlamarr.compiler.evaluate import evaluate
from sqlamarr.compiler.ir import BINARY, FLOAT32, FLOAT64, REDUCTIONS, UNARY, Graph, Value
from sqlamarr.compiler.trees import ensemble, tree
from sqlamarr.models.compiled import CompiledModel

pytestmark = needs_compiler
RNG = np.random.Generator(np.random.Philox(3))
INPUTS = [f"x{i}" for i in range(6)]
TYPES = {"single": FLOAT32, "double": FLOAT64}
POSITIVE = {"log", "log2", "log10", "sqrt"}  # of positive numbers
UNIT = {"log1p", "normal_quantile"}  # of numbers between 0 and 1


def argument(graph: Graph, op: str, dtype):
    """The inputs (-3 to 3), brought to where the operation is defined."""
    x = graph.cast(graph.input, dtype)
    if op in POSITIVE:
        return graph.unary("abs", x)
    return graph.unary("sigmoid", x) if op in UNIT else x


def make_graphs():
    graphs: dict[str, Graph] = {}

    def new(name: str, noise: int = 0) -> Graph:
        graphs[name] = Graph(INPUTS, noise)
        return graphs[name]

    for suffix, dtype in TYPES.items():
        for op in UNARY:
            g = new(f"{op}_{suffix}")
            g.set_output(g.unary(op, argument(g, op, dtype)))
        for op in BINARY:
            g = new(f"{op}_{suffix}")
            x = g.cast(g.input, dtype)
            a, b = g.select(x, [0, 1, 2]), g.select(x, [3, 4, 5])
            a = g.unary("abs", a) if op == "pow" else a
            one = g.select(x, [5])
            forms = [g.binary(op, a, b), g.binary(op, a, [1.0, 2.0, -0.5])]
            if op == "sub":  # how operands are read is the same for all
                forms += [g.binary(op, a, one), g.binary(op, g.constant(2.5, dtype), b), g.binary(op, one, a)]
            g.set_output(g.concat(forms))
        for op in REDUCTIONS:
            g = new(f"reduce_{op}_{suffix}")
            x = g.cast(g.input, dtype)
            g.set_output(g.concat([g.reduce(op, x), g.reduce(op, x, 2), g.reduce(op, x, 1)]))
        g = new(f"shapes_{suffix}", noise=3)
        x = g.cast(g.concat([g.input, g.noise]), dtype)
        picked = g.concat([g.select(x, [2, 3, 4]), g.select(x, [8, 8, 0]), g.constant([1.5, 2.5], dtype)])
        condition = g.binary("gt", g.select(x, [0]), 0.0)
        chosen = g.where(condition, picked, g.constant(0.25, dtype))
        g.set_output(g.concat([chosen, g.softmax(x, 3), g.normalize(x, 1e-5), g.clip(x, -1.0, 1.0)]))
        g = new(f"activations_{suffix}")
        x = g.cast(g.input, dtype)
        g.set_output(g.concat([g.leaky_relu(x, 0.1), g.elu(x, 1.7)]))
        g = new(f"layers_{suffix}")  # what kernels do together, and what they must not
        x = g.cast(g.input, dtype)
        first = g.leaky_relu(random_layer(g, x, 24), 0.1)
        second = g.binary("add", g.unary("relu", random_layer(g, first, 24)), first)
        third = g.binary("add", g.select(second, range(8, 24)), random_layer(g, second, 16))
        again = g.binary("add", g.leaky_relu(random_layer(g, third, 16), 0.3), g.leaky_relu(third, 2.0))
        twice = random_layer(g, again, 5)
        bent = g.binary("add", g.select(again, range(3, 8)), g.leaky_relu(twice, 1.5))
        g.set_output(g.concat([bent, twice, g.binary("add", twice, twice)]))
        g = new(f"interpolate_{suffix}")
        tables = [np.sort(RNG.uniform(-3, 3, n)) for n in (1, 2, 3, 10, 100, 1000)]
        tables[3][4] = tables[3][5]  # a step
        values = [RNG.normal(size=len(t)) for t in tables]
        g.set_output(g.interpolate(g.cast(g.input, dtype), tables, values))
        g = new(f"trees_{suffix}")
        g.set_output(g.trees(g.cast(g.input, dtype), random_trees(dtype)))
        g = new(f"output_is_constant_{suffix}")
        g.set_output(g.constant([1.0, 2.0], dtype))
    return graphs


def random_layer(graph: Graph, x: Value, width: int) -> Value:
    return graph.dense(x, RNG.normal(size=(x.width, width)), RNG.normal(size=width))


def random_trees(dtype):
    def grow(level: int, nodes: list):
        at = len(nodes)
        nodes.append(None)
        if level == 0 or RNG.uniform() < 0.2:
            nodes[at] = (-1, 0.0, -1, -1, RNG.normal(size=3), False)
            return at
        left, right = grow(level - 1, nodes), grow(level - 1, nodes)
        nodes[at] = (RNG.integers(0, 6), RNG.uniform(-3, 3), left, right, np.zeros(3), RNG.uniform() < 0.5)
        return at

    trees = []
    for level in (0, 1, 4, 7):
        nodes: list = []
        grow(level, nodes)
        trees.append(tree(*(np.array(column) for column in zip(*nodes))))
    return ensemble(trees, [1.0, 2.0, 3.0], dtype)


GRAPHS = make_graphs()


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """All graphs in one library; compiling compares each with numpy."""
    return compile_graphs(GRAPHS, tmp_path_factory.mktemp("kernels") / "all.so", tolerance=3e-6)


@pytest.mark.parametrize("name", GRAPHS)
def test_an_operation_gives_the_same_bits_for_every_number_of_rows_and_on_every_processor(
    name, library, tmp_path_factory, monkeypatch
):
    graph = GRAPHS[name]
    x = RNG.uniform(-3, 3, (101, 6)).astype(np.float32)
    x[:7, 0] = [0, -0.0, np.nan, np.inf, -np.inf, 1e-42, 3e38]
    noise = RNG.normal(size=(101, 3)).astype(np.float32) if graph.noise else None
    folder = tmp_path_factory.getbasetemp()
    answers = {
        isa: assert_same_bits_for_every_count(
            load_with(library, isa, name, folder, monkeypatch), x, noise, graph.output.width
        )
        for isa in paths_of_this_processor()
    }
    first, *others = answers.values()
    for other in others:
        assert canonical(first) == canonical(other), list(answers)
    with np.errstate(all="ignore"):
        expected = evaluate(graph, x, noise).astype(np.float32)
    spread = np.nanmax(np.abs(expected[7:]), axis=0)
    assert np.all(np.abs(first[7:] - expected[7:]) <= 3e-6 * spread)
    assert np.array_equal(np.isnan(first), np.isnan(expected))


def canonical(values: np.ndarray) -> bytes:
    """All NaN are the same: which one an operation gives is up to the processor."""
    return np.where(np.isnan(values), np.float32(np.nan), values).tobytes()


@settings(max_examples=8, deadline=None)
@given(
    widths=st.lists(st.integers(1, 70), min_size=2, max_size=4),
    dtype=st.sampled_from([FLOAT32, FLOAT64]),
    as_text=st.booleans(),
)
def test_dense_layers_of_any_size_follow_numpy_and_give_equal_bits(widths, dtype, as_text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dense")
    graph = Graph([f"x{i}" for i in range(widths[0])])
    value = graph.cast(graph.input, dtype)
    for width in widths[1:]:
        value = graph.dense(value, RNG.normal(size=(value.width, width)), RNG.normal(size=width))
    graph.set_output(value)
    library = compile_graphs({"f": graph}, folder / "f.so", weights_as_text=as_text, tolerance=2e-6)
    x = RNG.normal(size=(101, widths[0])).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        answers = {
            assert_same_bits_for_every_count(
                load_with(library, isa, "f", folder, patch), x, None, value.width
            ).tobytes()
            for isa in paths_of_this_processor()
        }
    assert len(answers) == 1


def test_trees_send_missing_values_where_they_say_and_compare_exactly(tmp_path):
    third = 1 / 3  # is not a float32: the next one below is
    stump = tree([0, -1, -1], [third, 0, 0], [1, 0, 0], [2, 0, 0], [0.0, 1.0, 2.0], [True, False, False])
    graph = Graph(["x"])
    graph.set_output(graph.trees(graph.input, ensemble([stump], 0.0, FLOAT32)))
    model = CompiledModel(compile_graphs({"f": graph}, tmp_path / "f.so"), "f")
    below = np.float32(third) if float(np.float32(third)) <= third else np.nextafter(np.float32(third), np.float32(0))
    x = np.array([[below], [np.nextafter(below, np.float32(1))], [np.nan], [-np.inf], [np.inf]], np.float32)
    assert model(x, None, 1).ravel().tolist() == [1, 2, 1, 1, 2]


def test_weights_in_the_c_file_and_beside_it_give_the_same_library(tmp_path):
    graph = Graph(INPUTS)
    graph.set_output(graph.dense(graph.input, RNG.normal(size=(6, 40)), RNG.normal(size=40)))
    x = RNG.normal(size=(50, 6)).astype(np.float32)
    answers = {
        CompiledModel(compile_graphs({"f": graph}, tmp_path / f"{text}.so", weights_as_text=text), "f")(
            x, None, 40
        ).tobytes()
        for text in (True, False)
    }
    assert len(answers) == 1
