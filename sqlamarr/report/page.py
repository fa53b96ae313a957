"""The page about a run: what was run, what was reconstructed, and how well it is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlamarr.checking.wording import counted
from sqlamarr.errors import OutputError, PackageError
from sqlamarr.files.whole_files import write_text
from sqlamarr.output.file import open_output
from sqlamarr.registries.entry import Entry
from sqlamarr.report.drawing import need_plot
from sqlamarr.report.section import SECTIONS, Section, SectionMaker

DECAYS = 900  # the place of the sections on decays


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
    :param decays: descriptors of decays, each of which gets its own section
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
        raise OutputError(f"{path} is a folder; expected the name of a page to write, such as {path / 'report.html'}.")
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{path}: a report is an HTML page; expected a name ending in .html.")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"The folder {path.absolute().parent} does not exist; make it first.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists. Choose another name, or use --overwrite.")
    if path.exists() and not path.read_bytes()[:15].lower().startswith(b"<!doctype html"):
        raise OutputError(f"{path} is not an HTML page and is not overwritten.")


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
    problems: list[str] = []
    for make in _planned(db, sample, decays, problems):
        if (section := make()) is not None:
            out.append(section)
        done(1)
    out.append(
        Section("Provenance", facts=run.provenance(made), text_title="The pipeline", text=str(made["pipeline_text"]))
    )
    out = [section for section in out if section.filled]
    notes = [*(str(note) for note in made.get("summary", {}).get("warnings", [])), *problems]
    if incomplete := unfinished(made):
        notes.insert(0, incomplete)
    if sample.events < sample.all_events:
        notes.append(f"Plots of tracks show only the first {sample.events:,} of {sample.all_events:,} events.")
    return notes, out, sample.events


def _run(db: Any, source: Path, made: dict[str, Any]) -> Section:
    from sqlamarr.output.file import data_tables, quoted_count
    from sqlamarr.report import run

    counts = {name: quoted_count(db, name) for name in ("Events", "RejectedEvents", *data_tables(db))}
    rows: list[tuple[str, ...]] = [(name, f"{n:,}") for name, n in counts.items()]
    return Section("Run", facts=run.summary(made, counts, source.stat().st_size), head=("table", "rows"), rows=rows)


def _planned(db: Any, sample: Any, decays: Sequence[str], problems: list[str]) -> list[Callable[[], Section | None]]:
    """The sections for which the file has the tables, including those of installed packages, and those of decays.

    :param problems: collects sentences about packages whose sections cannot be made
    """
    tables = set(db)
    planned: list[tuple[int, str, Callable[[], Section | None]]] = [
        (DECAYS, "", lambda decay=decay: _of_decay(db, decay))  # type: ignore[misc]
        for decay in decays
    ]
    for name, maker in SECTIONS.own():
        if tables.issuperset(maker.TABLES):
            planned.append((maker.PLACE, name, lambda maker=maker: maker.make(sample)))  # type: ignore[misc]
    for entry, found in SECTIONS.others():
        if isinstance(found, PackageError):
            problems.append(str(found))
        elif tables.issuperset(found.TABLES):
            planned.append((found.PLACE, entry.name, partial(_of_package, entry, found, sample, problems)))
    return [make for _, _, make in sorted(planned, key=lambda one: one[:2])]


def _of_package(entry: Entry, maker: SectionMaker, sample: Any, problems: list[str]) -> Section | None:
    """A section from another package; if it fails, the page gets a note instead."""
    try:
        return maker.make(sample)
    except Exception as error:
        problems.append(
            f"The section of the report {entry.name!r} of {entry.origin} failed: {type(error).__name__}: {error}"
        )
        return None


def _of_decay(db: Any, text: str) -> Section:
    from sqlamarr.report.decays import decay_section

    found = decay_section(db, text)
    short = found.title.split("→")[0].strip("[ ")
    return Section(found.title, f"Decay {short}", found.text, rows=found.numbers, pictures=found.pictures)


def _render(title: str, notes: list[str], sections: list[Section]) -> str:
    from jinja2 import Environment

    from sqlamarr.native import library

    template = Environment(autoescape=True, trim_blocks=True).from_string(
        (files("sqlamarr.report") / "page.html").read_text()
    )
    subtitle = f"Report of a run of sqlamarr {library.version}"
    return template.render(title=title, subtitle=subtitle, notes=notes, sections=sections)
