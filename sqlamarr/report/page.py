"""One page that shows a run: what happened, what came out, and how well it is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlamarr.checking.wording import counted
from sqlamarr.errors import OutputError
from sqlamarr.files.whole_files import write_text
from sqlamarr.output.file import open_output
from sqlamarr.report.drawing import Picture, need_plot

TRACKS = ("MCParticles", "MCVertices", "Tracks", "TrackStates", "Vertices")


@dataclass
class Section:
    """A part of the page; what is empty is not shown.

    :ivar short: its name in the navigation
    :ivar facts: pairs of name and value
    :ivar head, rows: a table of numbers
    :ivar text: a long text that is folded away
    """

    title: str
    short: str = ""
    lead: str = ""
    facts: list[tuple[str, ...]] = field(default_factory=list)
    head: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    text_title: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        self.short = self.short or self.title
        self.pictures = [picture for picture in self.pictures if picture.svg]

    @property
    def filled(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.facts or self.rows or self.pictures)


@dataclass(frozen=True)
class ReportSummary:
    """What was written."""

    output: str
    sections: int
    pictures: int
    events: int

    def text(self) -> str:
        """For people to read."""
        pictures, sections = counted(self.pictures, "picture"), counted(self.sections, "section")
        return f"{self.output}: {pictures} in {sections}, of {counted(self.events, 'event')}"


def write_report(
    source: str | Path,
    output: str | Path,
    *,
    decays: Sequence[str] = (),
    overwrite: bool = False,
    progress: Callable[[int], object] | None = None,
) -> ReportSummary:
    """Write a self-contained HTML page about a run.

    :param source: the file that the run wrote
    :param output: the page
    :param decays: descriptors of decays, each with a section of its own
    :param progress: called with 1 after every section
    :raises SqlamarrError: one of the classes in :mod:`sqlamarr.errors`
    """
    path = Path(output)
    _check(path, overwrite)
    with open_output(source) as db:
        need_plot()
        notes, sections, events = _sections(db, Path(source), decays, progress or (lambda _: None))
    page = _render(Path(source).name, notes, sections)
    write_text(path, page)
    return ReportSummary(str(path), len(sections), sum(len(s.pictures) for s in sections), events)


def _check(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise OutputError(f"{path} is a folder; expected the name of a page to write, as {path / 'report.html'}.")
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{path}: a report is an HTML page; expected a name that ends in .html.")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"The folder {path.absolute().parent} does not exist; make it first.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists. Choose another name, or --overwrite it.")
    if path.exists() and not path.read_bytes()[:15].lower().startswith(b"<!doctype html"):
        raise OutputError(f"{path} is not an HTML page: it is not overwritten.")


def _sections(
    db: Any, source: Path, decays: Sequence[str], done: Callable[[int], object]
) -> tuple[list[str], list[Section], int]:
    from sqlamarr.output.provenance import read, unfinished
    from sqlamarr.report import run
    from sqlamarr.report.sample import sample_of

    made = read(db)
    made["file"] = source.name
    sample = sample_of(db)
    out = [_run(db, source, made)]
    for make in (*_of_tracks(db, sample), *(lambda d=decay: _of_decay(db, d) for decay in decays)):
        out.append(make())
        done(1)
    out += [_timing(sample), Section("Provenance", facts=run.provenance(made), text_title="The pipeline",
                                     text=str(made["pipeline_text"]))]  # fmt: skip
    out = [section for section in out if section.filled]
    notes = [str(note) for note in made.get("summary", {}).get("warnings", [])]
    if incomplete := unfinished(made):
        notes.insert(0, incomplete)
    if sample.events < sample.all_events:
        notes.append(f"Pictures of tracks show the first {sample.events:,} of {sample.all_events:,} events.")
    return notes, out, sample.events


def _run(db: Any, source: Path, made: dict[str, Any]) -> Section:
    from sqlamarr.output.file import data_tables, quoted_count
    from sqlamarr.report import run

    counts = {name: quoted_count(db, name) for name in ("Events", "RejectedEvents", *data_tables(db))}
    rows: list[tuple[str, ...]] = [(name, f"{n:,}") for name, n in counts.items()]
    return Section("Run", facts=run.summary(made, counts, source.stat().st_size), head=("table", "rows"), rows=rows)


def _of_tracks(db: Any, sample: Any) -> list[Callable[[], Section]]:
    """The sections for which the file has the tables."""
    from sqlamarr.report import calorimeter, identification, run, tracks

    tables = set(db.tables())
    if not tables.issuperset(TRACKS):
        return []
    out: list[Callable[[], Section]] = [
        lambda: Section("Cut flow", lead="Charged particles from the generator to tracks.",
                        head=run.cut_flow(sample)[0], rows=run.cut_flow(sample)[1],
                        pictures=[run.cut_flow_picture(sample)]),
        lambda: Section("Spectra", pictures=tracks.spectra(sample)),
        lambda: Section("Efficiencies", pictures=tracks.efficiencies(sample)),
        lambda: Section("Resolutions", pictures=tracks.resolutions(sample)),
        lambda: Section("Pulls", pictures=tracks.pulls(sample),
                        lead="Reconstructed minus true, over the error that the reconstruction reports. The core has "
                        "width 1 where the errors are right; tails are tracks whose fit does not know how bad it is."),
    ]  # fmt: skip
    if "PID" in tables:
        out.append(lambda: Section("Identification", pictures=identification.identification(sample)))
    if "Clusters" in tables:
        out.append(lambda: Section("Calorimeter", pictures=calorimeter.calorimeter(sample)))
    return out


def _of_decay(db: Any, text: str) -> Section:
    from sqlamarr.report.decays import decay_section

    found = decay_section(db, text)
    short = found.title.split("→")[0].strip("[ ")
    return Section(found.title, f"Decay {short}", found.text, rows=found.numbers, pictures=found.pictures)


def _timing(sample: Any) -> Section:
    from sqlamarr.report import run

    seconds = run.step_seconds(sample)
    return Section("Timing", pictures=[run.timing_picture(seconds, sample.all_events)] if seconds else [])


def _render(title: str, notes: list[str], sections: list[Section]) -> str:
    from jinja2 import Environment

    from sqlamarr.native import library

    template = Environment(autoescape=True, trim_blocks=True).from_string(
        (files("sqlamarr.report") / "page.html").read_text()
    )
    subtitle = f"Report of a run of sqlamarr {library.version}"
    return template.render(title=title, subtitle=subtitle, notes=notes, sections=sections)
