"""Counters have keys, and a pipeline says in its own file what it advises at the end of a run."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sqlamarr
from sqlamarr.errors import PipelineError
from sqlamarr.events.counters import Count, Counters

PIPELINE = """
name: test
conditions: {{luminous_region: lhcb, threshold: 3}}
advice:
  - if: {condition}
    say: take the other one.
steps:
  - find_primary_vertices: {{}}
  - select_particles: {{}}
output: {{tables: [MCParticles]}}
"""

counters = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**12)))


def counted(entries):
    found = Counters()
    for key, number in entries:
        found.add(key, number, f"things called {key}: so many")
    return found


@given(counters, counters)
def test_counters_add_up_through_json(one, other):
    total = counted(one)
    total.update(Counters.from_dict(json.loads(json.dumps(counted(other).as_dict()))))
    assert dict(total) == dict(counted(one + other))
    assert total.number("never met") == 0


def test_a_step_whose_name_has_a_colon_keeps_it(make_pipeline, example, tmp_path):
    pipeline = make_pipeline(PIPELINE.format(condition="counts.mcparticles == 0"))
    (tmp_path / "own.py").write_text(
        "def count(batch):\n    batch.count('a:b', 2, 'things: two of them')\n    batch.outside['a:b', 'p:x'] += 7\n"
    )
    text = pipeline.read_text().replace(
        "output:", "  - python: {name: 'a:b', function: 'own:count', writes: []}\noutput:"
    )
    pipeline.write_text(text)
    summary = sqlamarr.run(pipeline, example, tmp_path / "o.db", seed=1)
    assert summary.counts["a:b"] == Count("things: two of them", 2)
    assert summary.as_dict()["counts"]["a:b"] == {"text": "things: two of them", "number": 2}
    assert summary.as_dict()["outside"] == {"a:b": {"p:x": 7}}
    assert re.search("things: two of them +2$", summary.text(), re.M)
    assert "a:b 7 rows" in summary.text()


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("counts.mcparticles > conditions.threshold", True),
        ("counts.mcparticles < conditions.threshold", False),
        ("counts.no_such_counter == 0 and conditions.luminous_region == 'lhcb'", True),
        (
            "counts.mcparticles and 1 / (counts.mcparticles - counts.mcparticles)",
            "it could not be determined whether this advice of the pipeline applies (division by zero)",
        ),
    ],
)
def test_what_a_pipeline_advises_is_said_when_its_condition_holds(make_pipeline, example, tmp_path, condition, said):
    pipeline = make_pipeline(PIPELINE.format(condition=condition))
    summary = sqlamarr.run(pipeline, example, tmp_path / "o.db", seed=1)
    if said is True:
        assert summary.warnings == ["take the other one."]
    else:
        assert bool(summary.warnings) == bool(said)
        assert not said or said in summary.warnings[0]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "conditions.luminous_regoin == 1",
            r"advice\[0\].if.*there is no condition 'luminous_regoin'.*luminous_region",
        ),
        ("counts.mcparticles >", r"advice\[0\].if, 'counts.mcparticles >'.*Expected an expression on counts.NAME"),
        ("counts.a / counts.b", r"advice\[0\].if.*division by zero"),
        ("conditions.__class__.__mro__", r"advice\[0\].if.*(unsafe|there is no condition)"),
    ],
)
def test_a_condition_that_cannot_be_evaluated_is_refused_before_any_event(
    make_pipeline, example, tmp_path, condition, message
):
    pipeline = make_pipeline(PIPELINE.format(condition=condition))
    with pytest.raises(PipelineError, match=message):
        sqlamarr.run(pipeline, example, tmp_path / "o.db", seed=1)
    assert not (tmp_path / "o.db").exists()


def test_a_pipeline_of_ones_own_gets_no_advice_of_ours(make_pipeline, example, tmp_path):
    """It has a condition of the same name."""
    pipeline = make_pipeline(PIPELINE.format(condition="counts.mcparticles == 0"))
    assert sqlamarr.run(pipeline, example, tmp_path / "o.db", seed=1).warnings == []
