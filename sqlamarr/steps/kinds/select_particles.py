"""``select_particles``: make MC truth from the generator's record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sqlamarr.native import truth
from sqlamarr.native.columns import Columns
from sqlamarr.particles.codes import CHARGED_SPECIES, LHCB_SIGNAL, LHCB_STATUSES, STABLE
from sqlamarr.steps.batch import Batch
from sqlamarr.steps.generator_record import SIGNAL_STATUS, errors_of_events
from sqlamarr.steps.protocol import Run
from sqlamarr.steps.registry import register
from sqlamarr.steps.workspace import Workspace


@register("select_particles")
@dataclass(frozen=True)
class SelectParticles:
    """Fill MCParticles and MCVertices with the relevant part of the generator's record."""

    statuses: tuple[int, ...] = (STABLE, *LHCB_STATUSES)
    decayed: bool = True
    collapse: bool = True
    signal_status: int = LHCB_SIGNAL
    name: str = "select_particles"
    tables: tuple[str, ...] = ("MCParticles", "MCVertices")

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "statuses": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "HepMC statuses that are kept for every kind of particle.",
            },
            "decayed": {
                "type": "boolean",
                "description": "Keep particles that decayed, except partons and neutrinos; default true.",
            },
            "collapse": {
                "type": "boolean",
                "description": "Replace a chain of copies of one particle by its last copy; default true.",
            },
            "signal_status": SIGNAL_STATUS,
        },
        "additionalProperties": False,
    }

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> SelectParticles:
        """Make a step from the options of a pipeline file."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
        return cls(**values)

    def writes_rows(self, _: Workspace) -> bool:
        """Return False: the step writes whole columns."""
        return False

    def prepare(self, workspace: Workspace) -> Run:
        """Return the function that runs on a batch; there is nothing to check, as the tables are the package's own."""
        for table in self.tables:
            workspace.claim(self.name, table)
        return self._run

    def _run(self, batch: Batch) -> None:
        options = truth.TruthOptions(self.statuses, self.decayed, self.collapse, self.signal_status)
        with errors_of_events():
            particles, vertices = truth.select(batch.columns("GenParticles"), batch.columns("GenVertices"), options)
        batch.write("MCVertices", vertices)
        batch.write("MCParticles", particles)
        batch.count("mcparticles", particles.rows, "MC particles")
        _count_others(batch, particles)
        unknown = np.ma.getmaskarray(particles["charge"])
        for pid in np.unique(np.ma.getdata(particles["pid"])[unknown]):
            n = np.count_nonzero(unknown & (particles["pid"] == pid))
            batch.count("unknown_charge", n, "MC particles of unknown charge, treated as neutral")
            batch.notes.add(f"The charge of PDG id {pid} is not known: such particles are treated as neutral.")


def _count_others(batch: Batch, particles: Columns) -> None:
    """Count long-lived charged particles that the models treat only as some hadron."""
    charged = np.ma.filled(particles["charge"], 0) != 0
    stable = np.ma.getmaskarray(particles["end_vertex"])
    known = np.isin(np.abs(particles["pid"]), CHARGED_SPECIES)
    n = np.count_nonzero(charged & stable & ~known)
    batch.count("other_species", n, "charged particles of other species, treated as hadrons")
