"""Messages between processes: what is large goes through a file in memory, and nothing stays behind."""

import os
import pickle

import numpy as np
import pytest

import sqlamarr
from sqlamarr.running import messages


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
def test_objects_come_back_and_files_go(size, tmp_path):
    message = messages.pack(content(size), str(tmp_path))
    assert len(os.listdir(tmp_path)) == (size > 1000)
    assert len(message) < 1_000_000
    same(messages.unpack(message), content(size))
    assert os.listdir(tmp_path) == []


def test_without_a_folder_everything_is_in_the_message():
    message = messages.pack(content(200_000))
    assert len(message) > 3_000_000
    same(messages.unpack(message), content(200_000))


def test_where_there_is_no_room_the_message_has_it(tmp_path, monkeypatch):
    def full(file, view):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(messages, "_write", full)
    message = messages.pack(content(200_000), str(tmp_path))
    assert os.listdir(tmp_path) == []
    same(messages.unpack(message), content(200_000))


def test_arrays_of_a_message_can_be_written_to(tmp_path):
    array = messages.unpack(messages.pack(np.zeros(200_000), str(tmp_path)))
    array[0] = 1.0
    assert array.sum() == 1.0


def test_what_cannot_be_sent_leaves_no_file(tmp_path):
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        messages.pack((np.zeros(200_000), lambda: None), str(tmp_path))
    assert os.listdir(tmp_path) == []
