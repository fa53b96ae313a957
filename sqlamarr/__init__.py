"""Flash simulation of the LHCb experiment: generator events in, reconstructed tracks in SQLite out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlamarr import errors
    from sqlamarr.candidates.build import Selection
    from sqlamarr.candidates.ntuple import find_candidates
    from sqlamarr.candidates.write import TupleSummary, write_tuple
    from sqlamarr.compiler import compile
    from sqlamarr.compiler.build import Compiled
    from sqlamarr.database.connection import Database
    from sqlamarr.errors import EventError, SqlamarrError
    from sqlamarr.exporters.export_file import export
    from sqlamarr.exporters.options import ExportSummary
    from sqlamarr.native.columns import Columns
    from sqlamarr.native.library import version as __version__
    from sqlamarr.native.random import Random
    from sqlamarr.output.file import open_output as open
    from sqlamarr.output.merge import merge
    from sqlamarr.output.summary import RunSummary
    from sqlamarr.output.tables.output_database import OutputDatabase
    from sqlamarr.output.tables.table import Table
    from sqlamarr.output.verify import verify
    from sqlamarr.pipeline.definition import Pipeline
    from sqlamarr.pipeline.load import load as load_pipeline
    from sqlamarr.report.page import ReportSummary, write_report
    from sqlamarr.running.run import run
    from sqlamarr.steps.batch import Batch
    from sqlamarr.steps.registry import register
    from sqlamarr.steps.workspace import Workspace

__all__ = [
    # simulate
    "run",
    "load_pipeline",
    "merge",
    # read and convert the results
    "open",
    "verify",
    "export",
    "find_candidates",
    "write_tuple",
    "write_report",
    # extend
    "compile",
    "register",
    # what these take and return
    "Batch",
    "Columns",
    "Compiled",
    "Database",
    "ExportSummary",
    "OutputDatabase",
    "Pipeline",
    "Random",
    "ReportSummary",
    "RunSummary",
    "Selection",
    "Table",
    "TupleSummary",
    "Workspace",
    # what they raise; all are in sqlamarr.errors
    "EventError",
    "SqlamarrError",
    "errors",
    "__version__",
]

# Imported when first used: the command line answers --help immediately, and a run pays only for what it uses.
_MODULES = {
    "Batch": "steps.batch",
    "Columns": "native.columns",
    "Compiled": "compiler.build",
    "Database": "database.connection",
    "EventError": "errors",
    "ExportSummary": "exporters.options",
    "OutputDatabase": "output.tables.output_database",
    "Pipeline": "pipeline.definition",
    "Random": "native.random",
    "ReportSummary": "report.page",
    "RunSummary": "output.summary",
    "Selection": "candidates.build",
    "SqlamarrError": "errors",
    "Table": "output.tables.table",
    "TupleSummary": "candidates.write",
    "Workspace": "steps.workspace",
    "__version__": "native.library:version",
    "find_candidates": "candidates.ntuple",
    "compile": "compiler",
    "export": "exporters.export_file",
    "load_pipeline": "pipeline.load:load",
    "merge": "output.merge",
    "open": "output.file:open_output",
    "register": "steps.registry",
    "run": "running.run",
    "verify": "output.verify",
    "write_report": "report.page",
    "write_tuple": "candidates.write",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        module, _, attribute = _MODULES[name].partition(":")
        return getattr(import_module(f"sqlamarr.{module}"), attribute or name)
    try:  # a room of the package: sqlamarr.steps is there whether something has imported it or not
        return import_module(f"sqlamarr.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"sqlamarr.{name}":
            raise
    raise AttributeError(f"module 'sqlamarr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
