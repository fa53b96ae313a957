"""Deviations from the truth over the errors that are reported."""

from __future__ import annotations

from sqlamarr.report import tracks
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import TRACKS, Section, SectionMaker


class Pulls(SectionMaker):
    """Deviations from the truth over the errors that are reported."""

    HELP = "Deviations from the truth divided by the reported errors."
    TABLES = TRACKS
    PLACE = 150

    def make(self, sample: Sample) -> Section:
        """The section."""
        lead = (
            "Reconstructed minus true values, divided by the reported errors. The core has width 1 where the "
            "errors are right; the tails are tracks with underestimated errors."
        )
        return Section("Pulls", lead=lead, pictures=tracks.pulls(sample))


section = Pulls()
