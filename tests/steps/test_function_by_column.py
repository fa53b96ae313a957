"""A step whose function depends on a column: every row gets its own function, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_tools import linear
from run_tools import command_line, hashes

import sqlamarr
from sqlamarr import load_pipeline
from sqlamarr.errors import EventError, ModelError, PipelineError
from sqlamarr.output.content_hash import total_hash
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

PIPELINE = """
name: test
models: {{m: {{library: {library}}}, other: {{library: {library}}}}}
steps:
  - plugin: {{model: m, function: "f_{{kind}}", query: q.sql, table: answers, key: [mcparticle_id],
             inputs: 1, outputs: [a, b], noise: 2, {by}}}
output: {{tables: [MCParticles]}}
"""
INTEGERS = "by: {kind: {211: pion, -211: pion, 321: kaon}}"
TEXT = "by: {kind: [pion, kaon]}"
QUERY = "SELECT mcparticle_id, pid AS kind, px FROM MCParticles"
TEXT_QUERY = (
    "SELECT mcparticle_id, CASE abs(pid) WHEN 211 THEN 'pion' WHEN 321 THEN 'kaon' WHEN 13 THEN 'muon' END AS kind, "
    "px FROM MCParticles"
)

SOURCE = """
#include "sqlamarr_plugin.h"
static const char *const inputs[] = {"px"};
static const char *const outputs[] = {"a", "b"}, *const turned[] = {"b", "a"};
static const float low[] = {-5}, high[] = {5};
static const sqlamarr_model_info pion = {SQLAMARR_PLUGIN_ABI, 1, 2, 2, inputs, outputs, "pions", low, high};
static const sqlamarr_model_info kaon = {SQLAMARR_PLUGIN_ABI, 1, 2, 2, inputs, turned, "kaons", low, high};
SQLAMARR_EXPORT const sqlamarr_model_info *f_pion_info(void) { return &pion; }
SQLAMARR_EXPORT float *f_pion(float *out, const float *in, const float *random) {
    out[0] = in[0] == 666 ? 0 / (in[0] - 666) : in[0]; out[1] = random[0] + random[1]; return out;
}
SQLAMARR_EXPORT const sqlamarr_model_info *f_kaon_info(void) { return &kaon; }
SQLAMARR_EXPORT float *f_kaon(float *out, const float *in, const float *random) {
    out[1] = 100 + in[0]; out[0] = random[0] - random[1]; return out;
}
"""


@pytest.fixture
def prepare(make_pipeline, compile_plugin):
    def build(by=INTEGERS, query=QUERY, models=None, text=PIPELINE):
        text = text.format(library=compile_plugin(SOURCE), by=by)
        pipeline = load_pipeline(make_pipeline(text, q=query)).with_models(models or {})
        return Worker(pipeline, RunOptions(seed=1))

    return build


def answers(worker, pids, px=None, ids=None):
    """The batch, and the step's table in the order in which it was written."""
    n = len(pids)
    ids = np.arange(n) if ids is None else np.array(ids)
    worker.workspace.tables.clear()
    batch = worker.batch()
    columns = {"pid": np.ma.masked_equal(pids, 0), "px": np.arange(n) / 100 if px is None else np.array(px)}
    batch.write("MCParticles", {"mcparticle_id": ids, "event_id": ids, "genevent_id": ids, **columns})
    written = []
    write = batch.write
    batch.write = lambda table, columns: (written.append(columns), write(table, columns))
    for _, run in worker._runs:
        run(batch)
    names = batch.columns("answers")
    return batch, {name: np.concatenate([part[name] for part in written] or [names[name]]) for name in names}


# -- which row gets which function ----------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "query"), [(INTEGERS, QUERY), (TEXT, TEXT_QUERY)], ids=["integers", "text"])
def test_each_row_gets_its_function_and_rows_keep_the_order_of_the_query(prepare, by, query):
    pids = np.random.default_rng(0).choice([211, -211, 321], 1000)
    _, found = answers(prepare(by, f"{query} ORDER BY mcparticle_id DESC"), pids)
    n = len(pids)
    assert found["mcparticle_id"].tolist() == [*range(n)][::-1]
    expected = np.arange(n) / 100 + np.where(pids == 321, 100, 0)
    np.testing.assert_allclose(found["a"][::-1], expected, rtol=1e-6)


@pytest.mark.parametrize("pid", [211, 321])
def test_a_batch_of_one_kind_of_rows_gives_what_these_rows_give_among_others(prepare, pid):
    worker = prepare()
    pids = np.array([211, 321] * 20)
    _, together = answers(worker, pids)
    own = np.flatnonzero(pids == pid)
    _, alone = answers(worker, pids[own], px=own / 100, ids=own)
    assert alone["a"].tolist() == together["a"][own].tolist()
    assert alone["b"].tolist() == together["b"][own].tolist()


