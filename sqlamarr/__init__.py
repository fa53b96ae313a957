"""Flash simulation of the LHCb experiment: generator events in, reconstructed tracks in SQLite out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlamarr._library import version as __version__
    from sqlamarr.columns import Columns
    from sqlamarr.database import Database
    from sqlamarr.errors import SqlamarrError
    from sqlamarr.exporters import export
    from sqlamarr.output import open_output as open
    from sqlamarr.pipeline import load as load_pipeline
    from sqlamarr.runner import run

__all__ = ["Columns", "Database", "SqlamarrError", "__version__", "export", "load_pipeline", "open", "run"]

# Imported when first used: the command line answers --help at once, and nobody pays for what he does not use.
_LATER = {
    "Columns": ("columns", "Columns"),
    "Database": ("database", "Database"),
    "SqlamarrError": ("errors", "SqlamarrError"),
    "__version__": ("_library", "version"),
    "export": ("exporters", "export"),
    "load_pipeline": ("pipeline", "load"),
    "open": ("output", "open_output"),
    "run": ("runner", "run"),
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        from importlib import import_module

        module, attribute = _LATER[name]
        return getattr(import_module(f"sqlamarr.{module}"), attribute)
    raise AttributeError(f"module 'sqlamarr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
