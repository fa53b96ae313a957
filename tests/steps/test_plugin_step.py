"""Compiled models as steps: sizes, names, numbers that are none, and randomness."""

from __future__ import annotations

import ctypes
import itertools

import numpy as np
import pytest

from sqlamarr import Columns, load_pipeline
from sqlamarr.errors import DataError, EventError, ModelError, PipelineError
from sqlamarr.models.compiled import CompiledModel
from sqlamarr.models.noise import RowNoise
from sqlamarr.native.library import native_folder
from sqlamarr.native.random import Random
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

PIPELINE = """
name: test
models: {{m: {{library: {library}}}}}
steps:
  - plugin: {{model: m, function: {function}, query: q.sql, table: answers, key: [mcparticle_id],
             inputs: {inputs}, outputs: [{outputs}], noise: {noise}}}
output: {{tables: [MCParticles]}}
"""
QUERY = "SELECT mcparticle_id, px, py FROM MCParticles"

SUM = "float *f(float *out, const float *in) { out[0] = in[0] + 10 * in[1]; out[1] = in[0]; return out; }"

# The same as SUM plus noise, with everything that our interface offers.
FULL = """
#include "sqlamarr_plugin.h"
static const char *const inputs[] = {"px", "py"};
static const char *const outputs[] = {"a", "b"};
static const float low[] = {-5, -5}, high[] = {5, 5};
static const sqlamarr_model_info info = {SQLAMARR_PLUGIN_ABI, 2, 2, 3, inputs, outputs, "a test", low, high};
SQLAMARR_EXPORT const sqlamarr_model_info *f_info(void) { return &info; }
SQLAMARR_EXPORT float *f(float *out, const float *in, const float *random) {
    out[0] = in[0] + 10 * in[1]; out[1] = random[0] + random[1] + random[2]; return out;
}
SQLAMARR_EXPORT int f_batch(size_t n, float *out, const float *in, const float *random) {
    for (size_t i = 0; i < n; ++i) f(out + 2 * i, in + 2 * i, random + 3 * i);
    return in[0] == 666 ? -7 : 0;
}
"""


@pytest.fixture
def prepare(make_pipeline, compile_plugin):
    def build(source, query=QUERY, function="f", inputs=2, outputs="a, b", noise=0, seed=1):
        library = compile_plugin(source)
        text = PIPELINE.format(library=library, function=function, inputs=inputs, outputs=outputs, noise=noise)
        return Worker(load_pipeline(make_pipeline(text, q=query)), RunOptions(seed=seed))

    return build


def answers(worker, **columns):
    """The step's table for some rows of MCParticles."""
    n = len(next(iter(columns.values())))
    ids = columns.pop("mcparticle_id", np.arange(n))
    db = worker.workspace.db
    worker.workspace.tables.clear()
    batch = worker.batch()
    batch.write("MCParticles", {"mcparticle_id": ids, "event_id": ids, "genevent_id": ids, **columns})
    for _, run in worker._runs:
        run(batch)
    return batch, db.arrays("SELECT * FROM answers ORDER BY mcparticle_id")


def test_a_foreign_model_is_called_row_by_row(prepare):
    _, result = answers(prepare(SUM), px=[1.0, 2.0], py=[3.0, 4.0])
    assert result["a"].tolist() == [31.0, 42.0]
    assert result["b"].tolist() == [1.0, 2.0]


def test_no_rows_are_no_problem(prepare):
    _, result = answers(prepare(SUM), px=[], py=[])
    assert len(result["a"]) == 0


@pytest.mark.parametrize(("outputs", "number"), [("a", "1 output"), ("a, b, c", "3 outputs")])
def test_a_wrong_number_of_outputs_stops_before_any_event(prepare, outputs, number):
    message = rf"'f' of model\.so: writes 2 values per row, but the pipeline declares {number}\."
    with pytest.raises(ModelError, match=message):
        prepare(SUM, outputs=outputs)


def test_a_model_that_writes_far_too_much_does_not_crash_the_run(prepare):
    source = "float *f(float *out, const float *in) { for (int i = 0; i < 100000; ++i) out[i] = in[0]; return out; }"
    with pytest.raises(ModelError, match="ended with SIGSEGV"):
        prepare(source)


def test_a_model_that_reads_more_inputs_than_declared_is_found(prepare):
    source = "float *f(float *out, const float *in) { out[0] = in[0] + in[2]; out[1] = 1; return out; }"
    with pytest.raises(ModelError, match="reads more than the 2 inputs"):
        prepare(source)


