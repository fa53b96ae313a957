"""A library of somebody else's in the place of ours."""

from __future__ import annotations

import shutil

import numpy as np
from run_tools import command_line

import sqlamarr
from sqlamarr.native.library import pipelines_folder
from sqlamarr.output import provenance

FOREIGN = """
#include <math.h>
float *acceptance(float *out, const float *in) {
    float sum = 0; for (int i = 0; i < 12; ++i) sum += in[i];
    out[0] = sum == sum ? 1 : 0; return out; }
float *efficiency(float *out, const float *in) {
    float sum = 0; for (int i = 0; i < 12; ++i) sum += in[i];
    /* Rounded in float32, such probabilities may sum to more than 1. */
    out[0] = 0.1f; out[1] = 0.7000001f; out[2] = 0.1f; out[3] = sum == sum ? 0.1000001f : 0; return out; }
float *resolution(float *out, const float *in, const float *random) {
    float sum = 0; for (int i = 0; i < 12; ++i) sum += in[i];
    for (int i = 0; i < 128; ++i) sum += random[i];
    for (int i = 0; i < 9; ++i) out[i] = 0.001f * random[i];
    out[7] = sum == sum ? 1e6f : 0; out[5] = -1e9f; return out; }
float *covariance(float *out, const float *in, const float *random) {
    float sum = 0; for (int i = 0; i < 15; ++i) sum += in[i];
    for (int i = 0; i < 128; ++i) sum += random[i];
    for (int i = 0; i < 5; ++i) out[i] = -10;
    for (int i = 5; i < 15; ++i) out[i] = sum == sum ? 0.9f - 1.8f * (i % 2) : 0; return out; }
"""


def test_a_foreign_library_takes_the_place_of_ours_by_one_word(compile_plugin, example, tmp_path, capsys):
    library = compile_plugin(FOREIGN)
    out = tmp_path / "out.db"
    arguments = ["run", "lhcb_run2", example, "-o", out, "--seed", 1, "-n", 3, "--model", f"tracking={library}"]
    assert command_line(*arguments) == 0
    with sqlamarr.open(out) as db:
        made = provenance.read(db)
        lowest, n = db.execute("SELECT min(p), count(*) FROM Tracks").fetchone()
        states = db.arrays("SELECT * FROM TrackStates WHERE location = 'ClosestToBeam'")
    assert made["models"]["tracking"]["library"] == str(library)
    assert n > 10
    assert lowest == 1.0  # MeV: more is not taken away
    # Correlations that no matrix can have are shrunk until one has them.
    matrix = np.empty((n, 5, 5))
    for i in range(5):
        for j in range(i, 5):
            matrix[:, i, j] = matrix[:, j, i] = states[f"cov{i}{j}"]
    assert np.linalg.eigvalsh(matrix / matrix[:, :1, :1]).min() > 0


def test_a_foreign_library_of_wrong_sizes_is_refused_before_any_event(compile_plugin, example, tmp_path, capsys):
    library = compile_plugin(FOREIGN.replace("i < 9", "i < 12"))
    out = tmp_path / "out.db"
    assert command_line("run", "lhcb_run2", example, "-o", out, "--model", f"tracking={library}") == 1
    message = "function 'resolution' of model.so: writes 12 values per row, but the pipeline declares 9 outputs"
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_models_beside_a_relative_pipeline_are_found(compile_plugin, example, tmp_path, monkeypatch):
    library = compile_plugin(FOREIGN)
    folder = tmp_path / "mine"

    shutil.copytree(pipelines_folder() / "lhcb_run2", folder)
    (folder / "model.so").write_bytes(library.read_bytes())
    text = (folder / "pipeline.yaml").read_text().replace('"plugins:lhcb_run2"', "model.so")
    (folder / "pipeline.yaml").write_text(text)
    monkeypatch.chdir(folder)
    sqlamarr.run("pipeline.yaml", example, tmp_path / "o.db", seed=1, events=1)
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert provenance.read(db)["models"]["tracking"]["library"] == str(folder / "model.so")
