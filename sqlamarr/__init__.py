"""Flash simulation of the LHCb experiment: generator events in, reconstructed tracks in SQLite out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlamarr.database.connection import Database
    from sqlamarr.errors import SqlamarrError
    from sqlamarr.exporters.export_file import export
    from sqlamarr.native.columns import Columns
    from sqlamarr.native.library import version as __version__
    from sqlamarr.output.file import open_output as open
    from sqlamarr.output.verify import verify
    from sqlamarr.pipeline.load import load as load_pipeline
    from sqlamarr.running.run import run

__all__ = ["Columns", "Database", "SqlamarrError", "__version__", "export", "load_pipeline", "open", "run", "verify"]

# Imported when first used: the command line answers --help at once, and nobody pays for what he does not use.
_LATER = {
    "Columns": ("native.columns", "Columns"),
    "Database": ("database.connection", "Database"),
    "SqlamarrError": ("errors", "SqlamarrError"),
    "__version__": ("native.library", "version"),
    "export": ("exporters.export_file", "export"),
    "load_pipeline": ("pipeline.load", "load"),
    "open": ("output.file", "open_output"),
    "run": ("running.run", "run"),
    "verify": ("output.verify", "verify"),
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        from importlib import import_module

        module, attribute = _LATER[name]
        return getattr(import_module(f"sqlamarr.{module}"), attribute)
    raise AttributeError(f"module 'sqlamarr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
