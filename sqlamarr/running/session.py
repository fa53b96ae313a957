"""One run, from its settings to the finished file."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlamarr.errors import InterruptedRunError, OutputError
from sqlamarr.events.chunk import Chunk
from sqlamarr.output import provenance
from sqlamarr.output.batch_result import BatchResult
from sqlamarr.output.file import OutputFile
from sqlamarr.output.provenance_differences import DECISIVE, RANGE, differences
from sqlamarr.output.summary import RunSummary, report_of
from sqlamarr.output.verify import verified
from sqlamarr.pipeline.definition import Pipeline
from sqlamarr.registries.used import Used, collected, joined
from sqlamarr.running.coordinator import Coordinator
from sqlamarr.running.options import RunOptions
from sqlamarr.running.rejection_limit import check_at_end, check_at_thousands
from sqlamarr.running.signals import Interruptions
from sqlamarr.running.worker import Worker
from sqlamarr.running.worker_process import Job, use_worker
from sqlamarr.running.workers import Workers
from sqlamarr.running.working_file import WorkingFile
from sqlamarr.sources.inputs import open_inputs


@dataclass(frozen=True)
class ResumedOutput:
    """An output file that exists already.

    :ivar made: its provenance
    """

    out: OutputFile
    made: Mapping[str, Any]

    @property
    def seed(self) -> int:
        """The seed that the run was started with."""
        return int(self.made["seed"])


def reopened(path: Path, shown: Path) -> ResumedOutput:
    """Open and verify the file of an interrupted run.

    :param shown: how the user calls it
    :raises OutputError: sqlamarr did not write it, or it is damaged
    """
    verified(path, shown)
    out = OutputFile.reopen(path)
    return ResumedOutput(out, provenance.read(out.db))


@dataclass(frozen=True)
class RunSettings:
    """What a run does; see :func:`sqlamarr.run`.

    :ivar options: the options, with a seed
    :ivar inputs: arguments and descriptions of sources
    :ivar file: the file that the run writes to
    """

    pipeline: Pipeline
    options: RunOptions
    inputs: Sequence[str | Mapping[str, Any]]
    file: WorkingFile


class Session:
    """A run.

    :param progress: called with the number of events done after every batch
    :raises SqlamarrError: the pipeline, the inputs or the existing output do not fit
    """

    def __init__(
        self,
        settings: RunSettings,
        found: ResumedOutput | None,
        interruptions: Interruptions,
        progress: Callable[[int], object] | None,
    ) -> None:
        self._settings, self._interruptions, self._progress = settings, interruptions, progress
        self._used: Used = {}  # of other packages
        self._noted: Used = {}  # those of them that the file records
        with collected(self._used):
            self._prepare(settings, found)

    def _prepare(self, settings: RunSettings, found: ResumedOutput | None) -> None:
        options = settings.options
        self._worker = Worker(settings.pipeline, options)
        self.job = Job.of(settings.pipeline, settings.options)
        use_worker(self.job, self._worker)
        self._found, self._out = found, found.out if found else None
        self._summary = RunSummary(settings.pipeline.name, options.seed or 0, str(settings.file.path))
        self._summary.rows.update(dict.fromkeys(self._worker.output_tables, 0))  # in the pipeline's order
        self._restore()
        done = self._summary.resumed
        self._source = open_inputs(
            settings.inputs, seed=options.seed, first_event=options.first_event,
            collisions=options.collisions, on_error=options.on_error, skip=options.events.first + done,
            max_events=None if options.events.most is None else max(0, options.events.most - done),
            marks=self._out.marks() if self._out else (),
        )  # fmt: skip
        self._description = provenance.before(
            settings.pipeline, self._worker.workspace, options.record(), self._source.names(), self._used
        )
        self._noted = self._description["other_packages"]
        self._refuse_differences()
        self._positions: deque[list[dict[str, Any]]] = deque()

    def _restore(self) -> None:
        if self._out is not None:
            for report in self._out.reports():
                self._summary.add(report)
            self._summary.resumed = self._settings.file.events = self._summary.events

    def _refuse_differences(self) -> None:
        if self._found is None:
            return
        found = differences(self._found.made, provenance.as_read(self._description), {**DECISIVE, **RANGE})
        if found:
            raise OutputError(
                f"{self._settings.file.shown} cannot be resumed: it was started differently. What differs: "
                f"{'; '.join(found)}. Resume with what it was started with, or start again with --overwrite."
            )

    def run(self, workers: Workers) -> RunSummary:
        """Process all events, and complete the provenance."""
        start = time.perf_counter()
        coordinator = Coordinator(workers, skip=self._settings.options.skips_bad_events)
        try:
            with collected(self._used), closing(self._chunks()) as chunks:
                for results in coordinator.results(chunks):
                    with self._interruptions.shielded():
                        self._append(results)
                    if self._progress:
                        self._progress(sum(len(result.events) for result in results))
            self._summary.elapsed = time.perf_counter() - start
            with self._interruptions.shielded():
                self._finish()
        except KeyboardInterrupt:
            raise self._interrupted() from None
        finally:
            if self._out is not None:
                self._out.close()
        return self._summary

    def _chunks(self) -> Generator[Chunk, None, None]:
        """Yield the chunks, and note how far the inputs had been read when each was cut."""
        # Closed immediately if the run ends early: it holds a file open.
        with closing(self._source.chunks(self._settings.options.batch_size)) as chunks:
            while True:
                start = time.perf_counter()
                chunk = next(chunks, None)
                self._summary.seconds["cutting"] += time.perf_counter() - start
                if chunk is None:
                    return
                self._positions.append(self._source.position())
                yield chunk

    def _file(self) -> OutputFile:
        """The output file; it is made for the first batch, so that a run that fails before leaves nothing."""
        if self._out is None:
            settings, worker = self._settings, self._worker
            self._out = OutputFile(
                settings.file.working, worker.output_tables, worker.workspace.declared, views=worker.views,
                description=self._description,
            )  # fmt: skip
        return self._out

    def _append(self, results: list[BatchResult]) -> None:
        self._note_packages()
        marks = self._positions.popleft()
        start = time.perf_counter()
        for result in results:
            self._file().append(result, marks if result is results[-1] else ())
            self._summary.add(report_of(result))
            self._settings.file.events = self._summary.events
            check_at_thousands(self._summary, result, self._settings.options.max_rejected)
        self._summary.seconds["writing"] += time.perf_counter() - start

    def _note_packages(self) -> None:
        """Record the packages in use; those that kinds of inputs use are only known once these are read."""
        used = joined(self._noted, self._used)
        if used == self._noted:
            return
        self._description["other_packages"] = self._noted = used
        self._refuse_differences()
        if self._out is not None:
            before = self._found.made.get("other_packages", {}) if self._found else {}
            self._out.describe({"other_packages": joined(before, used)})

    def _finish(self) -> None:
        out, summary = self._file(), self._summary
        check_at_end(summary, self._settings.options.max_rejected)
        for warning in [*self._source.warnings, *self._worker.advice(summary.counts), *self._missing()]:
            summary.warn(warning)
        out.describe(
            {**provenance.after(self._source, summary), "cross_section": out.cross_section()},
            self._source.position(),
        )

    def _missing(self) -> Iterator[str]:
        """Warn of missing events of a range such as 50:100; a plain number such as 100 may just mean all."""
        wanted, found = self._settings.options.events, self._summary.events
        if wanted.first and wanted.stop is not None and found < wanted.stop - wanted.first:
            first = wanted.first
            yield (
                f"events {first:,} to {wanted.stop:,} were requested, but the inputs end earlier: "
                f"{f'those from {first + found:,} on are missing' if found else 'all of them are missing'}."
            )

    def _interrupted(self) -> InterruptedRunError:
        number = self._interruptions.received or signal.SIGINT
        by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
        if self._out:
            self._out.refuse_moved()
        return InterruptedRunError(f"Interrupted{by}.", number)
