"""Models of whole events as steps: any number of rows, limits, links, sizes, randomness."""

from __future__ import annotations

import numpy as np
import pytest

from sqlamarr import load_pipeline
from sqlamarr.errors import DataError, EventError, ModelError, PipelineError
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

PIPELINE = """
name: test
models: {{m: {{library: {library}}}}}
steps:
  - event_plugin: {{model: m, function: f, query: q.sql, key: [mcparticle_id], table: pairs, id: pair_id,
                   links: pair_links, inputs: {inputs}, outputs: [a, b], max_rows: {max_rows}, max_links: {max_links},
                   event_query: e.sql, event_inputs: {event_inputs}, noise: {noise}, event_noise: {event_noise} {more}}}
output: {{tables: [pairs, pair_links]}}
"""
QUERY = "SELECT mcparticle_id, event_id, px, py FROM MCParticles ORDER BY mcparticle_id DESC"
EVENT_QUERY = "SELECT event_id, 2.0 AS scale FROM Events"

# Neighbours are paired: a row per pair, with the sum of what belongs to the two, and links to both; the last of an
# odd number is a pair by itself.
PAIRS = """
#include "sqlamarr_plugin.h"
SQLAMARR_EXPORT int32_t f_event(const sqlamarr_event_input *in, sqlamarr_event_output *out) {
    const int32_t pairs = (in->n + 1) / 2;
    if (pairs > out->max_rows) return SQLAMARR_TOO_MANY_ROWS;
    if (in->n > out->max_links) return SQLAMARR_TOO_MANY_LINKS;
    for (int32_t i = 0; i < pairs; ++i) {
        out->rows[2 * i] = 0;
        out->rows[2 * i + 1] = in->event_random[0];
    }
    for (int32_t i = 0; i < in->n; ++i) {
        out->rows[2 * (i / 2)] += in->event[0] * in->rows[2 * i] + in->rows[2 * i + 1];
        out->rows[2 * (i / 2) + 1] += in->random[2 * i] + in->random[2 * i + 1];
        sqlamarr_link link = {i / 2, i, in->rows[2 * i]};
        out->links[i] = link;
    }
    out->n_links = in->n;
    return pairs;
}
"""
INFO = """
static const char *const names[] = {"px", "py"}, *const event[] = {"scale"}, *const outputs[] = {"a", "b"};
static const float low[] = {0, 0}, high[] = {250, 1};
static const sqlamarr_event_info info = {
    SQLAMARR_PLUGIN_ABI, 2, 1, 2, 2, 1, names, event, outputs, "a test", low, high};
SQLAMARR_EXPORT const sqlamarr_event_info *f_event_info(void) { return &info; }
"""


@pytest.fixture
def prepare(make_pipeline, compile_plugin):
    def build(source, query=QUERY, event_query=EVENT_QUERY, **changes):
        defaults = {"inputs": 2, "max_rows": 500, "max_links": 500, "event_inputs": 1, "noise": 2, "event_noise": 1}
        options = {"library": compile_plugin(source), "more": "", **defaults, **changes}
        return Worker(load_pipeline(make_pipeline(PIPELINE.format(**options), q=query, e=event_query)), RunOptions(1))

    return build


def answers(worker, *counts, first=0, px=None):
    """The step's two tables for events with these numbers of particles, whose px counts from 0 in each event."""
    db = worker.workspace.db
    worker.workspace.tables.clear()
    batch = worker.batch()
    events = (first + np.arange(len(counts))) * 1_000_000
    position = np.concatenate([np.arange(n) for n in counts]) if counts else np.empty(0, int)
    event = np.repeat(events, counts)
    batch.write(
        "Events", {"event_id": events, "ordinal": events, "number": events, "status": ["simulated"] * len(events)}
    )
    particles = {"mcparticle_id": event + position, "event_id": event, "genevent_id": event}
    batch.write(
        "MCParticles", {**particles, "px": position * 1.0 if px is None else px, "py": np.full(len(event), 0.5)}
    )
    for _, run in worker._runs:
        run(batch)
    pairs = db.arrays("SELECT * FROM pairs ORDER BY pair_id")
    return pairs, db.arrays("SELECT * FROM pair_links ORDER BY pair_id, mcparticle_id"), batch


def same(first, second, chosen):
    return all(np.array_equal(first[name][chosen(first)], second[name][chosen(second)]) for name in first)


