"""Charged particles from the generator to tracks."""

from __future__ import annotations

from sqlamarr.report import run
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import TRACKS, Section, SectionMaker


class CutFlow(SectionMaker):
    """Charged particles from the generator to tracks."""

    HELP = "Numbers of charged particles from the generator to the tracks."
    TABLES = TRACKS
    PLACE = 110

    def make(self, sample: Sample) -> Section:
        """The section."""
        head, rows = run.cut_flow(sample)
        return Section("Cut flow", lead=self.HELP, head=head, rows=rows, pictures=[run.cut_flow_picture(sample)])


section = CutFlow()
