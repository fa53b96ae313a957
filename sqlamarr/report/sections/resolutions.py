"""How far tracks and vertices are from the truth."""

from __future__ import annotations

from sqlamarr.report import tracks
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import TRACKS, Section, SectionMaker


class Resolutions(SectionMaker):
    """How far tracks and vertices are from the truth."""

    HELP = "Deviations of tracks and vertices from the truth."
    TABLES = TRACKS
    PLACE = 140

    def make(self, sample: Sample) -> Section:
        """The section."""
        return Section("Resolutions", pictures=tracks.resolutions(sample))


section = Resolutions()
