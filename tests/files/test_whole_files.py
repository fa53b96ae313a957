"""Every writer of the package: a file is complete, or what was there before."""

from __future__ import annotations

import ast
import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest
from compiler_tools import needs_compiler
from run_tools import command_line

import sqlamarr
from sqlamarr.errors import OutputError
from sqlamarr.files import whole_files
from sqlamarr.files.whole_files import copy, move, replacing, replacing_folder, write_text

ROOT = Path(sqlamarr.__file__).parent
EXAMPLES = Path(__file__).parents[2] / "examples"

#: Where a file may be written otherwise, with the reason.
ALLOWED = {
    "files/whole_files.py": "it is that way",
    "files/write_lock.py": "a lock",
    "running/worker.py": "the name of a step, in a temporary folder",
    "running/shared_memory.py": "memory that processes share",
    "compiler/build.py": "C sources in a temporary folder, and the file that replacing() gives",
    "sources/hepmc/write.py": "the file that replacing() gives",
}
WRITERS = {"write_text", "write_bytes", "rename", "mkstemp", "NamedTemporaryFile", "copyfile", "copy2"}


@pytest.fixture
def no_room(monkeypatch):
    """The disk is full when a file is to be made sure of."""

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(whole_files, "_sync", full)


def tree(folder):
    """Content by name of all files below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def commands(reference, folder):
    """A command for every writer."""
    out = reference[0]
    model = folder / "model.py"
    return {
        "root": ["export", out, folder / "o.root"],
        "edm4hep": ["export", out, folder / "o.edm4hep.root"],
        "parquet": ["export", out, folder / "t.parquet", "--table", "Tracks"],
        "parquet folder": ["export", out, folder / "parquet", "--format", "parquet"],
        "report": ["report", out, "-o", folder / "r.html"],
        "tuple": ["tuple", out, "[D0 -> K- pi+]CC", "-o", folder / "d0.db"],
        "root tuple": ["tuple", out, "[D0 -> K- pi+]CC", "-o", folder / "d0.root"],
        "merge": ["merge", out, "-o", folder / "m.db"],
        "gun": ["gun", EXAMPLES / "gun_tracks.yaml", "-n", 5, "--seed", 1, "-o", folder / "g.hepmc.gz"],
        "model": model,
    }


NAMES = [name for name in commands(("",), Path()) if name != "model"]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_there_stays_if_there_is_no_room(reference, tmp_path, capsys, monkeypatch, name):
    command = commands(reference, tmp_path)[name]
    overwrite = [] if name == "gun" else ["--overwrite"]
    assert command_line(*command) == 0
    before = tree(tmp_path)
    assert before

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(whole_files, "_sync", full)
    capsys.readouterr()
    assert command_line(*command, *overwrite) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    if name != "gun":  # which never overwrites
        assert "cannot be written: No space left on device." in error
    assert tree(tmp_path) == before


@needs_compiler
def test_a_compiled_library_stays_if_there_is_no_room(tmp_path, no_room):
    np = pytest.importorskip("numpy")
    linear = pytest.importorskip("sklearn.linear_model")
    from sqlamarr.compiler import compile as compile_models

    (tmp_path / "l.so").write_text("the old one")
    model = linear.LinearRegression().fit(np.arange(6.0).reshape(-1, 2), np.arange(3.0))
    with pytest.raises(OutputError, match=r"l\.so cannot be written: No space"):
        compile_models({"f": model}, tmp_path / "l.so", samples={"f": np.ones((4, 2)) * np.arange(4)[:, None]})
    assert (tmp_path / "l.so").read_text() == "the old one"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("make", [replacing, replacing_folder])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_nothing(tmp_path, make, error):
    path = tmp_path / "there"
    if make is replacing:
        path.write_text("old")
    else:
        path.mkdir()
        (path / "file").write_text("old")
    before = tree(tmp_path)

    def fail():
        with make(path) as part:
            ((part / "new") if part.is_dir() else part).write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert tree(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == 1


def test_permissions_are_those_of_the_file_that_is_replaced_or_of_any_new_one(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("old")
    old.chmod(0o640)
    mask = os.umask(0o027)
    try:
        write_text(new, "new")
        write_text(old, "new")
    finally:
        os.umask(mask)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (new, old)] == [0o640, 0o640]
    write_text(tmp_path / "public", "")
    assert stat.S_IMODE((tmp_path / "public").stat().st_mode) == 0o666 & ~mask


def test_a_link_stays_and_its_target_is_written(tmp_path):
    link, far = tmp_path / "link", tmp_path / "far"
    far.mkdir()
    link.symlink_to("far/file")  # not there yet
    write_text(link, "one")
    copy(far / "file", tmp_path / "copy")
    write_text(link, "two")
    assert (link.is_symlink(), (far / "file").read_text(), (tmp_path / "copy").read_text()) == (True, "two", "one")
    move(tmp_path / "copy", link)
    assert (link.is_symlink(), link.read_text(), (tmp_path / "copy").exists()) == (True, "one", False)
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(OutputError, match="leads back to itself"):
        write_text(link, "three")


def test_a_folder_takes_the_place_of_an_older_one(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "old").write_text("old")
    with replacing_folder(tmp_path / "f") as part:
        (part / "new").write_text("new")
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("name", ["/dev/full", "/dev/null"])
def test_a_summary_may_go_to_a_device(example, tmp_path, capsys, name):
    arguments = ["run", "lhcb_run2", example, "-o", tmp_path / "o.db", "--seed", 1, "--quiet", "--summary", name]
    assert command_line(*arguments) == (1 if name == "/dev/full" else 0)
    assert ("/dev/full cannot be written: No space left on device." in capsys.readouterr().err) == (name == "/dev/full")
    assert not Path(name).is_file()


def test_an_export_that_fails_leaves_the_simulation_and_names_it(example, tmp_path, capsys, no_room):
    (tmp_path / "o.root").write_bytes(b"root, an old one")
    arguments = ["run", "lhcb_run2", example, "-o", tmp_path / "o.root", "--seed", 1, "--quiet", "--overwrite"]
    assert command_line(*arguments) == 1
    error = capsys.readouterr().err
    assert "o.root cannot be written: No space left on device." in error
    assert (
        f"The complete simulation is in {tmp_path / 'o.root.db'}: free some space, then run 'sqlamarr export" in error
    )
    assert (tmp_path / "o.root").read_bytes() == b"root, an old one"
    with sqlamarr.open(tmp_path / "o.root.db") as db:
        assert db.execute("SELECT count(*) FROM Events").fetchone() == (40,)


def test_there_is_no_other_way_of_writing():
    found = set()
    for path in ROOT.rglob("*.py"):
        if "_native" in path.parts:
            continue
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _writes(node):
                found.add(name)
    found = {name for name in found if not name.startswith("exporters/formats/")}  # they write where they are told
    assert found <= set(ALLOWED), found - set(ALLOWED)


def _writes(call):
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called == "open":
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        modes = [word.value for word in given if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        return any(set("wax+") & set(mode) and len(mode) <= 3 for mode in modes)
    if called == "replace" and isinstance(call.func, ast.Attribute):  # os.replace, Path.replace; str.replace takes two
        return ast.unparse(call.func.value) == "os" or (len(call.args) == 1 and not call.keywords)
    return (
        called in WRITERS
        and ast.unparse(call.func) != "whole_files.write_text"
        and not (isinstance(call.func, ast.Name) and called == "write_text")
    )