def test_a_batch_without_rows_is_no_problem(prepare):
    _, found = answers(prepare(), [])
    assert {name: len(values) for name, values in found.items()} == {"mcparticle_id": 0, "a": 0, "b": 0}


SEPARATE = """
name: test
models: {{m: {{library: {library}}}}}
steps:
  - plugin: {{model: m, function: f_pion, query: pions.sql, name: answers_pion, table: answers, key: [mcparticle_id],
             inputs: 1, outputs: [a, b], noise: 2}}
  - plugin: {{model: m, function: f_kaon, query: kaons.sql, name: answers_kaon, table: answers, key: [mcparticle_id],
             inputs: 1, outputs: [a, b], noise: 2}}
output: {{tables: [MCParticles]}}
"""


@pytest.mark.parametrize(
    "names", [("answers_pion", "answers_kaon", ""), ("my_pion", "my_kaon", ', random: "my_{kind}"')]
)
def test_one_step_gives_the_same_bits_as_one_step_per_function(prepare, make_pipeline, compile_plugin, names):
    pids = np.random.default_rng(1).choice([211, -211, 321], 500)
    _, merged = answers(prepare(INTEGERS + names[2]), pids)
    text = SEPARATE.replace("answers_pion", names[0]).replace("answers_kaon", names[1])
    where = {"pions": "WHERE abs(pid) = 211", "kaons": "WHERE pid = 321"}
    queries = {name: f"SELECT mcparticle_id, px FROM MCParticles {condition}" for name, condition in where.items()}
    path = make_pipeline(text.format(library=compile_plugin(SOURCE)), **queries)
    _, separate = answers(Worker(load_pipeline(path), RunOptions(seed=1)), pids)
    order = np.argsort(separate["mcparticle_id"])
    for name, values in merged.items():
        assert values.tolist() == separate[name][order].tolist()


def test_rows_outside_the_range_are_counted_for_each_function(prepare):
    batch, _ = answers(prepare(), [211, -211, 321, 321], px=[6.0, 7.0, 8.0, 1.0])
    assert batch.outside == {("answers (pion)", "px"): 2, ("answers (kaon)", "px"): 1}


def test_an_answer_that_is_no_number_names_the_function(prepare):
    with pytest.raises(
        EventError, match="The model of pion returned -?nan as 'a' for mcparticle_id = 3000001"
    ) as caught:
        answers(prepare(), [321, 211], px=[1.0, 666.0], ids=[2_000_000, 3_000_001])
    assert caught.value.event_id == 3_000_000


@pytest.mark.parametrize(
    ("by", "query", "pid", "message"),
    [
        (INTEGERS, QUERY, 13, r"^kind is 13 for mcparticle_id = 3000001, and no function is chosen for it; the "
                              r"step's 'by' lists: 211 \(pion\), -211 \(pion\), 321 \(kaon\)\. Add the value "
                              r"there, or leave such rows out of "
         r"q\.sql\.$"),
        (INTEGERS, QUERY, 0, r"^kind is NULL for mcparticle_id = 3000001, and no function"),
        (TEXT, TEXT_QUERY, 13, r"^kind is 'muon' for mcparticle_id = 3000001, and no function .* lists: pion, kaon\."),
        (TEXT, TEXT_QUERY, 11, r"^kind is NULL for mcparticle_id = 3000001"),
    ],
)  # fmt: skip
def test_a_row_without_a_function_is_an_error_of_its_event(prepare, by, query, pid, message):
    with pytest.raises(EventError, match=message) as caught:
        answers(prepare(by, query), [211, pid], ids=[2_000_000, 3_000_001])
    assert (caught.value.event_id, caught.value.step) == (3_000_000, "answers")


def test_a_null_key_is_refused_before_its_function_is_looked_for(prepare):
    worker = prepare(query=QUERY.replace("mcparticle_id", "nullif(mcparticle_id, 1) AS mcparticle_id", 1))
    with pytest.raises(sqlamarr.errors.DataError, match="Step 'answers': the key 'mcparticle_id' is NULL"):
        answers(worker, [211, 13])


# -- other models ---------------------------------------------------------------------------------------------


def test_one_function_is_replaced_by_python_or_onnx(prepare, tmp_path):
    (tmp_path / "mine.py").write_text("def k(inputs, noise):\n    return inputs[:, [0, 0]] * 0 + 7\n")
    _, found = answers(prepare(models={"m.f_kaon": f"{tmp_path}/mine.py:k"}), [211, 321], px=[3.0, 3.0])
    assert found["a"].tolist() == [3.0, 7.0]
    linear(tmp_path / "net.onnx", 3, 2)
    _, other = answers(prepare(models={"m.f_pion": str(tmp_path / "net.onnx")}), [211, 321], px=[3.0, 3.0])
    assert other["a"][0] != 3.0
    assert other["a"][1] == 103.0


