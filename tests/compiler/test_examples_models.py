"""The examples that train models run, and do what they say."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import sqlamarr

EXAMPLES = Path(__file__).parents[2] / "examples"

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytestmark = pytest.mark.skipif(not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler here")


def test_dalitz(run_python, tmp_path):
    done = run_python(str(EXAMPLES / "dalitz" / "dalitz.py"), "-o", str(tmp_path), "-n", "3000")
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / f"{name}.png").stat().st_size > 10_000 for name in ("effects", "efficiency", "resolution"))
    with sqlamarr.open(tmp_path / "decays.db") as db:
        n, seen, sigma = db.execute(
            "SELECT (SELECT count(*) FROM Decays), count(*), avg(sigma_plus_minus) FROM Reconstructed"
        ).fetchone()
    assert n == 3000
    assert 0.25 * n < seen < 0.35 * n  # 0.30 of the neutral pions are above 70 GeV/c
    assert 0.002 < sigma < 0.005


def test_the_kinematics_of_the_decay(monkeypatch):
    import numpy as np

    monkeypatch.syspath_prepend(EXAMPLES / "dalitz")
    decays_module = __import__("decays")
    decays = decays_module.generate(2000, np.random.default_rng(0))
    total = sum(decays)
    assert decays_module.mass(total) == pytest.approx(decays_module.MASS_K, abs=1e-6)
    assert total[:, 3] == pytest.approx(decays_module.MOMENTUM_K, rel=1e-9)
    assert decays_module.mass(decays.neutral) == pytest.approx(decays_module.MASS_PI0, abs=1e-5)
    sys.modules.pop("decays")


def test_a_short_training_of_the_gan(run_python, tmp_path):
    pytest.importorskip("torch")
    options = ("--rows", "4000", "--steps", "10", "--batch", "128", "--width", "16", "--depth", "1")
    done = run_python(str(EXAMPLES / "train_gan" / "train_gan.py"), "-o", str(tmp_path), *options)
    assert done.returncode == 0, done.stderr
    assert "Kolmogorov-Smirnov distances, long tracks" in done.stdout
    with sqlamarr.open(tmp_path / "swapped.db") as db:
        assert db.execute("SELECT count(*) FROM Tracks").fetchone()[0] > 500