@pytest.mark.parametrize("info", ["", INFO])
def test_events_of_any_number_of_rows(prepare, info):
    pairs, links, _ = answers(prepare(PAIRS + info), 0, 1, 2, 300, 0)
    assert np.bincount(pairs["event_id"] // 1_000_000, minlength=5).tolist() == [0, 1, 1, 150, 0]
    assert pairs["pair_id"].tolist() == [1_000_000, 2_000_000, *range(3_000_000, 3_000_150)]
    # The model saw the rows in the order of their ids, although the query turns it round.
    assert pairs["a"].tolist() == [0.5, 3.0, *(2.0 * (4 * i + 1) + 1 for i in range(150))]
    assert links["mcparticle_id"].tolist() == [1_000_000, 2_000_000, 2_000_001, *range(3_000_000, 3_000_300)]
    position = links["mcparticle_id"] % 1_000_000
    assert (links["pair_id"] == links["event_id"] + position // 2).all()
    assert (links["weight"] == position).all()


def test_no_events_are_no_problem(prepare):
    pairs, links, _ = answers(prepare(PAIRS))
    assert len(pairs["a"]) == len(links["weight"]) == 0


def test_the_answer_to_an_event_does_not_depend_on_its_batch(prepare):
    worker = prepare(PAIRS)
    together = answers(worker, 5, 0, 7, 3)
    for k, n in enumerate([5, 0, 7, 3]):
        alone = answers(worker, n, first=k)
        for both in zip(together[:2], alone[:2]):
            assert same(*both, lambda table, k=k: table["event_id"] == k * 1_000_000)


def test_noise_of_rows_belongs_to_them_and_noise_of_the_event_to_it(prepare):
    worker = prepare(PAIRS)
    seven, eight = answers(worker, 7)[0], answers(worker, 8)[0]
    assert seven["b"][:3].tolist() == eight["b"][:3].tolist()  # an eighth row leaves the others alone
    many = answers(worker, *[0] * 5, *[1] * 4000)[0]["b"]  # each the sum of three normals
    assert abs(many.mean()) < 5 * np.sqrt(3 / 4000)
    assert many.var() == pytest.approx(3, rel=0.15)


def test_more_rows_than_allowed_are_an_error_of_that_event(prepare):
    message = r"'f' of .*needs more than the 100 output rows that max_rows allows for an event of 300 input rows"
    with pytest.raises(EventError, match=message) as caught:
        answers(prepare(PAIRS, max_rows=100), 1, 2, 300)
    assert caught.value.event_id == 2_000_000
    with pytest.raises(EventError, match="more than the 10 links that max_links allows for an event of 300"):
        answers(prepare(PAIRS, max_links=10), 1, 2, 300)
    with pytest.raises(EventError, match="an event has 300 input rows, more than the 299 that max_inputs allows"):
        answers(prepare(PAIRS, more=", max_inputs: 299"), 300)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("return out->max_rows + 1;", "returns 501 rows where max_rows allows 500 for an event of 1 input row"),
        ("out->n_links = 501; return 0;", "returns 501 links where max_links allows 500"),
        ("out->rows[2 * out->max_rows] = 1; return 0;", "writes beyond its space for 500 rows, so its code is wrong"),
        ("out->links[out->max_links].in = 0; return 0;", "writes beyond its space for 500 links"),
        (
            "out->links[0].out = 0; out->links[0].in = 1; out->n_links = 1; return 1;",
            "links output row 0 of 1 to input row 1",
        ),
        ("return -9;", "failed with code -9 for an event of 1 input row"),
        ("out->rows[0] = 1; return 1;", "The model returned nan as 'b' for pair_id = 1000000"),
    ],
)
def test_a_model_that_misbehaves_is_found(prepare, change, message):
    # It declares its sizes, which saves it from the trial call, and does wrong on an event of one row.
    source = (PAIRS + INFO).replace("const int32_t pairs", f"if (in->n == 1) {{ {change} }}\n    const int32_t pairs")
    with pytest.raises(EventError, match=message) as caught:
        answers(prepare(source), 2, 1, 2)
    assert caught.value.event_id == 1_000_000


@pytest.mark.parametrize("kept", ["calls > 3", "calls % 2"])
@pytest.mark.parametrize("counts", [(0, 3, 2), (0, 3, 2, 1)])
def test_a_model_that_keeps_something_between_calls_is_found(prepare, kept, counts):
    source = (PAIRS + INFO).replace(
        "const int32_t pairs", "static int calls; ++calls;\n    const int32_t pairs", 1
    ).replace("out->rows[2 * i] = 0;", f"out->rows[2 * i] = {kept};")  # fmt: skip
    with pytest.raises(
        ModelError,
        match=r"function 'f_event' of model\.so: returns a different result for an event when it is called "
        r"again\. It must depend only on this event, bit for bit: 'f_event' must keep nothing between two "
        r"calls\.",
    ):
        answers(prepare(source), *counts)


def test_what_a_model_left_out_is_not_filled_by_the_event_before(prepare):
    source = PAIRS.replace("out->rows[2 * i + 1] = in->event_random[0];", "").replace(
        "out->rows[2 * (i / 2) + 1] += in->random[2 * i] + in->random[2 * i + 1];",
        "if (in->n > 1) out->rows[2 * (i / 2) + 1] = in->random[2 * i] + in->random[2 * i + 1] + in->event_random[0];",
    )
    with pytest.raises(EventError, match="The model returned nan as 'b' for pair_id = 1000000"):
        answers(prepare(source + INFO), 2, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": 1}, r"reads more inputs than the pipeline declares \(1 input, 1 input of the event"),
        ({"noise": 1}, "reads more random numbers per row"),
        ({"event_inputs": 0}, "ended with SIGSEGV"),
        ({"event_noise": 0}, "ended with SIGSEGV"),
    ],
)
def test_wrong_sizes_stop_before_any_event(prepare, changes, message):
    query = "SELECT mcparticle_id, event_id, px FROM MCParticles" if "inputs" in changes else QUERY
    with pytest.raises(ModelError, match=message):
        prepare(PAIRS, query=query, **changes)


