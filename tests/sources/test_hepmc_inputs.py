"""From arguments to events: files, globs, archives, compression, the standard input, other formats."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyhepmc
import pytest
from hepmc_tools import EVENT2, EVENT3, hepmc2, hepmc3, plain, read, rows

from sqlamarr.errors import InputError
from sqlamarr.sources import streams as streams_module
from sqlamarr.sources.inputs import open_inputs

ONE = hepmc2(EVENT2).encode()
TWO = hepmc3(EVENT3, EVENT3).encode()

COMPRESS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


def zstd_module() -> Any:
    module = streams_module._optional("compression.zstd") or streams_module._optional("backports.zstd")
    if module is None:
        pytest.skip("neither compression.zstd nor backports.zstd is installed")
    return module


def compress(kind: str, data: bytes) -> bytes:
    compressed: bytes = zstd_module().compress(data) if kind == "zstd" else COMPRESS[kind](data)
    return compressed


KINDS = [*COMPRESS, "zstd"]


def tar(files: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def events_of(path: Path) -> list[tuple[int, ...]]:
    """Events, vertices and particles read."""
    tables = read(path, collisions="record").tables
    return [tables[name].rows for name in ("GenEvents", "GenVertices", "GenParticles")]


def refuse(path: Path, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        read(path)
    assert str(path) in str(caught.value)


class TestContent:
    @pytest.mark.parametrize("kind", KINDS)
    def test_compression_is_told_from_the_content_whatever_the_name(self, tmp_path, kind):
        for name in ("input", "input.hepmc", "input.gz", "input.tar.bz2"):
            path = tmp_path / name
            path.write_bytes(compress(kind, TWO))
            assert events_of(path) == [2, 4, 10]

    @pytest.mark.parametrize("kind", KINDS)
    def test_concatenated_compressed_files_are_read_to_the_end(self, tmp_path, kind):
        path = tmp_path / "input"
        path.write_bytes(compress(kind, ONE) + compress(kind, TWO) + b"\0" * 512)
        assert events_of(path) == [3, 6, 15]

    @pytest.mark.parametrize("kind", KINDS)
    def test_truncated_compression_is_an_error(self, tmp_path, kind):
        data = compress(kind, TWO)
        path = tmp_path / "input"
        for cut in (len(data) // 2, len(data) - 1):
            path.write_bytes(data[:cut])
            refuse(path, "is truncated: its .* data stop before their end marker. Copy or download")

    @pytest.mark.parametrize("kind", KINDS)
    def test_corrupt_compression_is_an_error(self, tmp_path, kind):
        if kind == "zstd":  # only a checksum finds damage, and it is an option
            zstd = zstd_module()
            data = bytearray(zstd.compress(TWO * 50, options={zstd.CompressionParameter.checksum_flag: 1}))
        else:
            data = bytearray(compress(kind, TWO * 50))
        for position in range(len(data) // 2, len(data) // 2 + 4):
            data[position] ^= 0xFF
        path = tmp_path / "input"
        path.write_bytes(data)
        refuse(path, "is damaged|is truncated|of not in a known format")

    @pytest.mark.parametrize("wrapped", [False, True])
    @pytest.mark.parametrize(("checked", "frames"), [(1, 1), (0, 1), (1, 3), (0, 3)])
    def test_zstandard_without_checksums_is_noted(self, tmp_path, checked, frames, wrapped):
        """Of several frames the last is looked at, too."""
        zstd = zstd_module()
        good, last = (
            zstd.compress(text, options={zstd.CompressionParameter.checksum_flag: flag})
            for text, flag in ((b"", 1), (TWO, checked))
        )
        data = good * (frames - 1) + last
        path = tmp_path / "input"
        path.write_bytes(tar({"member": data}) if wrapped else data)
        inputs = open_inputs([str(path)])
        assert sum(len(chunk.events) for chunk in inputs.chunks()) == 2
        name = f"{path}:member" if wrapped else str(path)
        note = f"{name} was compressed with Zstandard, but without checksums: damage inside it may go unnoticed"
        assert [text.partition(" (")[0] for text in inputs.warnings] == ([] if checked else [note])

    @pytest.mark.parametrize("kind", COMPRESS)
    def test_compression_that_always_has_checksums_is_not_noted(self, tmp_path, kind):
        (tmp_path / "input").write_bytes(compress(kind, TWO))
        inputs = open_inputs([str(tmp_path / "input")])
        assert sum(len(chunk.events) for chunk in inputs.chunks()) == 2
        assert inputs.warnings == []

    def test_garbage_after_compression_is_an_error(self, tmp_path):
        path = tmp_path / "input"
        path.write_bytes(gzip.compress(ONE) + b"garbage")
        refuse(path, "is damaged: its gzip data cannot be decompressed .uncompressed bytes follow the compressed data")

    def test_missing_zstandard_is_named_with_the_remedy(self, tmp_path, monkeypatch):
        def missing(name: str) -> Any:
            raise ImportError(name)

        monkeypatch.setattr(streams_module.importlib, "import_module", missing)
        path = tmp_path / "input"
        path.write_bytes(b"\x28\xb5\x2f\xfd" + b"0" * 20)
        refuse(path, "is compressed with Zstandard.*pip install backports.zstd")

    @pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
    def test_files_of_an_archive_are_inputs_in_its_order(self, tmp_path, mode):
        path = tmp_path / "archive"
        path.write_bytes(tar({"folder/b": gzip.compress(ONE), "a.hepmc": TWO}, mode))
        source = open_inputs([str(path)], collisions="record")
        (chunk,) = source.chunks(10)
        assert [s.path for s in chunk.sources] == [f"{path}:folder/b", f"{path}:a.hepmc"]
        assert [s.format for s in chunk.sources] == ["HepMC2 ASCII", "HepMC3 ASCII"]
        assert chunk.parse().tables["GenParticles"].rows == 15
        (entry,) = source.inputs()
        assert (entry["events"], entry["bytes"]) == (3, path.stat().st_size)
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_truncated_archive_is_an_error(self, tmp_path):
        data = tar({"a": TWO * 100, "b": ONE})
        path = tmp_path / "archive"
        path.write_bytes(data[:20_000])
        refuse(path, "is a damaged or truncated tar archive")

    def test_archive_without_files_is_an_error(self, tmp_path):
        path = tmp_path / "archive"
        path.write_bytes(tar({}))
        refuse(path, "is an archive that contains no files")

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            (b"hello world", "it begins with 'hello world'"),
            (b"root\0\0\0", "cannot be read as a ROOT file"),
            (b"PK\x03\x04...", "the signature of a zip archive"),
            (b"SQLite format 3\0", "the signature of an SQLite database"),
            (b"\x89HDF\r\n", "the signature of an HDF5 file"),
            (gzip.compress(b"hello", mtime=0), "it begins with 'hello'"),
            (gzip.compress(b"", mtime=0), "is empty"),
        ],
    )
    def test_unknown_format_says_what_was_found(self, tmp_path, content, found):
        path = tmp_path / "input.hepmc"
        path.write_bytes(content)
        refuse(path, found)

    def test_empty_file_is_an_error(self, tmp_path):
        path = tmp_path / "input"
        path.write_bytes(b"")
        refuse(path, "is empty .0 bytes.. Remove it")

    def test_hash_of_a_file_read_in_part_is_not_claimed(self, tmp_path):
        path = tmp_path / "input"
        path.write_bytes(TWO * 8000)
        source = open_inputs([str(path)], max_events=1, collisions="record")
        list(source.chunks(1))
        assert source.inputs()[0]["sha256"] is None


class TestArguments:
    def test_globs_are_sorted_by_bytes(self, tmp_path):
        for name in ("b", "B", "a10", "a9", "ä"):
            (tmp_path / f"{name}.hepmc").write_bytes(ONE)
        (chunk,) = open_inputs([str(tmp_path / "*.hepmc")], collisions="record").chunks(10)
        assert [Path(source.path).stem for source in chunk.sources] == ["B", "a10", "a9", "b", "ä"]

    def test_a_file_whose_name_looks_like_a_glob_is_that_file(self, tmp_path):
        path = tmp_path / "run[1].hepmc"
        path.write_bytes(ONE)
        assert events_of(path) == [1, 2, 5]

    def test_standard_input(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(gzip.compress(TWO))))
        (chunk,) = open_inputs(["-"], collisions="record").chunks(10)
        assert len(chunk.events) == 2
        assert chunk.sources[0].path == "the standard input"

    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ([], "No input is given"),
            (["-", "-"], "can be read only once"),
            (["no/such/file"], "no/such/file does not exist. Check the path"),
            (["no/such/*.hepmc"], "No file matches no/such/.*.hepmc"),
        ],
    )
    def test_what_is_not_there_is_said_before_anything_is_read(self, arguments, match):
        with pytest.raises(InputError, match=match):
            open_inputs(arguments)

    def test_a_folder_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="is a folder; expected a file. Name its files"):
            open_inputs([str(tmp_path)])

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"collisions": "all"}, "'record', 'file' or 'auto', found 'all'"),
            ({"on_error": "ignore"}, "'stop' or 'skip'.*found 'ignore'"),
            ({"first_event": -1}, "must not be negative, found -1"),
            ({"max_events": -1}, "must not be negative, found -1"),
        ],
    )
    def test_options_without_meaning_are_refused(self, tmp_path, options, match):
        path = tmp_path / "input"
        path.write_bytes(ONE)
        with pytest.raises(InputError, match=match):
            open_inputs([str(path)], **options)

    def test_batch_size_must_be_positive(self, tmp_path):
        path = tmp_path / "input"
        path.write_bytes(ONE)
        with pytest.raises(InputError, match="batch size must be at least 1, found 0"):
            list(open_inputs([str(path)]).chunks(0))


class TestNumbering:
    def test_sources_without_events_have_ids_of_their_own(self, tmp_path):
        for name, data in {"0": ONE, "1": hepmc2().encode(), "2": hepmc3().encode(), "3": TWO, "4": ONE}.items():
            (tmp_path / name).write_bytes(data)
        source = open_inputs([str(tmp_path / "*")], collisions="record", first_event=10)
        (chunk,) = source.chunks(10)
        ids = {Path(s.path).name: s.datasource_id for s in chunk.sources}
        assert ids == {"0": 10_000_000, "3": 11_000_002, "4": 13_000_000}
        of_events = plain(chunk.parse().tables["GenEvents"], "datasource_id")
        assert of_events == [ids["0"], ids["3"], ids["3"], ids["4"]]
        assert [entry["events"] for entry in source.inputs()] == [1, 0, 0, 2, 1]

    def test_a_production_in_two_jobs_has_the_ids_of_one(self, tmp_path):
        (tmp_path / "a").write_bytes(TWO)
        (tmp_path / "b").write_bytes(ONE)
        whole = read(tmp_path / "a", tmp_path / "b", collisions="record").tables
        parts = [read(tmp_path / "a", collisions="record").tables]
        parts.append(read(tmp_path / "b", collisions="record", first_event=2).tables)
        for name, table in whole.items():
            assert rows(table) == [row for part in parts for row in rows(part[name])]


class TestCollisions:
    @pytest.mark.parametrize("status", [777, 888, 889, 999])
    def test_status_codes_of_lhcb_are_recognised_and_said(self, tmp_path, status):
        path = tmp_path / "input"
        for text in (
            hepmc2(EVENT2, EVENT2.replace("0.14 1 0 0", f"0.14 {status} 0 0")),
            hepmc3(EVENT3, EVENT3.replace("0.14 1\n", f"0.14 {status}\n")),
        ):
            path.write_text(text)
            source = open_inputs([str(path), str(path)])
            (chunk,) = source.chunks(10)
            assert plain(chunk.parse().tables["GenEvents"], "event_id") == [0, 0, 1_000_000, 1_000_000]
            (warning,) = source.warnings
            assert "LHCb's status codes 777, 888, 889, 999" in warning
            assert "--collisions record" in warning

    def test_other_events_are_records(self, tmp_path):
        path = tmp_path / "input"
        path.write_text(hepmc2(*[EVENT2.replace("E 7", f"E {i}") for i in range(100)]))
        source = open_inputs([str(path)])
        assert sum(len(chunk.events) for chunk in source.chunks(7)) == 100
        assert source.warnings == []

    def test_the_first_input_with_events_decides(self, tmp_path):
        (tmp_path / "0").write_text(hepmc2())
        (tmp_path / "1").write_text(hepmc2(EVENT2.replace("0.14 1 0 0", "0.14 889 0 0"), EVENT2))
        (chunk,) = open_inputs([str(tmp_path / "*")]).chunks(10)
        assert len(chunk.events) == 1


class TestOtherFormats:
    LHEF = """<LesHouchesEvents version="1.0">
