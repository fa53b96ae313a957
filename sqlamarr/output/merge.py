"""Merge the parts of a production into the file that a single run would have written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlamarr.database.connection import quote_identifier
from sqlamarr.database.declarations import RUN_TABLES
from sqlamarr.errors import OutputError
from sqlamarr.files.whole_files import replacing
from sqlamarr.files.write_lock import claimed
from sqlamarr.output import provenance
from sqlamarr.output.checksums import TABLE as CHECKSUMS
from sqlamarr.output.file import BOOKKEEPING, OutputFile, check_output, open_output
from sqlamarr.output.provenance_differences import DECISIVE, differences
from sqlamarr.output.summary import RunSummary
from sqlamarr.output.verify import NO_CHECKSUMS, Verification, verified
from sqlamarr.registries.used import joined


@dataclass(frozen=True)
class MergePart:
    """An output file to be merged into another one.

    :ivar first: ordinal of its first event, None: it has no event
    :ivar last: ordinal of its last event
    :ivar schema: statements that created its tables and views, by name; without that of Checksums
    """

    path: Path
    made: Mapping[str, Any]
    events: int
    first: int | None
    last: int | None
    schema: Mapping[str, str]
    verification: Verification

    @property
    def gaps(self) -> bool:
        """Whether events are missing between its first and its last one."""
        return self.first is not None and self.last is not None and self.last - self.first + 1 != self.events


def merge(
    parts: Sequence[str | Path], output: str | Path, *, overwrite: bool = False, allow_gaps: bool = False
) -> RunSummary:
    """Write the events of several output files into one, in the order of their ordinals.

    The parts must have been made in the same way, with the same seed; their content becomes that of one
    run over all events. The order in which they are given does not matter.

    :param parts: output files of ``sqlamarr run``
    :param output: the file to write
    :param overwrite: replace an existing output file
    :param allow_gaps: accept that ordinals are missing, and parts that are not finished
    :raises OutputError: the parts do not fit together; the message names them
    """
    path = Path(output)
    check_output(path, overwrite=overwrite, inputs=[str(part) for part in parts])
    found = sorted((_look(Path(part)) for part in parts), key=lambda part: (part.first is None, part.first or 0))
    if not found:
        raise OutputError("There is nothing to merge. Name the parts.")
    if not allow_gaps:
        _check_finished(found)
    _check_alike(found)
    _check_ordinals(found, allow_gaps=allow_gaps)
    with claimed(path):
        check_output(path, overwrite=overwrite)  # again: it may have been created in the meantime
        with replacing(path) as part:
            summary = _write(found, part, path)
    return summary


def _look(path: Path) -> MergePart:
    verification = verified(path)
    with open_output(path) as db:
        n, first, last = db.execute("SELECT count(*), min(ordinal), max(ordinal) FROM Events").fetchone() or (0, 0, 0)
        rows = db.execute("SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND sql IS NOT NULL")
        schema = {str(name): str(sql) for name, sql in rows if name != CHECKSUMS}
        return MergePart(path, provenance.read(db), n, first, last, schema, verification)


def _check_finished(parts: Sequence[MergePart]) -> None:
    for part in parts:
        if part.made["status"] != "complete":
            raise OutputError(f"{part.path} is not finished. Run its job again with --resume, or use --allow-gaps.")


def _check_alike(parts: Sequence[MergePart]) -> None:
    one = parts[0]
    for other in parts[1:]:
        both = all(part.made["status"] == "complete" and part.first is not None for part in (one, other))
        names = {**DECISIVE, "collisions": "--collisions"} if both else DECISIVE
        found = differences(one.made, other.made, names)
        if not found and one.schema != other.schema:
            found = ["the tables"]
        if found:
            raise OutputError(
                f"{one.path} and {other.path} are not parts of one production. What differs: {'; '.join(found)}."
                .replace(" there,", f" in {one.path.name},").replace(" here)", f" in {other.path.name})")
            )  # fmt: skip


def _check_ordinals(parts: Sequence[MergePart], *, allow_gaps: bool) -> None:
    filled = [part for part in parts if part.first is not None]
    for one, other in pairwise(filled):
        if (one.last or 0) >= (other.first or 0):
            raise OutputError(
                f"{one.path} (events {one.first} to {one.last}) and {other.path} (events {other.first} to "
                f"{other.last}) overlap. Each event may be in one part only. Give each job its own --first-event or "
                "--events."
            )
    if allow_gaps:
        return
    for part in parts:
        if part.gaps:
            raise OutputError(
                f"{part.path} lacks events between {part.first} and {part.last}. To accept that, use --allow-gaps."
            )
    for one, other in pairwise(filled):
        if (one.last or 0) + 1 != other.first:
            raise OutputError(
                f"Events {(one.last or 0) + 1} to {(other.first or 0) - 1} are missing between {one.path} and "
                f"{other.path}. Name their part too, or use --allow-gaps."
            )


def _write(parts: Sequence[MergePart], beside: Path, path: Path) -> RunSummary:
    one = parts[0]
    tables = [name for name in one.schema if name not in (*RUN_TABLES, *BOOKKEEPING) and _is_table(one.schema[name])]
    views = ";\n".join(sql for sql in one.schema.values() if not _is_table(sql))
    summary = RunSummary(str(one.made["pipeline"]), int(one.made["seed"]), str(path))
    summary.rows.update(dict.fromkeys(tables, 0))
    with open_output(one.path) as template:
        out = OutputFile(beside, tables, template, views=views, description={"status": "incomplete"})
    try:
        for part in parts:
            _take(out, part, tables)
            if not part.verification.has_checksums:
                summary.warn(f"{part.path}: {NO_CHECKSUMS}")
        for report in out.reports():
            summary.add(report)
        out.describe({**_provenance(parts, summary), "cross_section": out.cross_section()})
    finally:
        out.close()
    return summary


def _is_table(sql: str) -> bool:
    return sql.split(None, 2)[1].upper() == "TABLE"


def _take(out: OutputFile, part: MergePart, tables: Iterable[str]) -> None:
    """All rows of a part, whose checksums are to be written; sources may be there already, if events of one file are in
    several parts.
    """
    db, copied = out.db, ("Events", "RejectedEvents", *tables)
    db.execute("ATTACH ? AS part", (str(part.path),))
    with db.atomic():
        db.execute("INSERT OR IGNORE INTO main.DataSources SELECT * FROM part.DataSources")
        for table in copied:
            name = quote_identifier(table)
            db.execute(f"INSERT INTO main.{name} SELECT * FROM part.{name}")
        db.execute(
            "INSERT INTO main.Batches SELECT batch + (SELECT count(*) FROM main.Batches), first_event_id, n_events, "
            "seconds, report FROM part.Batches"
        )
    db.execute("DETACH part")
    out.ledger.add_sums(part.verification.sums.of(copied))
    for table in ("DataSources", "Batches"):
        out.ledger.recompute(table)


def _provenance(parts: Sequence[MergePart], summary: RunSummary) -> dict[str, Any]:
    made = [part.made for part in parts]
    unique = {(entry["path"], entry.get("sha256")): entry for one in made for entry in one.get("inputs", ())}
    for text in (text for one in made for text in one.get("summary", {}).get("warnings", ())):
        summary.warn(text)
    return {
        **made[0],
        "status": "complete" if all(one["status"] == "complete" for one in made) else "incomplete",
        "started": min(str(one["started"]) for one in made),
        "finished": max(str(one.get("finished", one["started"])) for one in made),
        "first_event": min((part.first for part in parts if part.first is not None), default=0),
        "skip_events": 0,
        "max_events": None,
        "inputs": list(unique.values()),
        "inputs_given": list(dict.fromkeys(name for one in made for name in one["inputs_given"])),
        "other_packages": joined(*(one.get("other_packages", {}) for one in made)),
        "weight_names": next((one["weight_names"] for one in made if one.get("weight_names")), []),
        "summary": summary.as_dict(),
        "parts": [
            {"path": part.path.name, "events": part.events, "first": part.first, "last": part.last} for part in parts
        ],
    }