def test_a_model_that_reads_more_noise_than_declared_is_found(prepare):
    source = (
        """float *f(float *out, const float *in, const float *r) { out[0] = in[0] + r[4]; out[1] = 1; return out; }"""
    )
    with pytest.raises(ModelError, match="reads more than the 4 random numbers"):
        prepare(source, noise=4)


def test_sizes_that_the_library_declares_must_be_the_pipelines(prepare):
    with pytest.raises(
        ModelError, match=r"expects 2 inputs, 2 outputs and 4 random numbers, but the library declares .* 3"
    ):
        prepare(FULL, noise=4)


def test_a_missing_function_is_named(prepare):
    with pytest.raises(ModelError, match="has no function 'g'"):
        prepare(SUM, function="g")


def test_a_file_that_is_no_library_is_refused(make_pipeline, tmp_path):
    (tmp_path / "no.so").write_text("nothing")
    text = PIPELINE.format(library="no.so", function="f", inputs=2, outputs="a, b", noise=0)
    with pytest.raises(ModelError, match="Cannot load the model library"):
        Worker(load_pipeline(make_pipeline(text, q=QUERY)), RunOptions(seed=1))


def test_inputs_are_matched_by_name(prepare):
    worker = prepare(FULL, query="SELECT py, px, mcparticle_id FROM MCParticles", noise=3)
    _, result = answers(worker, px=[1.0], py=[3.0])
    assert result["a"].tolist() == [31.0]


def test_names_that_the_model_has_not_are_named(prepare):
    with pytest.raises(PipelineError, match=r"returns pz where function 'f' of model\.so expects py"):
        prepare(FULL, query="SELECT mcparticle_id, px, pz FROM MCParticles", noise=3)


def test_a_misspelt_key_never_becomes_an_input(prepare):
    with pytest.raises(PipelineError, match="does not return the key column mcparticle_id"):
        prepare(SUM, query="SELECT mcparticle_id AS mc_particleid, px FROM MCParticles")


def test_a_wrong_number_of_inputs_is_counted(prepare):
    with pytest.raises(PipelineError, match=r"returns 3 inputs besides the key \(px, py, pz\), expected 2"):
        prepare(SUM, query="SELECT mcparticle_id, px, py, pz FROM MCParticles")


def test_a_null_among_the_inputs_names_row_and_column(prepare):
    with pytest.raises(EventError, match=r"input 'py' is NULL for mcparticle_id = 7") as caught:
        answers(prepare(SUM), mcparticle_id=[5, 7], px=[1.0, 1.0], py=[1.0, np.nan])
    assert caught.value.event_id == 0


def test_a_null_key_is_refused(prepare):
    worker = prepare(SUM, query="SELECT nullif(mcparticle_id, 7) AS mcparticle_id, px, py FROM MCParticles")
    with pytest.raises(DataError, match="Step 'answers': the key 'mcparticle_id' is NULL"):
        answers(worker, mcparticle_id=[5, 7], px=[1.0, 1.0], py=[1.0, 1.0])


def test_a_nan_from_the_model_is_an_error_of_its_event(prepare):
    source = "float *f(float *out, const float *in) { out[0] = in[0] / in[1]; out[1] = 0; return out; }"
    with pytest.raises(EventError, match="returned nan as 'a' for mcparticle_id = 3000004") as caught:
        answers(prepare(source), mcparticle_id=[2_000_000, 3_000_004], px=[1.0, 0.0], py=[1.0, 0.0])
    assert caught.value.event_id == 3_000_000
    assert caught.value.step == "answers"


def test_a_batch_function_that_fails_is_reported(prepare):
    with pytest.raises(ModelError, match="failed on a batch of 1 row with code -7"):
        answers(prepare(FULL, noise=3), px=[666.0], py=[1.0])


@pytest.mark.parametrize("n", [1, 4, 5])
@pytest.mark.parametrize(
    ("source", "noise"),
    [
        (FULL.replace("return in[0] ==", "out[0] += 1; return in[0] =="), 3),  # f and f_batch differ
        (FULL.replace("out[0] = in[0]", "static int calls; out[0] = ++calls % 2 + in[0]"), 3),
        (SUM.replace("{", "{ static float last;").replace("in[1];", "in[1] + last; last = in[0] + 1;"), 0),
    ],
)  # fmt: skip
def test_a_function_whose_answers_depend_on_more_than_the_row_is_found(prepare, source, noise, n):
    with pytest.raises(
        ModelError,
        match=r"function 'f' of model\.so: returns a different result for a row when it is called again on that "
        r"row alone\. A result must depend only on its row, bit for bit: 'f' must keep nothing between "
        r"two calls, must agree with 'f_batch' if",
    ):
        answers(prepare(source, noise=noise), px=np.arange(n), py=np.ones(n))


