"""Libraries as a whole: the commands, what a library tells, wide outputs, verification, toolchain."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from compiler_tools import assert_same_bits_for_every_count, compile_graphs, needs_compiler, source_of
from run_tools import command_line

import sqlamarr
from sqlamarr.compiler import compile as compile_models
from sqlamarr.compiler import toolchain
from sqlamarr.compiler.build import build
from sqlamarr.compiler.inspection import function_names, inspect
from sqlamarr.compiler.ir import FLOAT32, FLOAT64, Graph
from sqlamarr.compiler.stages import parse
from sqlamarr.compiler.trees import ensemble, tree
from sqlamarr.errors import CompilerError, ModelError, SqlamarrError
from sqlamarr.models.base import Sizes
from sqlamarr.models.compiled import CompiledModel

RNG = np.random.Generator(np.random.Philox(11))


def image_generator(pixels: int = 900) -> Graph:
    """5 conditions and noise to an image of 30 x 30 cells: ReLU layers, a positive last one."""
    graph = Graph(["x", "y", "tx", "ty", "energy"], noise=8)
    value = graph.concat([graph.input, graph.noise])
    for width in (32, 64):
        weights = RNG.normal(size=(value.width, width)) / np.sqrt(value.width)
        value = graph.leaky_relu(graph.dense(value, weights, RNG.normal(size=width) / 10), 0.2)
    weights = RNG.normal(size=(value.width, pixels)) / 8
    graph.set_output(graph.unary("softplus", graph.dense(value, weights)), [f"cell{i}" for i in range(pixels)])
    return graph


IMAGE_PIPELINE = """
name: image
models:
  image: {library: image.so}
steps:
  - find_primary_vertices: {}
  - select_particles: {}
  - plugin: {model: image, function: image, query: image.sql, table: Images, key: [mcparticle_id, event_id],
             inputs: 5, noise: 8, outputs: [OUTPUTS]}
