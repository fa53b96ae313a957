"""Cutting text at event borders: the same rows whatever the sizes of blocks and batches."""

from __future__ import annotations

import io
import pickle
from functools import cache
from typing import Any

import pytest
from hepmc_tools import EVENT2, EVENT3, hepmc2, hepmc3, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlamarr.errors import InputError
from sqlamarr.sources.hepmc import cut as hepmc_cut
from sqlamarr.sources.hepmc.cut import CutState, cut, segments
from sqlamarr.sources.inputs import open_inputs
from sqlamarr.sources.streams import Stream

TEXT = (
    hepmc2(EVENT2, EVENT2.replace("E 7", "E 8"))
    + hepmc3(EVENT3, "E 9 0 0\nU MEV MM\n", EVENT3.replace("E 7", "E 10"))
    + "\n"
    + hepmc2(EVENT2, "E 11 -1 0 0 0 0 0 0 0 0 0 0\n")
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("cutting") / "input"
    file.write_text(TEXT)
    return str(file)


def all_rows(path: str, batch_size: int, split: int = 0, **options: Any) -> dict[str, list[Any]]:
    out: dict[str, list[Any]] = {}
    chunks = list(open_inputs([path, path], **options).chunks(batch_size))
    for _ in range(split):
        chunks = [part for chunk in chunks for part in (chunk.split() if len(chunk.events) > 1 else (chunk,))]
    for chunk in chunks:
        parsed = pickle.loads(pickle.dumps(chunk)).parse()
        assert parsed.rejected == []
        for name, table in parsed.tables.items():
            out.setdefault(name, []).extend(rows(table))
        out.setdefault("events", []).extend(chunk.events)
        assert {event.datasource_id for event in chunk.events} == {s.datasource_id for s in chunk.sources}
    return out


@cache
def expected_rows(path: str, collisions: str) -> dict[str, list[Any]]:
    return all_rows(path, 1000, collisions=collisions)


@settings(max_examples=60, deadline=None)
@given(block=st.integers(1, 3000))
def test_any_block_size_gives_the_same_records(block):
    def records(size: int) -> list[Any]:
        return list(cut(Stream(io.BytesIO(TEXT.encode()), "input"), "input", CutState(2), size))

    found = records(block)
    assert found == records(1 << 20)
    assert [record.format for record in found] == [2, 2, 3, 3, 3, 2, 2]
    lines = TEXT.splitlines()
    assert all(lines[record.line - 1].startswith("E ") for record in found)


@settings(max_examples=30, deadline=None)
@given(block=st.integers(1, 300))
def test_segments_are_the_whole_text(block):
    assert (
        b"".join(text for text, _, _ in segments(Stream(io.BytesIO(TEXT.encode()), "input"), "input", block))
        == TEXT.encode()
    )


@pytest.mark.parametrize("collisions", ["record", "file"])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("split", [0, 1, 2])
def test_any_batch_size_and_any_split_give_the_same_rows(path, collisions, batch_size, split):
    assert all_rows(path, batch_size, split, collisions=collisions) == expected_rows(path, collisions)


def test_concatenated_files_are_read_to_the_end(path):
    found = expected_rows(path, "record")
    assert [row[4] for row in found["GenEvents"]] == [7, 8, 7, 9, 10, 7, 11] * 2
    assert [event.number for event in found["events"]] == [*range(7), *range(7)]
    assert [event.ordinal for event in found["events"]] == list(range(14))


def test_records_of_a_file_are_collisions_of_one_event(path):
    found = expected_rows(path, "file")
    assert len(found["events"]) == 2
    assert [row[2] for row in found["GenEvents"]] == [*range(7), *range(7)]


def test_chunk_of_one_event_cannot_be_split(path):
    chunk = next(iter(open_inputs([path]).chunks(1)))
    with pytest.raises(ValueError, match="two or more events"):
        chunk.split()


def test_reading_stops_after_the_wanted_events(path):
    source = open_inputs([path, path], max_events=9, collisions="record", first_event=100)
    events = [event for chunk in source.chunks(4) for event in chunk.events]
    assert [event.ordinal for event in events] == list(range(100, 109))
    assert [event.event_id for event in events] == [1_000_000 * i for i in range(100, 109)]
    assert [entry["events"] for entry in source.inputs()] == [7, 2]
    assert list(open_inputs([path], max_events=0).chunks(4)) == []


def test_text_without_events_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(hepmc_cut, "LARGEST_RECORD", 1000)
    with pytest.raises(InputError, match="a record is larger than 0 MiB"):
        list(cut(Stream(io.BytesIO(b"E 1\n" + b"x" * 5000), "input"), "input", CutState(3), 100))
