"""A place in a description, for messages about its content."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlamarr.errors import InputError
from sqlamarr.sources.kind import DescribedSource


@dataclass(frozen=True)
class Place:
    """A place in a description.

    :ivar name: keys with full stops between them, e.g. ``gun.particles.0.pt``
    """

    description: DescribedSource
    name: str

    @property
    def path(self) -> str:
        """The file, or its name for messages."""
        return self.description.path

    def of(self, key: str | int) -> Place:
        """The place below a key."""
        return replace(self, name=f"{self.name}.{key}")

    def error(self, text: str) -> InputError:
        """An error that names the place."""
        return InputError(f"{self.path}: {self.name}: {text}")


__all__ = ["Place"]
