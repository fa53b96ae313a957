"""Damage is noticed: a damaged output file is rejected, or it holds exactly what it did before."""

from __future__ import annotations

import random

import pytest
from damage import KINDS, Harness

import sqlamarr

TRIALS = 330
MANY = 3300


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An output of a few events, in several batches, with every kind of table."""
    folder = tmp_path_factory.mktemp("small")
    gun = {
        "gun": {"particles": [{"particle": name, "p": 2e4, "eta": 3} for name in ("mu-", "pi+", "gamma")], "events": 9}
    }
    path = folder / "small.db"
    sqlamarr.run("lhcb_run2", gun, path, seed=1, batch_size=4, generator="full", first_event=996)
    return path


@pytest.fixture
def harness(small, tmp_path):
    return Harness(small, tmp_path)


def test_damage_is_found_or_has_changed_nothing(harness, capsys):
    for seed in range(TRIALS):
        harness.trial(seed, thorough=seed % 10 == seed // 10 % 10)
    assert harness.missed == []
    assert harness.rejected + harness.identical == TRIALS
    assert harness.rejected > TRIALS / 3
    assert harness.identical > 0


@pytest.mark.long
def test_damage_is_found_in_thousands_of_trials(harness, capsys):
    for seed in range(MANY):
        harness.trial(1_000_000 + seed, thorough=True)
    with capsys.disabled():
        print(
            f"\n{MANY} trials: {harness.rejected} rejected, {harness.identical} identical, {len(harness.missed)} missed"
        )
    assert harness.missed == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_of_damage_changes_the_file(kind, small):
    data = small.read_bytes()
    changed = 0
    for seed in range(20):
        damaged = bytearray(data)
        kind(damaged, random.Random(seed))
        changed += damaged != data
    assert changed > 10