output: {tables: [Images]}
"""


@needs_compiler
def test_a_library_of_900_outputs_runs_in_a_pipeline(tmp_path, example, make_pipeline):
    graph = image_generator()
    library = compile_graphs({"image": graph}, tmp_path / "image.so")
    x, z = RNG.normal(size=(101, 5)).astype(np.float32), RNG.normal(size=(101, 8)).astype(np.float32)
    image = assert_same_bits_for_every_count(CompiledModel(library, "image"), x, z, 900)
    assert image.min() > 0
    text = IMAGE_PIPELINE.replace("OUTPUTS", ", ".join(graph.output_names))
    query = "SELECT event_id, mcparticle_id, px AS x, py AS y, 0.1 AS tx, 0.2 AS ty, pe AS energy FROM MCParticles"
    pipeline = make_pipeline(text, image=query)
    sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=2)
    with sqlamarr.open(tmp_path / "out.db") as db:
        rows = db.arrays("SELECT * FROM Images")
    assert len(rows) == 902
    assert len(rows["cell899"]) > 50
    assert np.all(rows["cell899"] >= 0)


def small(seed: int = 1) -> Graph:
    rng = np.random.default_rng(seed)
    graph = Graph(["a", "b"], noise=1)
    value = graph.dense(graph.concat([graph.input, graph.noise]), rng.normal(size=(3, 4)), rng.normal(size=4))
    graph.set_output(graph.dense(graph.unary("tanh", value), rng.normal(size=(4, 2))), ["dx", "dy"])
    return graph


# ---- what a library tells ----------------------------------------------------------------------------


@needs_compiler
def test_a_library_tells_what_it_is_and_exports_nothing_else(tmp_path):
    source = source_of(small(), -1.0, 2.0)
    made = build({"double": source, "exp": source}, tmp_path / "l.so", rows=100)  # words of C are fine as names
    assert function_names(made.path) == ["double", "exp"]
    found = inspect(made.path, "double")
    assert found.sizes == Sizes(2, 2, 1)
    assert [(i.name, i.low, i.high) for i in found.inputs] == [("a", -1, 2), ("b", -1, 2)]
    assert found.outputs == ("dx", "dy")
    assert found.origin == "a test"
    assert found.self_test is not None
    assert found.self_test.passed
    assert (found.self_test.rows, found.self_test.test_rows) == (100, 16)
    assert found.self_test.recorded == made.functions["double"].deviation
    model = CompiledModel(made.path, "exp")
    assert model.outside(np.array([[0, 0], [-2, 0], [3, 3]], np.float32)).tolist() == [2, 1]
    listed = subprocess.run(["nm", "-D", "--defined-only", made.path], capture_output=True, text=True, check=True)
    symbols = {line.split()[-1] for line in listed.stdout.splitlines()}
    assert symbols == {f"{f}{end}" for f in ("double", "exp") for end in ("", "_batch", "_info", "_verification")}


@needs_compiler
def test_names_may_have_letters_of_any_alphabet(tmp_path):
    graph = Graph(["η", 'a "quoted" \\ name', "μ→π 😀"])
    graph.set_output(graph.reduce("sum", graph.input), ["Σ"])
    model = CompiledModel(compile_graphs({"f": graph}, tmp_path / "l.so"), "f")
    assert (model.input_names, model.output_names) == (list(graph.input_names), ["Σ"])


@needs_compiler
def test_shipped_libraries_can_be_shown(capsys):
    assert command_line("model", "plugins:lhcb_run2", "acceptance") == 0
    out = capsys.readouterr().out
    assert "12 inputs, 1 output and 0 random numbers" in out
    assert "log10_p [3, 5.3]" in out
    assert command_line("model", "plugins:lhcb_run2_calo") == 0
    out = capsys.readouterr().out
    assert "ecal  (whole events)" in out
    assert "threshold (of the event)" in out


@needs_compiler
def test_a_library_whose_answers_have_changed_fails_its_self_test(tmp_path, capsys):
    folder = tmp_path / "source"
    build({"f": source_of(small())}, tmp_path / "l.so", rows=100, keep_source=folder)
    weights = np.frombuffer((folder / "weights.bin").read_bytes(), np.float32) * 1.01
    (folder / "weights.bin").write_bytes(weights.tobytes())
    toolchain.run([*toolchain.options(), "-shared", "model.c", "-o", "l.so", "-lm"], folder)
    assert inspect(folder / "l.so", "f").self_test.deviation > 1e-3
    assert command_line("model", folder / "l.so") == 0  # nothing was promised: it was not verified
    told = ["-DMODEL0_DEVIATION=1e-7", "-DMODEL0_TOLERANCE=1e-4", "-DMODEL0_ROWS=100"]
    toolchain.run([*toolchain.options(), *told, "-shared", "model.c", "-o", "m.so", "-lm"], folder)
    assert command_line("model", folder / "m.so") == 1
    assert "the self-test of f fails" in capsys.readouterr().err


@needs_compiler
def test_a_kept_source_makes_the_same_library_by_itself(tmp_path):
    made = build({"f": source_of(small())}, tmp_path / "l.so", rows=100, keep_source=tmp_path)
    toolchain.run([*toolchain.options(), "-shared", "model.c", "-o", "again.so", "-lm"], tmp_path)
    x, z = RNG.normal(size=(50, 2)), RNG.normal(size=(50, 1))
    answers = {CompiledModel(path, "f")(x, z, 2).tobytes() for path in (made.path, tmp_path / "again.so")}
    assert len(answers) == 1


# ---- verification ---------------------------------------------------------------------------------------


def stump(feature: int = 0, right: int = 2):
    cut = tree([feature, -1, -1], [0.5, 0, 0], [1, 0, 0], [right, 0, 0], [0.0, 1.0, 2.0])
    return ensemble([cut], 0.0, FLOAT32)


def lying(graph: Graph, by: float, share: float = 1.0):
    """A source whose original gives something else in some of the rows."""
    honest = source_of(graph)

    def reference(x, z):
        wrong = np.arange(len(x)) < share * len(x)
        return honest.reference(x, z) + np.where(wrong, by, 0.0)[:, None]

    from dataclasses import replace

    return replace(honest, reference=reference)


@needs_compiler
def test_a_function_that_differs_from_its_original_is_an_error_and_leaves_no_library(tmp_path):
    with pytest.raises(CompilerError, match=r"f: the compiled function differs from the original: output 'd[xy]' is"):
        build({"f": lying(small(), 0.01)}, tmp_path / "l.so")
    assert not (tmp_path / "l.so").exists()
    assert build({"f": lying(small(), 0.01)}, tmp_path / "l.so", tolerance=0.1).functions["f"].deviation > 1e-4


@needs_compiler
@pytest.mark.parametrize("share", [0.0005, 0.01])
def test_few_rows_may_jump_where_a_tree_cuts(tmp_path, share):
    graph = Graph(["a"])
    graph.set_output(graph.trees(graph.input, stump()))
    if share > 0.001:
        with pytest.raises(CompilerError, match="differs from the original"):
            build({"f": lying(graph, 0.3, share)}, tmp_path / "l.so")
    else:
        found = build({"f": lying(graph, 0.3, share)}, tmp_path / "l.so").functions["f"]
        assert 0 < found.jumps < 5
        assert "fell on the other side of a cut" in str(found)


def test_originals_that_fail_or_give_nothing_are_named(tmp_path):
    from dataclasses import replace

    source = source_of(small())

    def failing(x, z):
        raise ValueError("strictly positive data")

    with pytest.raises(
        CompilerError, match="f: the original fails on the rows used for verification: strictly positive"
    ):
        build({"f": replace(source, reference=failing)}, tmp_path / "l.so")
    with pytest.raises(CompilerError, match="no finite numbers for most of the verification rows.*--sample f=FILE.npy"):
        build({"f": replace(source, reference=lambda x, z: np.full((len(x), 2), np.nan))}, tmp_path / "l.so")
    with pytest.raises(CompilerError, match="the original has 3 outputs, but its translation has 2"):
        build({"f": replace(source, reference=lambda x, z: np.zeros((len(x), 3)))}, tmp_path / "l.so")
    with pytest.raises(CompilerError, match=r"the sample has shape \(5, 3\), expected \(rows, 2\)"):
        build({"f": source}, tmp_path / "l.so", samples={"f": np.zeros((5, 3))})


# ---- the toolchain -------------------------------------------------------------------------------------------


def test_a_missing_c_compiler_is_an_error_that_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(CompilerError, match="No C compiler was found.*apt install gcc"):
        build({"f": source_of(small())}, tmp_path / "l.so")
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(CompilerError, match="The C compiler 'no-such-compiler', set by CC, was not found"):
        build({"f": source_of(small())}, tmp_path / "l.so")


@needs_compiler
def test_a_c_compiler_that_fails_is_quoted(tmp_path):
    (tmp_path / "x.c").write_text("int f( {")
    with pytest.raises(CompilerError, match=r"The C compiler failed \(.*x\.c\): .*error"):
        toolchain.run(["-c", "x.c"], tmp_path)


@needs_compiler
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CompilerError, match="cannot be written"):
        build({"f": source_of(small())}, tmp_path / "file" / "l.so", rows=10)


def test_names_that_are_no_names_of_functions(tmp_path):
    with pytest.raises(CompilerError, match="'a-b' is not a valid name of a C function"):
        build({"a-b": source_of(small())}, tmp_path / "l.so")
    with pytest.raises(CompilerError, match="There is nothing to compile"):
        build({}, tmp_path / "l.so")


# ---- graphs that make no sense ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g: g.unary("sinus", g.input), "There is no operation 'sinus'; there are: neg, abs"),
        (lambda g: g.binary("add", g.input, g.cast(g.input, FLOAT64)), "operands of type float32 and float64; cast"),
        (lambda g: g.binary("add", g.input, [1.0, 2.0]), "add: widths 3 and 2 do not match"),
        (lambda g: g.select(g.input, [3]), "there is no column 3 among 3"),
        (lambda g: g.dense(g.input, np.zeros((2, 2))), r"a matrix of shape \(2, 2\) does not match 3 columns"),
        (lambda g: g.dense(g.input, np.zeros((3, 2)), [1.0]), "1 biases for 2 outputs"),
        (lambda g: g.interpolate(g.input, [[0, 1]], [[0, 1]]), "1 tables for 3 columns"),
        (lambda g: g.interpolate(g.input, [[1, 0]] * 3, [[0, 1]] * 3), "the positions of column 0 must ascend"),
        (lambda g: g.reduce("sum", g.input, 2), "3 columns cannot be divided into groups of 2"),
        (lambda g: g.set_output(g.input, ["a"]), "1 names given for 3 outputs"),
        (
            lambda g: g.trees(g.input, stump(feature=5)),
            "Tree 0 uses column 5 of 3",
        ),
        (
            lambda g: g.trees(g.input, stump(right=9)),
            "Tree 0 has a node whose children do not exist",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(make, message):
    with pytest.raises(CompilerError, match=message):
        make(Graph(["a", "b", "c"]))


# ---- the command line ---------------------------------------------------------------------------------------------


def test_stages_of_the_command_line():
    found = parse("pre.pkl, a:b/gen.onnx,post.pkl:inverse_transform[0,2]")
    assert [(str(s.model), s.method, s.outputs) for s in found] == [
        ("pre.pkl", None, None), ("a:b/gen.onnx", None, None), ("post.pkl", "inverse_transform", (0, 2)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["f=missing.pkl"], 1, "f: The model missing.pkl does not exist"),
        (["f=model.txt"], 1, "files with the suffix '.txt' cannot be compiled; expected one of: .onnx, .pkl"),
        (["f"], 2, "'f' is not FUNCTION=VALUE"),
        (["f=a.pkl", "f=b.pkl"], 2, "'f' is given twice"),
        (["f=a.pkl", "--noise", "f=many"], 1, "noise='many' names an input of an ONNX file, but the function has no"),
        (["f=a.pkl", "--noise", "g=3"], 1, "Noise for 'g': there is no such function; there are: f"),
        (["f=a.pkl", "--sample", "f=x.txt"], 1, "The sample x.txt must be a .npy or a .csv file"),
        (["f=a.pkl", "--sample", "f=x.npy"], 1, "The sample x.npy cannot be read"),
        (["f=a.pkl,"], 1, "Expected FILE, FILE:METHOD or FILE:METHOD"),
    ],
)  # fmt: skip
def test_mistakes_on_the_command_line(arguments, code, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command_line("compile", *arguments, "-o", "l.so") == code
    assert message in capsys.readouterr().err


@needs_compiler
def test_random_numbers_of_an_onnx_file_go_to_the_input_that_takes_them(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper

    def described(name, width):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])

    for name in ("noise", "jitter"):
        nodes = [helper.make_node("Mul", ["x", name], ["y"])]
        graph = helper.make_graph(nodes, "g", [described("x", 2), described(name, 2)], [described("y", 2)])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(model, tmp_path / f"{name}.onnx")
    files = {name: str(tmp_path / f"{name}.onnx") for name in ("noise", "jitter")}
    made = compile_models(
        {"told": files["jitter"], "guessed": files["noise"], "counted": files["noise"]},
        tmp_path / "l.so",
        noise={"told": "jitter", "counted": 2},
    )
    assert set(made.sizes.values()) == {(2, 2, 2)}
    x, z = RNG.normal(size=(9, 2)).astype(np.float32), RNG.normal(size=(9, 2)).astype(np.float32)
    for function in made.functions:
        assert np.array_equal(CompiledModel(made.path, function)(x, z, 2), x * z)
    with pytest.raises(CompilerError, match="f: .*noise"):
        compile_models({"f": files["noise"]}, tmp_path / "m.so", noise={"f": "no_such_noise"})


@needs_compiler
def test_from_a_pickle_to_a_library_on_the_command_line(tmp_path, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    import pickle

    from sklearn.linear_model import LogisticRegression

    monkeypatch.chdir(tmp_path)
    x = RNG.normal(size=(100, 3))
    model = LogisticRegression().fit(x, x[:, 0] > 0)
    (tmp_path / "eff.pkl").write_bytes(pickle.dumps(model))
    np.savetxt("sample.csv", x, delimiter=",", header="p,eta,n", comments="")
    arguments = ["efficiency=eff.pkl:predict_proba[1]", "--sample", "efficiency=sample.csv"]
    assert command_line("compile", *arguments, "--inputs", "efficiency=p,eta,n", "-o", "l.so") == 0
    out = capsys.readouterr().out
    assert "efficiency           3 inputs, 0 random numbers -> 1 output; largest deviation" in out
    assert "on 100 rows" in out
    assert command_line("model", "l.so") == 0
    out = capsys.readouterr().out
    assert "inputs   p, eta, n" in out
    assert "self-test passed" in out
    found = CompiledModel(tmp_path / "l.so", "efficiency")(x.astype(np.float32), None, 1)
    assert np.allclose(found[:, 0], model.predict_proba(x.astype(np.float32))[:, 1], rtol=1e-6)
    (tmp_path / "broken.pkl").write_bytes(b"no pickle")
    assert command_line("compile", "f=broken.pkl", "-o", "m.so") == 1
    assert "f: broken.pkl cannot be loaded" in capsys.readouterr().err
    with pytest.raises(ModelError, match="is not a shared library"):
        function_names(tmp_path / "eff.pkl")


@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (b"csklearn.tree\nTree\n.", r'm\.pkl needs scikit-learn, .* pip install "sqlamarr-flashsim\[sklearn\]"'),
        (b"cno_such_package.deep\nThing\n.", r'm\.pkl needs no_such_package, .* install "no_such_package"'),
        (
            b"cnumpy.no_such_part\nThing\n.",
            r"the installed numpy has no module numpy\.no_such_part\..* another version",
        ),
    ],
    ids=["scikit-learn", "another package", "a part of a package"],
)
def test_a_pickle_whose_package_is_not_here_says_what_to_install(tmp_path, monkeypatch, pickled, message):
    pytest.importorskip("joblib")
    for name in [name for name in sys.modules if name.startswith("sklearn.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    (tmp_path / "m.pkl").write_bytes(pickled)
    with pytest.raises(SqlamarrError, match=message):
        compile_models({"f": str(tmp_path / "m.pkl")}, tmp_path / "m.so")