def test_a_model_of_one_function_cannot_serve_two(prepare, tmp_path):
    linear(tmp_path / "net.onnx", 3, 2)
    with pytest.raises(
        PipelineError, match=r"Step 'answers', kind 321 \(kaon\): .*a single function, but steps use it for"
    ):
        prepare(models={"m": str(tmp_path / "net.onnx")})


def test_a_function_that_is_not_among_those_chosen_is_named(prepare, tmp_path):
    linear(tmp_path / "net.onnx", 3, 2)
    with pytest.raises(PipelineError, match=r"no step uses models\.m\.f_muon; the steps use: m\.f_kaon, m\.f_pion"):
        prepare(models={"m.f_muon": str(tmp_path / "net.onnx")})


def test_some_words_may_have_another_model(prepare, tmp_path):
    (tmp_path / "mine.py").write_text("def f_kaon(inputs, noise):\n    return inputs[:, [0, 0]] * 0 + 7\n")
    worker = prepare(f"{INTEGERS}, models: {{kaon: other}}", models={"other": str(tmp_path / "mine.py")})
    assert worker.pipeline.steps[0].explain() == ["kind 211, -211 (pion): m.f_pion", "kind 321 (kaon): other.f_kaon"]
    _, found = answers(worker, [211, 321], px=[3.0, 3.0])
    assert found["a"].tolist() == [3.0, 7.0]


def test_the_word_may_choose_the_model_alone(prepare, compile_plugin):
    text = PIPELINE.replace("model: m, function", 'model: "{{kind}}", function').replace("f_{{kind}}", "f_pion")
    _, found = answers(prepare("by: {kind: {211: m, 321: other}}", text=text), [211, 321], px=[3.0, 4.0])
    assert found["a"].tolist() == [3.0, 4.0]
    assert found["b"][0] != found["b"][1]


def test_a_library_without_one_of_the_functions_tells_which_value_needs_it(prepare):
    with pytest.raises(ModelError, match=r"Step 'answers', kind 13 \(muon\): .*has no function 'f_muon'"):
        prepare("by: {kind: {211: pion, 13: muon}}")


# -- mistakes in the pipeline ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("by: {kind: [211, pion]}", r"by\.kind has the values 211, 'pion'; expected all integers or all text"),
        ("by: {kind: {yes: pion, 321: kaon}}", r"by\.kind has the values True, 321; expected all integers or all text"),
        ("by: {kind: [pion, pion]}", r"steps\[0\]\.plugin\.by\.kind: .*has non-unique elements"),
        ("by: {kind: [pion], type: [kaon]}", r"steps\[0\]\.plugin\.by: .*too many properties.* It is: Column of"),
        ("by: {kind: pion}", r"steps\[0\]\.plugin\.by\.kind: .*found 'pion'. It is: A list of the column's values"),
        ("models: {kaon: other}", r"steps\[0\]\.plugin: 'models' also needs 'by'"),
        (f"{TEXT}, models: {{muon: other}}", r"models has an entry for 'muon', which is not among the words of "
                                             r"by\.kind: pion, kaon\."),
        (f"{TEXT}, random: same", r"all functions would share the random numbers 'same'\. Put \{kind\} into 'random'"),
        ("by: {type: [pion]}", r"function 'f_\{kind\}' has the placeholder \{kind\}; expected \{type\}, the column of"),
        ("batched: true", r"function 'f_\{kind\}' has the placeholder \{kind\}, but the step has no 'by'\. Write by"),
    ],
)  # fmt: skip
def test_mistakes_are_explained(prepare, by, message):
    with pytest.raises(PipelineError, match=message):
        prepare(by)


def test_a_column_that_chooses_nothing_is_refused(prepare):
    text = PIPELINE.replace("f_{{kind}}", "f_pion")
    with pytest.raises(PipelineError, match=r"by\.kind has no effect\. Put \{kind\} into 'function' or 'model'"):
        prepare(text=text)


def test_a_column_that_the_query_does_not_return_is_named(prepare):
    with pytest.raises(
        PipelineError, match=r"q\.sql does not return kind, the column of 'by'; it returns: mcparticle_id"
    ):
        prepare(query="SELECT mcparticle_id, px FROM MCParticles")


def test_a_key_column_chooses_by_integers(prepare):
    text = PIPELINE.replace("key: [mcparticle_id]", "key: [mcparticle_id, kind]")
    _, found = answers(prepare(text=text), [211, 321], px=[1.0, 1.0])
    assert (found["kind"].tolist(), found["a"].tolist()) == ([211, 321], [1.0, 101.0])
    with pytest.raises(PipelineError, match=r"the values of by\.kind are text, but kind is part of the key"):
        prepare(TEXT, text=text)


