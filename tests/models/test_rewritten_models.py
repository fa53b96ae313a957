"""Model libraries that are written again while a process has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from run_tools import command_line

import sqlamarr
from sqlamarr.models.compiled import CompiledModel

ANSWER = "float *f(float *out, const float *in) {{ out[0] = {value}f + 0 * in[0]; return out; }}\n"
MAPS = Path("/proc/self/maps")


def _answer(model):
    return float(model(np.zeros((1, 1), np.float32), None, 1)[0, 0])


def _copies():
    """Places where this process has a copy of a library."""
    return {line.split()[4] for line in MAPS.read_text().splitlines() if "memfd:sqlamarr-model" in line}


@pytest.mark.parametrize("write", [os.replace, shutil.copyfile], ids=["replaced", "overwritten"])
def test_a_library_that_was_written_again_gives_its_new_code_and_leaves_the_old_alone(compile_plugin, tmp_path, write):
    library = tmp_path / "model.so"
    shutil.copyfile(compile_plugin(ANSWER.format(value="1.0")), library)
    old = CompiledModel(library, "f")
    assert _answer(old) == 1.0
    write(compile_plugin(ANSWER.format(value="2.0")), library)
    new = CompiledModel(library, "f")
    assert (_answer(old), _answer(new)) == (1.0, 2.0)


@pytest.mark.skipif(not MAPS.exists(), reason="this system does not list what a process has mapped")
def test_all_functions_of_a_library_share_one_copy_which_goes_with_the_last(compile_plugin):
    library = compile_plugin(ANSWER.format(value="1.0") + ANSWER.replace("*f(", "*g(").format(value="2.0"))
    before, files = _copies(), len(os.listdir("/proc/self/fd"))
    f, g = CompiledModel(library, "f"), CompiledModel(library, "g")
    assert len(_copies() - before) == 1
    del f
    assert _answer(g) == 2.0
    del g
    assert _copies() == before
    assert len(os.listdir("/proc/self/fd")) == files


@pytest.mark.skipif(sys.platform == "darwin", reason="$ORIGIN is ELF's word")
def test_a_library_that_needs_another_beside_it_finds_it(compile_plugin, tmp_path):
    shutil.copyfile(compile_plugin("float value(void) { return 3; }"), tmp_path / "libvalue.so")
    (tmp_path / "f.c").write_text(
        "float value(void); float *f(float *out, const float *in) { out[0] = value() + 0 * in[0]; return out; }"
    )
    command = ["cc", "-shared", "-fPIC", "f.c", "-L.", "-lvalue", "-Wl,-rpath,$ORIGIN", "-o", "f.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert _answer(CompiledModel(tmp_path / "f.so", "f")) == 3.0


def test_a_run_after_a_new_compilation_uses_the_new_model(compile_plugin, make_pipeline, example, tmp_path):
    pipeline = make_pipeline(
        """
        name: again
        models: {mine: {library: model.so}}
        steps:
          - find_primary_vertices: {}
          - select_particles: {}
          - plugin: {model: mine, function: f, query: input.sql, table: A, key: [mcparticle_id, event_id], inputs: 1,
                     outputs: [a]}
        output: {tables: [A]}
        """,
        input="SELECT mcparticle_id, event_id, pz FROM MCParticles",
    )
    found, kept = [], []
    for value in ("1.0", "2.0"):
        source = compile_plugin(ANSWER.format(value=value))
        kept.append(CompiledModel(source, "f"))  # what was compiled may still be in use
        os.replace(source, pipeline.parent / "model.so")
        kept.append(CompiledModel(pipeline.parent / "model.so", "f"))
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=1, overwrite=True)
        with sqlamarr.open(tmp_path / "out.db") as db:
            found.append(db.execute("SELECT min(a), max(a) FROM A").fetchone())
    assert found == [(1.0, 1.0), (2.0, 2.0)]


def test_a_file_that_is_no_library_is_named_as_the_user_named_it(example, tmp_path, capsys):
    (tmp_path / "model.so").write_text("no library")
    arguments = ["run", "lhcb_run2", example, "-o", tmp_path / "out.db", "--model", f"tracking={tmp_path / 'model.so'}"]
    assert command_line(*arguments) == 1
    assert f"Cannot load the model library: {tmp_path / 'model.so'}: " in capsys.readouterr().err