def test_rows_outside_the_models_range_are_counted(prepare):
    batch, _ = answers(prepare(FULL, noise=3), px=[1.0, 6.0, -7.0], py=[1.0, 1.0, 1.0])
    assert batch.outside == {("answers", "px"): 2}


def test_noise_depends_on_seed_and_id_and_on_nothing_else(prepare):
    rows = {"px": [1.0, 2.0, 3.0], "py": [0.0, 0.0, 0.0]}
    worker = prepare(FULL, noise=3)
    _, all_at_once = answers(worker, mcparticle_id=[1, 2, 3], **rows)
    _, alone = answers(worker, mcparticle_id=[2], px=[2.0], py=[0.0])
    assert alone["b"][0] == all_at_once["b"][1]
    assert len(set(all_at_once["b"])) == 3
    _, other_seed = answers(prepare(FULL, noise=3, seed=2), mcparticle_id=[1, 2, 3], **rows)
    assert not set(other_seed["b"]) & set(all_at_once["b"])


def test_rows_one_by_one_and_at_once_give_the_same_bits(prepare):
    rng = np.random.default_rng(0)
    rows = {"px": rng.normal(size=200), "py": rng.normal(size=200)}
    worker = prepare(FULL, noise=3)
    _, batched = answers(worker, **rows)
    object.__setattr__(worker.pipeline.steps[0], "batched", False)
    _, single = answers(worker, **rows)
    assert all((batched[name] == single[name]).all() for name in batched)


def test_columns_of_answers_are_there_without_reading_them_back(prepare):
    batch, result = answers(prepare(SUM), px=[1.0], py=[3.0])
    with batch.db.tracer(lambda sql: pytest.fail(f"read again: {sql}")):
        kept = batch.columns("answers")
    assert isinstance(kept, Columns)
    assert kept["a"].tolist() == result["a"].tolist()


def test_a_model_that_wants_noise_without_being_given_any_is_found(prepare):
    source = "float *f(float *out, const float *in, const float *r) { out[0] = in[0]; out[1] = r[0]; return out; }"
    with pytest.raises(ModelError, match="ended with SIGSEGV.*0 random numbers"):
        prepare(source, noise=0)


def test_a_batch_function_without_declared_sizes_is_not_trusted(prepare):
    source = (
        "#include <stddef.h>\n"
        + SUM
        + (
            "int f_batch(size_t n, float *out, const float *in, const float *r) {"
            " for (size_t i = 0; i < 100000; ++i) out[i] = in[0]; return 0; }"
        )
    )
    _, result = answers(prepare(source), px=[1.0], py=[3.0])
    assert result["a"].tolist() == [31.0]


def test_wrong_shapes_are_refused_not_read_beyond(compile_plugin):
    model = CompiledModel(compile_plugin(FULL), "f")
    with pytest.raises(ModelError, match="2 rows of inputs, but 1 of random numbers"):
        model(np.zeros((2, 2), np.float32), np.zeros((1, 3), np.float32), 2)
    with pytest.raises(ModelError, match="called with 4 inputs"):
        model(np.zeros((1, 4), np.float32), np.zeros((1, 3), np.float32), 2)
    doubles = model(np.ones((1, 2)), np.ones((1, 6))[:, ::2], 2)
    assert doubles.tolist() == [[11.0, 3.0]]


def test_a_model_that_prints_is_no_problem(prepare):
    prepare("#include <stdio.h>\n" + SUM.replace("{ out", '{ printf("hello\\n"); out'))


READS = FULL.replace("random[0] + random[1] + random[2]", "random[0] + random[5]").replace(
    "ABI, 2, 2, 3,", "ABI, 2, 2, 9,"
)
READS = READS.replace("3 * i", "9 * i")


def reads(*ranges):
    listed = ", ".join(f"{{{begin}, {end}}}" for begin, end in [*ranges, (0, 0)])
    return f"""
static const sqlamarr_range read[] = {{{listed}}};
SQLAMARR_EXPORT const sqlamarr_range *f_random_read(void) {{ return read; }}
"""