SECOND = """  - plugin: {{model: m, function: f_pion, query: q.sql, table: answers_pion, key: [mcparticle_id],
             inputs: 2, outputs: [a, b], noise: 2}}
output:"""


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (SECOND, "'answers_pion' and 'answers' would both draw the random numbers 'answers_pion'"),
        (SECOND.replace("answers_pion", "more").replace("noise: 2", "noise: 2, random: answers_kaon"),
         "'answers' and 'more' would both draw the random numbers 'answers_kaon'"),
        (SECOND.replace("answers_pion", "more").replace("noise: 2", "noise: 2, random: answers"),
         "'answers' and 'more' would both draw the random numbers 'answers'"),
    ],
)  # fmt: skip
def test_two_steps_never_draw_the_same_random_numbers(prepare, second, message):
    with pytest.raises(
        PipelineError, match=rf"pipeline\.yaml: the steps {message}, so .* Change the name of one of them"
    ):
        prepare(text=PIPELINE.replace("output:", second))


def test_check_lists_the_functions(prepare, compile_plugin, capsys):
    path = prepare().pipeline.path
    assert command_line("check", path) == 0
    told = "    kind 211, -211 (pion): m.f_pion\n    kind 321 (kaon): m.f_kaon\n"
    assert told in capsys.readouterr().out


# -- the shipped pipeline -------------------------------------------------------------------------------------

#: Content hashes of the example from the pipeline in which every species had a step of its own.
BEFORE = {
    1: "c50c4469c6c79aa0034a2f271c08897b28b252d218200a276b0344f88434d1f2",
    2: "b0bfa39cfe9a278500279e37071abe22cc44ec7a2cf311b49f63737f07dc426d",
    7: "51f45057d9813a42ddfbbd83532ff362466c6860df040931ba7a4f7f977ea5af",
    12345: "8e55c95527799da7ed7180204092dfd450a957f61b1390d274513c0ce3235176",
}


@pytest.mark.parametrize(
    ("seed", "options"),
    [(1, {}), (2, {"batch_size": 3}), (7, {"jobs": 2, "batch_size": 7}), (12345, {"batch_size": 1})],
)
def test_the_example_is_what_it_was_with_a_step_per_species(example, tmp_path, seed, options):
    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=seed, **options)
    assert total_hash(hashes(tmp_path / "out.db")) == BEFORE[seed]


#: Of the tables that the merged steps write, from a run with seed 3 and calorimeter=signal.
TEMPORARY = {
    "tmp_is_muon": "b2efaa62e2192fb4b706e3b6a103c3ca84f4dbb777e08b95330f6c98adca3a81",
    "tmp_is_muon_probability": "6542acbd6b426767ac4ab87d6a7b1a2a1ddcc3200cf95feb5e97d06fbe69f763",
    "tmp_pid": "3e0287dcea85209936ecee1029eb459e78a38289244bfad8418d400c3447c874",
    "tmp_upstream_rich": "0826a196e4a737eb01f1a80c8776a05201019ecf55996694fb2fe921429b6693",
}


def test_the_tables_of_the_steps_are_what_they_were(example, tmp_path):
    chosen = load_pipeline("lhcb_run2").with_conditions({"calorimeter": "signal"})
    sqlamarr.run(chosen, [example], tmp_path / "out.db", seed=3, keep_tmp=True)
    found = hashes(tmp_path / "out.db")
    assert {table: found[table] for table in TEMPORARY} == TEMPORARY


def test_species_do_not_look_across_events(example, capsys):
    assert command_line("check", "lhcb_run2", "--split", example, "-n", 5) == 0
    assert "the results of 5 events do not depend on how they are batched" in capsys.readouterr().out


def test_each_shipped_function_can_be_replaced(example, tmp_path):
    """The constant answer must reach the tracks of one species, and no others."""
    (tmp_path / "one.py").write_text(
        "import numpy as np\ndef f(inputs, noise):\n    return np.full((len(inputs), 15), 77.0)\n"
    )
    models = {"pid.full_kaon_pipe": f"{tmp_path}/one.py:f"}
    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=1, models=models)
    with sqlamarr.open(tmp_path / "out.db") as db:
        rows = db.execute(
            "SELECT DISTINCT abs(m.pid) FROM PID JOIN MCParticles m USING (mcparticle_id) WHERE PID.PIDK = 77"
        ).fetchall()
        others = db.execute(
            "SELECT count(*) FROM PID JOIN MCParticles m USING (mcparticle_id) JOIN Tracks t USING (track_id) "
            "WHERE abs(m.pid) = 321 AND t.type <> 4 AND PIDK <> 77"
        ).fetchone()
    assert rows == [(321,)]
    assert others == (0,)
