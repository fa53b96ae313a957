"""Flash simulation of the LHCb experiment: generator events in, reconstructed tracks in SQLite out."""

from __future__ import annotations

from sqlamarr._library import lib as _lib
from sqlamarr._library import text as _text
from sqlamarr.columns import Columns
from sqlamarr.database import Database
from sqlamarr.errors import SqlamarrError

__version__ = _text(_lib.sqlamarr_version())

__all__ = ["Columns", "Database", "SqlamarrError", "__version__"]
