"""Messages between processes: what is large goes through files in memory, which are used again, and none stays."""

import gc
import os
import pickle

import numpy as np
import pytest

import sqlamarr
from sqlamarr.running import shared_memory as messages
from sqlamarr.running.shared_memory import Inbox, Outbox


@pytest.fixture
def outbox(tmp_path):
    return Outbox(str(tmp_path))


def content(size):
    return {
        "small": "text",
        "array": np.arange(size),
        "columns": sqlamarr.Columns({"x": np.ones(size), "word": ["é"] * size}),
    }


def same(left, right):
    assert left["small"] == right["small"]
    assert np.array_equal(left["array"], right["array"])
    for name in ("x", "word"):
        assert np.array_equal(left["columns"][name], right["columns"][name])


@pytest.mark.parametrize("size", [0, 3, 200_000])
def test_objects_come_back(size, outbox, tmp_path):
    message = outbox.pack(content(size))
    assert len(os.listdir(tmp_path)) == (size > 1000)
    assert len(message.data) < 1_000_000
    same(Inbox().unpack(message.data), content(size))


def test_a_file_is_used_again_when_it_is_free(outbox, tmp_path):
    inbox = Inbox()
    for size in (200_000, 100_000, 300_000, 50_000):  # it grows, and may be longer than what is in it
        message = outbox.pack(content(size))
        same(inbox.unpack(message.data), content(size))
        outbox.free(message.path)
        assert len(os.listdir(tmp_path)) == 1


def test_a_file_in_use_is_left_alone(outbox, tmp_path):
    inbox = Inbox()
    values = [np.full(100_000, value) for value in range(3)]
    messages = [outbox.pack(value) for value in values]
    assert len(os.listdir(tmp_path)) == 3
    received = [inbox.unpack(message.data) for message in messages]
    outbox.free(messages[1].path)
    outbox.pack(np.zeros(100_000))
    assert len(os.listdir(tmp_path)) == 3
    assert all(np.array_equal(received[i], values[i]) for i in (0, 2))


def test_the_end_of_the_last_view_is_told(outbox):
    ended = []
    message = outbox.pack(content(200_000))
    value = Inbox().unpack(message.data, ended.append)
    kept = value["array"][5:10]
    del value
    gc.collect()
    assert ended == []
    del kept
    gc.collect()
    assert ended == [message.path]


def test_there_are_as_many_files_as_were_under_way_at_a_time(outbox, tmp_path):
    for _ in range(3):
        paths = [outbox.pack(np.zeros(100_000)).path for _ in range(5)]
        for path in paths:
            outbox.free(path)
            outbox.free(path)  # once is enough
        outbox.free(None)
        outbox.free(str(tmp_path / "of others"))
        assert len(os.listdir(tmp_path)) == 5


def test_folders_of_the_dead_are_removed_and_those_of_the_living_not(tmp_path, monkeypatch):
    monkeypatch.setattr(messages, "MEMORY", tmp_path)
    living, dead, young = messages.folder(), tmp_path / "sqlamarr-dead", tmp_path / "sqlamarr-young"
    for folder in (dead, young, tmp_path / "sqlamarr-other"):
        folder.mkdir()
        (folder / "large").write_bytes(b"x")
    for folder in (dead, young):
        (folder / "alive").touch()
    for folder in (dead, tmp_path / living.name):
        os.utime(folder / "alive", (0, 0))
    another = messages.folder()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {os.path.basename(living.name), os.path.basename(another.name), "sqlamarr-young", "sqlamarr-other"}
    living.cleanup()
    another.cleanup()
    assert {path.name for path in tmp_path.iterdir()} == {"sqlamarr-young", "sqlamarr-other"}


def test_where_there_is_no_room_the_message_has_it(outbox, tmp_path, monkeypatch):
    def full(file, view):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sqlamarr.running.shared_memory._write", full)
    message = outbox.pack(content(200_000))
    assert len(message.data) > 3_000_000 and message.path is None
    assert os.listdir(tmp_path) == []
    same(Inbox().unpack(message.data), content(200_000))


@pytest.mark.parametrize("done", [None, print])
def test_arrays_of_a_message_cannot_be_written_to(outbox, done):
    array = Inbox().unpack(outbox.pack(np.zeros(200_000)).data, done)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1.0


def test_what_cannot_be_sent_leaves_no_file(outbox, tmp_path):
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        outbox.pack((np.zeros(200_000), lambda: None))
    assert os.listdir(tmp_path) == []
