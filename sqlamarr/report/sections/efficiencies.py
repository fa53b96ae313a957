"""How many particles become tracks."""

from __future__ import annotations

from sqlamarr.report import tracks
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import TRACKS, Section, SectionMaker


class Efficiencies(SectionMaker):
    """How many particles become tracks."""

    HELP = "Fractions of particles that are reconstructed as tracks."
    TABLES = TRACKS
    PLACE = 130

    def make(self, sample: Sample) -> Section:
        """The section."""
        return Section("Efficiencies", pictures=tracks.efficiencies(sample))


section = Efficiencies()
