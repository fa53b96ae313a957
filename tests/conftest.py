"""Fixtures that several test files use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_packages import install  # noqa: F401 (a fixture)
from hypothesis import settings
from run_tools import MODULE, STEP

import sqlamarr
from sqlamarr import Database
from sqlamarr.output.summary import RunSummary

ROOT = Path(__file__).parent.parent

# No deadline: how long an example takes depends on the load of the machine, and on sanitizers.
settings.register_profile("local", deadline=None)
# Continuous integration judges a change: it must not find today what it did not find yesterday.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture
def db() -> Iterator[Database]:
    with Database() as database:
        yield database


@pytest.fixture(scope="session")
def lhcb_data() -> Path:
    """The folder with LHCb's own generator files."""
    folder = os.environ.get("SQLAMARR_LHCB_DATA")
    if not folder:
        pytest.skip("SQLAMARR_LHCB_DATA is not set: LHCb's generator files are not here")
    return Path(folder)


@pytest.fixture(scope="session")
def example() -> Path:
    """A HepMC3 file of Pythia8 events."""
    return ROOT / "examples" / "data" / "bbbar.hepmc.gz"


@pytest.fixture(scope="session")
def compile_plugin(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Compile a C source into a shared library, as somebody's model."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")

    def build(source: str) -> Path:
        folder = tmp_path_factory.mktemp("plugin")
        (folder / "model.c").write_text(source)
        command = [compiler, "-shared", "-fPIC", "-O1", f"-I{ROOT / 'plugins'}", "model.c", "-o", "model.so"]
        subprocess.run(command, cwd=folder, check=True)
        return folder / "model.so"

    return build


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``python ARGUMENTS`` in an empty folder, with the package that is under test."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sqlamarr.__file__).parent.parent)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)

    return run


@pytest.fixture
def make_pipeline(tmp_path: Path) -> Callable[..., Path]:
    """Write a pipeline file and its templates; returns the file."""

    def write(text: str, **templates: str) -> Path:
        for name, template in templates.items():
            (tmp_path / f"{name}.sql").write_text(template)
        path = tmp_path / "pipeline.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, example: Path) -> tuple[Path, RunSummary]:
    """One run of the shipped pipeline over the shipped example: the output file and the summary."""
    path = tmp_path_factory.mktemp("reference") / "out.db"
    return path, sqlamarr.run("lhcb_run2", [example], path, seed=42, events=40)


@pytest.fixture
def picky(make_pipeline: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline with a step that refuses the second and the fourth event."""
    (tmp_path / "step_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return make_pipeline(STEP)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory, example: Path) -> Path:
    """An output file with every table that a run can keep of the generator's record and of its weights."""
    path = tmp_path_factory.mktemp("everything") / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=42, events=25, generator="full", weights=True)
    return path
