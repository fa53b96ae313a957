"""Rows to learn from: what the shipped parametrization answers to tracks like those of the shipped events."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

import sqlamarr
from sqlamarr.models.entry import find
from sqlamarr.native.random import Random, stream_key

INPUTS = ("x", "y", "z", "tx", "ty", "log10_p")  # the other inputs are flags
FLAGS = ("is_e", "is_mu", "is_h", "is_long", "is_upstream", "is_downstream")
EVENTS = Path(__file__).parent.parent / "data"


class Sample(NamedTuple):
    """Inputs (rows, 12) and answers (rows, 9) of the resolution."""

    features: np.ndarray
    answers: np.ndarray


def tracks() -> np.ndarray:
    """Inputs of the resolution, for all tracks of the shipped events."""
    columns = ", ".join((*INPUTS, *FLAGS))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(("bbbar.hepmc.gz", "minbias.hepmc.gz")):
            path = Path(folder) / f"{number}.db"
            sqlamarr.run("lhcb_run2", [EVENTS / name], path, seed=1, keep_tmp=True)
            with sqlamarr.open(path) as db:
                found = db.arrays(f"SELECT {columns} FROM tmp_closest_to_beam")
                rows.append(np.stack(list(found.values()), axis=1))
    return np.concatenate(rows).astype(np.float32)


def make(rows: int, seed: int, noise: int) -> Sample:
    """Tracks between those of the events (each with some of its own spread), and what the plugin makes of them.

    :param noise: random numbers that the plugin takes
    """
    rng = np.random.default_rng(seed)
    seen = tracks()
    features = seen[rng.integers(0, len(seen), rows)]
    for flag in range(len(INPUTS), features.shape[1]):
        assert set(np.unique(features[:, flag])) <= {0, 1}
    for category in np.unique(seen[:, len(INPUTS) :], axis=0):  # e, mu, hadrons; long, upstream, downstream
        same = (features[:, len(INPUTS) :] == category).all(axis=1)
        kin = seen[(seen[:, len(INPUTS) :] == category).all(axis=1), : len(INPUTS)]
        spread = 0.2 * np.subtract(*np.percentile(kin, [75, 25], axis=0))
        features[np.ix_(same, range(len(INPUTS)))] += spread * rng.normal(size=(same.sum(), len(INPUTS)))
    model = find({"library": "plugins:lhcb_run2"}, Path()).open("resolution")
    draws = Random(stream_key(seed, "train_gan")).normal(np.arange(rows), noise)
    return Sample(features, model(features, draws, 9))