def test_random_numbers_that_a_model_does_not_read_need_not_be_drawn(prepare):
    ids = np.arange(700)  # more rows than are drawn at once
    columns = {"mcparticle_id": ids, "px": np.ones(700), "py": np.ones(700)}
    results = [
        answers(prepare(source, noise=9), **columns)[1]["b"].tolist()
        for source in (READS, READS + reads((0, 1), (5, 6)), READS + reads((0, 9)))
    ]
    assert results[0] == results[1] == results[2]
    assert len(set(results[0])) == 700


def test_a_model_that_reads_others_than_it_says_is_found_out(prepare):
    worker = prepare(READS + reads((0, 4)), noise=9)
    with pytest.raises(ModelError, match="returns a different result for a row when it is called again"):
        answers(worker, px=[1.0], py=[1.0])


def test_one_that_reads_them_seldom_gives_no_number(prepare):
    source = READS.replace("random[5]", "(in[0] > 5 ? random[5] : 0)") + reads((0, 4))
    px = np.where(np.arange(300) == 7, 9.0, 1.0)
    with pytest.raises(EventError, match="The model returned nan as 'b' for mcparticle_id = 7"):
        answers(prepare(source, noise=9), px=px, py=np.ones(300))


def test_a_batch_function_that_differs_further_on_is_found(prepare):
    source = FULL.replace("return in[0] ==", "if (n > 9) out[2 * (n - 1)] += 1; return in[0] ==")
    with pytest.raises(ModelError, match="returns a different result for a row"):
        answers(prepare(source, noise=3), px=np.ones(300), py=np.ones(300))


def test_a_model_that_writes_more_than_it_declares_is_found(prepare):
    source = FULL.replace("return in[0] ==", "out[2 * n] = 1; return in[0] ==")
    with pytest.raises(ModelError, match="writes more than the 2 outputs per row that it declares"):
        answers(prepare(source, noise=3), px=np.ones(5), py=np.ones(5))


@pytest.mark.parametrize("ranges", [[(4, 4)], [(0, 10)], [(4, 6), (2, 3)], [(-1, 3)]])
def test_ranges_of_random_numbers_must_make_sense(compile_plugin, ranges):
    with pytest.raises(ModelError, match="expected ranges in ascending order among 9"):
        CompiledModel(compile_plugin(READS + reads(*ranges)), "f")


class Range(ctypes.Structure):
    _fields_ = (("begin", ctypes.c_int32), ("end", ctypes.c_int32))


def ranges_of(library, function):
    read = ctypes.CDLL(str(library))[f"{function}_random_read"]
    read.restype = ctypes.POINTER(Range)
    return itertools.takewhile(lambda pair: pair[1], ((one.begin, one.end) for one in read()))


SHIPPED = {
    "lhcb_run2": {"resolution": 12, "covariance": 15},
    "lhcb_run2_pid": {"full_pion_pipe": 5, "muon_muon_pipe": 5, "global_proton_pipe": 11},
}


@pytest.mark.parametrize(("library", "function"), [(lib, name) for lib, names in SHIPPED.items() for name in names])
def test_shipped_models_read_what_they_say(library, function):
    """Others are NaN: no answer may change, whatever part of a model a row comes through."""
    model = CompiledModel(native_folder() / "plugins" / f"{library}.so", function)
    n, rng = 5000, np.random.default_rng(3)
    low, high = (1.5, 5.2) if library == "lhcb_run2" else (0, 1)
    inputs = (low + (high - low) * rng.random((n, SHIPPED[library][function]))).astype(np.float32)
    if library == "lhcb_run2_pid":
        inputs[:, 0], inputs[:, 1], inputs[:, 2] = 2000 + 80000 * inputs[:, 0], 2 + 3 * inputs[:, 1], 200
    noise = RowNoise(Random(7), np.arange(n), None, model.declared.noise)
    unread = np.ones(noise.draws, bool)
    for begin, end in ranges_of(model.path, function):
        unread[begin:end] = False
    assert unread.any()
    poisoned = noise.matrix()
    poisoned[:, unread] = np.nan
    drawn = model(inputs, noise, model.declared.outputs)
    np.testing.assert_array_equal(drawn, model(inputs, noise.matrix(), model.declared.outputs))
    np.testing.assert_array_equal(drawn, model(inputs, poisoned, model.declared.outputs))
