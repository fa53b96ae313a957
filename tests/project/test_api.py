"""What is public is decided: growth is a reviewed change, and its pages are what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sqlamarr

ROOT = Path(__file__).parents[2]

PUBLIC = """
Batch Columns Compiled Database EventError ExportSummary OutputDatabase Pipeline Random ReportSummary
RunSummary Selection SqlamarrError Table TupleSummary Workspace __version__ compile errors export
find_candidates load_pipeline merge open register run verify write_report write_tuple
"""


def test_the_public_names_are_these():
    assert dir(sqlamarr) == PUBLIC.split()
    for name in sqlamarr.__all__:
        assert getattr(sqlamarr, name) is not None, name
        if name not in ("errors", "__version__"):
            assert getattr(sqlamarr, name).__doc__, name


def test_the_reference_pages_are_what_the_code_says():
    command = [sys.executable, ROOT / "tools" / "make_reference.py", "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_rooms_are_there_whether_something_imported_them_or_not():
    code = "import sqlamarr; sqlamarr.steps.register; sqlamarr.compiler.compile; sqlamarr.errors.SqlError"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    with pytest.raises(AttributeError, match="module 'sqlamarr' has no attribute 'runn'"):
        sqlamarr.runn  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, sqlamarr; "
        "heavy = {'numpy', 'pandas', 'apsw', 'cffi', 'jinja2', 'yaml', 'uproot', 'pyhepmc'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
