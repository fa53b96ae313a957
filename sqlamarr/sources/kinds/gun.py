"""``gun``: particles of chosen kinds and momenta, and decays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlamarr.sources.kind import DescribedSource, Generator, RecipeKind


class Gun(RecipeKind):
    """Particles of chosen kinds and momenta, and decays."""

    HELP = "particles of chosen kinds and momenta, and decays"

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of its options."""
        from sqlamarr.sources.gun.gun import SCHEMA

        return SCHEMA

    def prepare(self, description: DescribedSource, seed: int) -> Generator:
        """The recipe of its events."""
        from sqlamarr.sources.gun.gun import prepare

        return prepare(description, seed)


source = Gun()
