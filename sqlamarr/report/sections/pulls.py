"""Deviations from the truth over the errors that are reported."""

from __future__ import annotations

from sqlamarr.report import tracks
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import TRACKS, Section, SectionMaker


class Pulls(SectionMaker):
    """Deviations from the truth over the errors that are reported."""

    HELP = "Deviations from the truth over the errors that are reported."
    TABLES = TRACKS
    PLACE = 150

    def make(self, sample: Sample) -> Section:
        """The section."""
        lead = (
            "Reconstructed minus true, over the error that the reconstruction reports. The core has "
            "width 1 where the errors are right; tails are tracks whose fit does not know how bad it is."
        )
        return Section("Pulls", lead=lead, pictures=tracks.pulls(sample))


section = Pulls()
