"""How long the steps took."""

from __future__ import annotations

from sqlamarr.report import run
from sqlamarr.report.sample import Sample
from sqlamarr.report.section import Section, SectionMaker


class Timing(SectionMaker):
    """How long the steps took."""

    HELP = "How long the steps took."
    TABLES = ("Batches",)
    PLACE = 950

    def make(self, sample: Sample) -> Section:
        """The section."""
        seconds = run.step_seconds(sample)
        return Section("Timing", pictures=[run.timing_picture(seconds, sample.all_events)] if seconds else [])


section = Timing()
