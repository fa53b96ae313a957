"""Masses and vertices of decays from the particle gun, against the truth and the propagated errors.

Cores are fits of three Gaussians (sqlamarr.report.statistics.core); what tails make is looked at apart.
"""

from __future__ import annotations

import numpy as np
import pytest

import sqlamarr
from sqlamarr.candidates.build import Selection
from sqlamarr.candidates.ntuple import find_candidates
from sqlamarr.particles.descriptors import mass
from sqlamarr.report.statistics import chi2_probability, core

GUNS = {
    "Lc": ("[Lambda_c+ -> p+ K- pi+]CC", "  spectrum: {shipped: c_13TeV, eta: [2, 5]}", 4122, 0.3),
    "Jpsi": ("J/psi(1S) -> mu+ mu-", "  pt: {exponential: {mean: 2500, max: 20000}}\n  y: {flat: [2, 4.5]}", 443, 1.0),
}


def shot(folder, label, n):
    """Truth-matched candidates of a gun of ``n`` events."""
    decay, spectrum, _, _ = GUNS[label]
    gun = folder / f"{label}.yaml"
    gun.write_text(f'gun:\n  decay: "{decay}"\n{spectrum}\n  origin: {{luminous_region: 2016}}\n')
    sqlamarr.run("lhcb_run2", gun, folder / f"{label}.db", seed=11, events=n)
    return find_candidates(folder / f"{label}.db", decay, Selection(truth=True))


def check(found, label, slack):
    """``slack``: sigmas of the statistical error that are added to what is asked for."""
    _, _, pid, bias = GUNS[label]
    peak = core(found[f"{label}_M"] - mass(pid), found[f"{label}_MERR"])
    assert abs(peak.mean) < bias + slack * peak.mean_error  # MeV
    assert abs(peak.width - 1) < 0.05 + slack * peak.width_error
    for axis in "XYZ":
        pulls = found[f"{label}_ENDVERTEX_{axis}"] - found[f"{label}_TRUEENDVERTEX_{axis}"]
        width = core(pulls / found[f"{label}_ENDVERTEX_{axis}ERR"])
        assert abs(width.width - 1) < 0.1 + slack * width.width_error, axis
    probability = chi2_probability(found[f"{label}_ENDVERTEX_CHI2"], int(found[f"{label}_ENDVERTEX_NDOF"][0]))
    bins = np.histogram(probability, np.linspace(0.1, 1, 10))[0]
    assert np.abs(bins / bins.mean() - 1).max() < 0.12 + slack / np.sqrt(bins.mean())
    assert 0.04 < np.mean(probability < 0.01) < 0.18  # what the tails of tracks make


@pytest.mark.parametrize(("label", "events"), [("Lc", 8000), ("Jpsi", 4000)])
def test_masses_and_vertices(tmp_path, label, events):
    check(shot(tmp_path, label, events), label, slack=3)


@pytest.mark.long
@pytest.mark.parametrize(("label", "events"), [("Lc", 150_000), ("Jpsi", 60_000)])
def test_masses_and_vertices_of_many(tmp_path, label, events):
    check(shot(tmp_path, label, events), label, slack=1)
