"""A source: muons in all directions, described in a YAML file as ``toygun: {muons: 3}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlamarr.events.chunk import ParsedChunk
from sqlamarr.events.event import EventRef, event_numbers
from sqlamarr.native.random import Random, stream_key
from sqlamarr.sources.kind import DescribedSource, Generator, RecipeKind
from sqlamarr.sources.record_tables import collision_tables, particle_columns, rows_of, vertex_columns

MUON_MASS = 105.6583755  # MeV, PDG


@dataclass(frozen=True)
class Muons:
    """The recipe: small, because it travels to every worker. An event depends on its id alone."""

    seed: int
    muons: int

    def make(self, events: Sequence[EventRef]) -> ParsedChunk:
        """The generator's tables of some events."""
        numbers = event_numbers(events)
        ids, sources = numbers[:, 0], numbers[:, 2]
        owner, position = rows_of(ids, np.full(len(ids), self.muons))
        random = Random(stream_key(self.seed, "source:toygun")).uniform(owner + position, 4)
        pt, eta = 500 + 9500 * random[:, 0], 3 * random[:, 1] - 1.5
        phi, charge = 2 * np.pi * random[:, 2], np.where(random[:, 3] < 0.5, -1, 1)
        px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
        energy = np.sqrt(px**2 + py**2 + pz**2 + MUON_MASS**2)
        momenta = np.stack([energy, px, py, pz, np.full(len(owner), MUON_MASS)], axis=1)
        begins, never = np.zeros(len(owner), np.int64), np.full(len(owner), -1, np.int64)
        tables = {
            "GenVertices": vertex_columns(ids, 0 * ids, np.ones(len(ids), bool), np.zeros((len(ids), 4))),
            "GenParticles": particle_columns(
                owner, position, position + 1, (begins, never), -13 * charge, np.ones(len(owner), np.int64), momenta
            ),
        }
        return ParsedChunk({**collision_tables(ids, sources, {}), **tables})


class ToyGun(RecipeKind):
    """The kind of source: what stands in the YAML file, and what becomes of it."""

    HELP = "muons in all directions"
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "muons": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Muons of an event; default 1."},
            "events": {
                "type": "integer",
                "minimum": 1,
                "description": "How many; default: as the run asks.",
            },
        },
        "additionalProperties": False,
    }

    def prepare(self, description: DescribedSource, seed: int) -> Generator:
        """Everything that can be checked before the first event."""
        content = description.content
        return Generator("toy gun", Muons(seed, content.get("muons", 1)), content.get("events"))


source = ToyGun()