<init>
2212 2212 6500 6500 0 0 10042 10042 3 1
1.0 0.1 1.0 7
</init>
<event>
 3  7 1.5 91.2 0.0078 0.118
 1 -1 0 0 501 0 0 0 100.0 100.0 0 0 9
 -1 -1 0 0 0 501 0 0 -50.0 50.0 0 0 9
 23 1 1 2 0 0 0 0 50.0 150.0 141.4213562 0 9
</event>
</LesHouchesEvents>
"""

    def test_les_houches_events(self, tmp_path):
        path = tmp_path / "input.gz"
        path.write_bytes(gzip.compress(self.LHEF.encode()))
        tables = read(path).tables
        assert plain(tables["GenParticles"], "pid") == [1, -1, 23]
        assert plain(tables["GenParticles"], "pz") == [100_000, -50_000, 50_000]
        assert plain(tables["GenParticles"], "production_vertex")[:2] == [None, None]
        assert plain(tables["GenEvents"], "weight") == [1.5]
        assert plain(tables["GenEvents"], "process_id") == [7]
        assert plain(tables["GenEvents"], "alpha_qcd") == [0.118]

    def test_mass_that_is_not_given_comes_from_the_momentum(self, tmp_path):
        path = tmp_path / "input"
        path.write_text(self.LHEF)
        mass = plain(read(path).tables["GenParticles"], "m")[2]
        assert mass == pytest.approx(1000 * (150**2 - 50**2) ** 0.5, rel=1e-12)

    def test_hepevt_as_the_library_writes_it(self, tmp_path):
        event = EVENT3.replace("CM", "MM")  # HEPEVT is in GeV and mm, and the library converts nothing
        (tmp_path / "three").write_text(hepmc3(event, event))
        with pyhepmc.open(tmp_path / "three") as old, pyhepmc.open(tmp_path / "hepevt", "w", format="HEPEVT") as new:
            for event in old:
                new.write(event)
        tables = read(tmp_path / "hepevt").tables
        expected = read(tmp_path / "three").tables
        assert sorted(plain(tables["GenParticles"], "pe")) == sorted(plain(expected["GenParticles"], "pe"))
        assert plain(tables["GenVertices"], "z") == plain(expected["GenVertices"], "z")
        assert list(tables["GenParticles"]) == list(expected["GenParticles"])

    def test_chunks_of_different_kinds_are_apart_and_split_alike(self, tmp_path):
        (tmp_path / "0").write_text(self.LHEF)
        (tmp_path / "1").write_text(self.LHEF)
        (tmp_path / "2").write_bytes(ONE)
        chunks = list(open_inputs([str(tmp_path / "*")]).chunks(10))
        assert [len(chunk.events) for chunk in chunks] == [2, 1]
        halves = chunks[0].split()
        whole = chunks[0].parse().tables
        for name, table in whole.items():
            assert rows(table) == [row for half in halves for row in rows(half.parse().tables[name])]
        assert [half.sources[0].datasource_id for half in halves] == [0, 1_000_000]
