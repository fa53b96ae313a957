"""Flash simulation of the LHCb experiment: generator events in, reconstructed tracks in SQLite out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlamarr._library import lib as _lib
from sqlamarr._library import text as _text
from sqlamarr.columns import Columns
from sqlamarr.database import Database
from sqlamarr.errors import SqlamarrError

if TYPE_CHECKING:
    from sqlamarr.output import open_output as open
    from sqlamarr.pipeline import load as load_pipeline
    from sqlamarr.runner import run

__version__ = _text(_lib.sqlamarr_version())

__all__ = ["Columns", "Database", "SqlamarrError", "__version__", "load_pipeline", "open", "run"]

_LATER = {"load_pipeline": ("pipeline", "load"), "open": ("output", "open_output"), "run": ("runner", "run")}


def __getattr__(name: str) -> Any:
    # Imported when first used, to keep "import sqlamarr" quick.
    if name in _LATER:
        from importlib import import_module

        module, attribute = _LATER[name]
        return getattr(import_module(f"sqlamarr.{module}"), attribute)
    raise AttributeError(f"module 'sqlamarr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
