"""``pythia``: collisions of Pythia 8, in process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlamarr.sources.kind import DescribedSource, Generator, RecipeKind


class Pythia(RecipeKind):
    """Collisions of Pythia 8, in process."""

    HELP = "collisions of Pythia 8, in process"

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of its options."""
        from sqlamarr.sources.pythia.pythia import SCHEMA

        return SCHEMA

    def prepare(self, description: DescribedSource, seed: int) -> Generator:
        """The recipe of its events."""
        from sqlamarr.sources.pythia.pythia import prepare

        return prepare(description, seed)


source = Pythia()
