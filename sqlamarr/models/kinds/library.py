"""``library``: compiled functions in a shared library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlamarr.models.base import Model
from sqlamarr.models.files import SHIPPED
from sqlamarr.models.kind import ModelFile, ModelKind

if TYPE_CHECKING:
    from sqlamarr.models.events import EventModel


class Library(ModelKind):
    """A shared library of functions in C."""

    HELP = "Compiled library: plugins:NAME of this package or an installed one, a path, or a URL."
    SUFFIXES = (".so", ".dylib", ".dll")

    def open(self, file: ModelFile, function: str) -> Model:
        """Open one of its functions as a model of rows."""
        from sqlamarr.models.compiled import CompiledModel

        return CompiledModel(file.file, function)

    def open_event(self, file: ModelFile, function: str) -> EventModel:
        """Open one of its functions as a model of whole events."""
        from sqlamarr.models.events import CompiledEventModel

        return CompiledEventModel(file.file, function)

    def is_single(self, value: str) -> bool:
        """Return False: a library may have many functions."""
        return False

    def here(self, value: str) -> str:
        """Make a path absolute; names of libraries (``plugins:NAME``) are not paths and stay as they are."""
        return value if value.startswith(SHIPPED) else super().here(value)


model_kind = Library()