def test_a_wrong_number_of_outputs_stops_before_any_event(prepare):
    source = PAIRS.replace("out->rows[2 * i] = 0;", "out->rows[2 * i] = out->rows[2 * i + 2] = 0;")
    with pytest.raises(ModelError, match="writes 3 values for 1 row, but the pipeline declares 2 outputs"):
        prepare(source)


def test_sizes_that_the_library_declares_must_be_the_pipelines(prepare):
    with pytest.raises(ModelError, match="expects .* 3 random numbers per row .* the library declares .* 2 random"):
        prepare(PAIRS + INFO, noise=3)


def test_names_that_the_library_declares_count(prepare):
    turned = QUERY.replace("px, py", "py, px")
    assert answers(prepare(PAIRS + INFO, query=turned), 2)[0]["a"].tolist() == [3.0]
    with pytest.raises(PipelineError, match=r"q\.sql returns pz where .* expects py"):
        prepare(PAIRS + INFO, query=QUERY.replace("py", "pz"))
    with pytest.raises(PipelineError, match=r"e\.sql returns size where .* expects scale"):
        prepare(PAIRS + INFO, event_query=EVENT_QUERY.replace("scale", "size"))


def test_rows_outside_the_declared_range_are_counted(prepare):
    _, _, batch = answers(prepare(PAIRS + INFO), 300)
    assert batch.outside == {("pairs", "px"): 49}


def test_a_missing_function_is_named(prepare):
    with pytest.raises(ModelError, match="has no function 'f_event'"):
        prepare("int f(void) { return 0; }")


def test_another_plugin_interface_is_refused(prepare):
    with pytest.raises(ModelError, match="built for plugin interface 99, expected 1"):
        prepare(PAIRS + INFO.replace("SQLAMARR_PLUGIN_ABI", "99"))


@pytest.mark.parametrize(
    ("query", "found"),
    [("SELECT event_id, 1.0 AS scale FROM Events WHERE event_id > 0", 0),
     ("SELECT 77 AS event_id, 1.0 AS scale", 0),
     ("SELECT event_id, 1.0 AS scale FROM Events UNION ALL SELECT 1000000, 2.0", 1_000_000)],
)  # fmt: skip
def test_every_event_needs_one_row_of_its_own_inputs(prepare, query, found):
    with pytest.raises(
        DataError, match=rf"e\.sql must return exactly one row for every event; .* event_id = {found}\."
    ):
        answers(prepare(PAIRS, event_query=query), 1, 1)


def test_a_model_that_is_switched_off_is_not_called(prepare):
    off = {"query": QUERY.replace(" ORDER", " WHERE 0 ORDER"), "event_query": EVENT_QUERY + " WHERE 0"}
    clusters, links, _ = answers(prepare(PAIRS, **off), 3, 1)
    assert len(clusters["event_id"]) == len(links["event_id"]) == 0
    assert len(answers(prepare(PAIRS), 3, 1)[0]["event_id"]) > 0
    with pytest.raises(DataError, match=r"e\.sql must return exactly one row for every event; .* event_id = 0\."):
        answers(prepare(PAIRS, event_query=off["event_query"]), 3, 1)


def test_rows_of_unknown_events_are_refused(prepare):
    with pytest.raises(DataError, match=r"q\.sql returns event_id = 5, which is not in Events"):
        answers(prepare(PAIRS, query=QUERY.replace("event_id,", "5 AS event_id,")), 1)


def test_an_input_that_is_no_number_names_its_row(prepare):
    with pytest.raises(EventError, match="input 'px' is NULL for mcparticle_id = 1000000") as caught:
        answers(prepare(PAIRS), 1, 1, px=[1.0, np.nan])
    assert caught.value.event_id == 1_000_000


def test_outputs_go_by_name(prepare):
    given = INFO.replace('{"a", "b"}', '{"b", "a"}')
    pairs, _, _ = answers(prepare(PAIRS + given), 300)
    assert pairs["b"].tolist() == [2.0 * (4 * i + 1) + 1 for i in range(150)]
    with pytest.raises(PipelineError, match=r"Step 'pairs': outputs are a, b, but .*'f_event'.* returns b, c\."):
        prepare(PAIRS + INFO.replace('{"a", "b"}', '{"b", "c"}'))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[a, b]", "[a, pair_id]", r"table 'pairs' would have two columns 'pair_id' \(pair_id, event_id, a, pair_id\)"),
        ("[a, b]", "[a, a]", r"table 'pairs' would have two columns 'a'"),
        ("id: pair_id", "id: mcparticle_id", r"table 'pair_links' would have two columns 'mcparticle_id'"),
    ],
)
def test_two_columns_of_one_name_are_refused(prepare, monkeypatch, old, new, message):
    monkeypatch.setitem(globals(), "PIPELINE", PIPELINE.replace(old, new))
    with pytest.raises(PipelineError, match=message):
        prepare(PAIRS)
