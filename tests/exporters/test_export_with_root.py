"""ROOT itself reads what is exported; needs the package ROOT (``pip install --pre root``) and a C++ compiler."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sqlamarr
from sqlamarr import export

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(importlib.util.find_spec("ROOT") is None, reason="ROOT is not installed"),
]


def read(*arguments) -> dict:
    script = Path(__file__).parents[1] / "tools" / "root_reading.py"
    command = [sys.executable, "-W", "ignore", str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("rntuple", [False, True], ids=["TTree", "RNTuple"])
def test_root_reads_the_trees(everything, tmp_path, rntuple):
    export(everything, tmp_path / "out.root", rntuple=rntuple)
    found = read("trees", tmp_path / "out.root")
    with sqlamarr.open(everything) as db:
        tracks = db["Tracks"]
        assert found["p"] == pytest.approx(tracks["p"].sum())
        assert found["weight"] == len(tracks)
        assert found["long"] == len(tracks.filter("type = 3"))
        assert found["entries"] == len(db["Events"])
        assert found["top"] == pytest.approx(sum(max(p, default=0.0) for p in tracks.by_event().p.tolist()))
        assert found["end"] == len(db["TrackStates"].filter("location = 'EndT'"))
    assert found["seed"] == "42"
    assert found.get("title", "momentum [MeV]") == "momentum [MeV]"


def test_root_reads_the_collections_as_podio_does(everything, tmp_path):
    export(everything, tmp_path / "out.edm4hep.root", rows=1000)
    found = read("edm4hep", tmp_path / "out.edm4hep.root", tmp_path)
    assert found["version"] == [1, 1, 0]
    assert found["model"] == "edm4hep"
    assert found["collections"]["MCParticles"][1:] == ["edm4hep::MCParticleCollection", 6]
    assert found["first"] == "1.1.0"
    assert found["field"] == 1.0
    assert found["GP"] == 0
    with sqlamarr.open(everything) as db:
        assert found["entries"] == found["weight"] == len(db["Events"])
        assert found["tracks"] == len(db["Tracks"])
        pids = db.arrays("SELECT m.pid FROM Tracks JOIN MCParticles AS m USING (mcparticle_id)")["pid"]
        assert found["links"] == pids.sum()
        assert found["daughters"] == db["MCParticles"].filter("mother IS NOT NULL")["pid"].sum()
        likelihood = db["PID"].arrays("ProbNNe + ProbNNmu + ProbNNpi + ProbNNk + ProbNNp AS total")["total"]
        assert found["likelihood"] == pytest.approx(np.nansum(likelihood), rel=1e-5)
        assert found["energy"] > db["Tracks"]["p"].sum() / 1000
