"""What was there stays as it was until the new file is complete; what was finished is kept and named."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from run_tools import STEP, command_line, hashes, interrupt, kill

import sqlamarr
from sqlamarr.errors import EventError, InputError, InterruptedRunError, OutputError


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "o.db"


@pytest.fixture
def options(example, out):
    return {"pipeline": "lhcb_run2", "inputs": example, "output": out, "seed": 42, "batch_size": 8}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def events(path):
    with sqlamarr.open(path) as db:
        return db.execute("SELECT count(*) FROM Events").fetchone()[0]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


# -- scratch ----------------------------------------------------------------------------------------------------


def test_scratch_holds_the_file_until_the_end(reference, options, out, scratch):
    with pytest.raises(OutputError, match="The scratch folder .* does not exist"):
        sqlamarr.run(**options, scratch=scratch / "no")
    seen = []
    sqlamarr.run(
        **{**options, "batch_size": 20},
        scratch=scratch,
        progress=lambda _: seen.append((out.exists(), len(list(scratch.iterdir())))),
    )
    assert seen == [(False, 1), (False, 1)]
    assert list(scratch.iterdir()) == []
    assert hashes(out) == hashes(reference[0])


def test_an_interrupted_run_leaves_scratch_for_the_output_and_goes_on_from_there(reference, options, out, scratch):
    with pytest.raises(InterruptedRunError, match=r"o.db holds the first 8 events.*Continue with the same command"):
        interrupt(8, **options, scratch=scratch)
    assert events(out) == 8
    assert list(scratch.iterdir()) == []
    with pytest.raises(InterruptedRunError, match=r"o.db holds the first 16 events"):
        interrupt(8, **options, scratch=scratch, resume=True)
    assert events(out) == 16
    assert sqlamarr.run(**options, scratch=scratch, resume=True).resumed == 16
    assert hashes(out) == hashes(reference[0])


def test_what_a_killed_run_left_in_scratch_is_found_again(reference, example, options, out, scratch):
    arguments = ["lhcb_run2", example, "-o", out, "--seed", 42, "--batch-size", 8, "--scratch", scratch]
    kill(8, **options, scratch=scratch)
    assert not out.exists()
    with pytest.raises(OutputError, match="A run that was killed has left .*o.db.*part. Continue it with --resume"):
        sqlamarr.run(**options, scratch=scratch)
    assert command_line("run", *arguments, "--resume", "--quiet") == 0
    assert hashes(out) == hashes(reference[0])
    assert list(scratch.iterdir()) == []


def test_the_seed_of_what_lies_in_scratch_need_not_be_known_if_there_is_one(reference, example, out, scratch):
    kill(8, pipeline="lhcb_run2", inputs=example, output=out, seed=42, batch_size=8, scratch=scratch)
    part = next(scratch.glob("*.part"))
    other = part.with_name(part.name.replace("seed-42", "seed-43"))
    other.write_bytes(part.read_bytes())
    with pytest.raises(OutputError, match=r"Several runs have left partial results: .*42.part, .*43.part. Choose one"):
        sqlamarr.run("lhcb_run2", example, out, scratch=scratch, resume=True)
    other.unlink()
    assert sqlamarr.run("lhcb_run2", example, out, scratch=scratch, resume=True).seed == 42
    assert hashes(out) == hashes(reference[0])


def test_a_part_of_another_seed_is_left_alone(reference, options, out, scratch):
    """The output is complete; a run of another seed was killed in the scratch folder."""
    sqlamarr.run(**options)
    kill(8, **{**options, "seed": 2}, scratch=scratch, overwrite=True)
    before, (part,) = digest(out), scratch.iterdir()
    sqlamarr.run(**options, scratch=scratch, resume=True)
    assert hashes(out) == hashes(reference[0])
    assert list(scratch.iterdir()) == [part]
    with pytest.raises(OutputError, match=r"seed \(42 there, 3 here\)"):
        sqlamarr.run(**{**options, "seed": 3}, scratch=scratch, resume=True)
    assert hashes(out) == hashes(reference[0]), before
    assert list(scratch.iterdir()) == [part]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conditions": {"period": 2017}}, r"seed-42.part cannot be resumed.*condition period"),
        ({"events": 30}, r"--events \(its end\)"),
        ({"weights": True}, "--weights"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_part_of_another_run_is_not_adopted(reference, options, out, scratch, change, message, overwrite):
    if overwrite:
        sqlamarr.run(**{**options, "seed": 5})
    kill(8, **options, scratch=scratch, overwrite=overwrite)
    before = digest(out) if overwrite else None
    (part,) = scratch.iterdir()
    inside = digest(part)
    with pytest.raises(OutputError, match=message):
        sqlamarr.run(**{**options, **change}, scratch=scratch, resume=True, overwrite=overwrite)
    assert (digest(out) if out.exists() else None) == before
    assert digest(part) == inside
    sqlamarr.run(**options, scratch=scratch, resume=True, overwrite=overwrite)
    assert hashes(out) == hashes(reference[0])


def test_a_refused_run_leaves_no_copy_in_scratch(options, out, scratch):
    sqlamarr.run(**options)
    before = digest(out)
    with pytest.raises(OutputError, match="o.db cannot be resumed.*condition period"):
        sqlamarr.run(**options, conditions={"period": 2017}, scratch=scratch, resume=True)
    assert (digest(out), list(scratch.iterdir())) == (before, [])


def test_a_scratch_disk_that_is_too_small_destroys_nothing(options, out, small_disk):
    sqlamarr.run(**options)
    before = digest(out)
    assert out.stat().st_size > 2 << 20
    for _ in range(2):
        with pytest.raises(OutputError, match=r"disk/o.db.*part cannot be written: (No space|.*full)"):
            sqlamarr.run(**options, scratch=small_disk, resume=True)
        with pytest.raises(OutputError, match=r"disk/o.db.*part cannot be written.*o.db is as it was"):
            sqlamarr.run(**options, scratch=small_disk, overwrite=True)
    assert digest(out) == before
    again = ["-o", out, "--seed=1", "--scratch", small_disk, "--overwrite"]
    assert command_line("run", "lhcb_run2", options["inputs"], *again) == 1
    assert digest(out) == before


def test_a_place_without_room_leaves_the_complete_file_in_scratch(reference, options, small_disk, scratch):
    (small_disk / "precious").write_bytes(b"x" * 1000)
    with pytest.raises(OutputError, match=r"o.db cannot be written: No space.*The complete result is in .*scratch"):
        sqlamarr.run(**{**options, "output": small_disk / "o.db"}, scratch=scratch)
    assert [file.name for file in small_disk.iterdir()] == ["precious"]
    (part,) = scratch.iterdir()
    assert hashes(part) == hashes(reference[0])


# -- overwriting ------------------------------------------------------------------------------------------------


def test_an_overwritten_file_is_there_until_the_new_one_is_complete(reference, example, options, out, tmp_path):
    sqlamarr.run(**{**options, "seed": 7})
    before, seen = digest(out), []
    sqlamarr.run(**options, overwrite=True, progress=lambda _: seen.append(digest(out)))
    assert set(seen) == {before}
    assert hashes(out) == hashes(reference[0])
    assert [file.name for file in tmp_path.iterdir()] == ["o.db"]


def test_overwriting_with_a_missing_input_changes_nothing(options, out, scratch):
    sqlamarr.run(**options)
    before = digest(out)
    for more in ({}, {"scratch": scratch}):
        with pytest.raises(InputError, match="does not exist"):
            sqlamarr.run(**{**options, "inputs": "no.hepmc"}, overwrite=True, **more)
    assert digest(out) == before
    assert not list(scratch.iterdir())


def test_overwriting_that_fails_keeps_both(make_pipeline, example, out, tmp_path, monkeypatch):
    (tmp_path / "step_module.py").write_text(
        "from sqlamarr.errors import EventError\ndef picky(batch, bad):\n"
        "    for (i,) in batch.db.execute('SELECT event_id FROM Events').fetchall():\n"
        "        if i in bad: raise EventError('not this one', i)\n"
    )
    good = make_pipeline(STEP.replace("[1000000, 3000000]", "[]"))
    options = {"inputs": example, "output": out, "seed": 1, "batch_size": 1}
    sqlamarr.run(good, **options)
    before = digest(out)
    bad = make_pipeline(STEP.replace("[1000000, 3000000]", "[3000000]"))
    with pytest.raises(EventError, match=r"not this one.*is as it was. .*o.db.seed-1.part holds the first 3 events"):
        sqlamarr.run(bad, **options, overwrite=True)
    assert digest(out) == before
    assert events(tmp_path / "o.db.seed-1.part") == 3


def test_an_interrupted_replacement_is_continued_with_resume(reference, options, out, tmp_path):
    sqlamarr.run(**{**options, "seed": 7})
    before, part = digest(out), tmp_path / "o.db.seed-42.part"
    with pytest.raises(InterruptedRunError, match=r"o.db is as it was. .*part holds the first 8 events.* --resume"):
        interrupt(8, **options, overwrite=True)
    assert (digest(out), events(part)) == (before, 8)
    kill(16, **options, overwrite=True, resume=True)
    assert (digest(out), events(part)) == (before, 24)
    assert sqlamarr.run(**options, overwrite=True, resume=True).resumed == 24
    assert hashes(out) == hashes(reference[0])
    assert not part.exists()


def test_overwriting_anew_begins_anew(reference, options, out, tmp_path):
    sqlamarr.run(**{**options, "seed": 7})
    with pytest.raises(InterruptedRunError):
        interrupt(8, **options, overwrite=True)
    assert sqlamarr.run(**options, overwrite=True).resumed == 0
    assert hashes(out) == hashes(reference[0])
    assert [file.name for file in tmp_path.iterdir()] == ["o.db"]


@pytest.mark.parametrize("ours", [False, True])
def test_a_file_of_someone_elses_in_the_place_of_a_part_is_left_alone(options, out, tmp_path, ours):
    sqlamarr.run(**options)
    part, precious = tmp_path / "o.db.seed-42.part", tmp_path / "precious"
    precious.write_text("precious")
    if ours:
        part.symlink_to(precious)
    else:
        part.write_text("precious")
    with pytest.raises(OutputError, match="not a file that sqlamarr wrote|is a symbolic link where a partial result"):
        sqlamarr.run(**options, overwrite=True)
    assert part.read_text() == precious.read_text() == "precious"


# -- links and special files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", ["nothing", "an output"])
@pytest.mark.parametrize("with_scratch", [False, True])
def test_an_output_that_is_a_link_stays_one(reference, options, out, tmp_path, scratch, there, with_scratch):
    big_disk = tmp_path / "big"
    big_disk.mkdir()
    out.symlink_to(big_disk / "real.db")
    if there == "an output":
        sqlamarr.run(**{**options, "output": big_disk / "real.db", "seed": 9})
    sqlamarr.run(**options, overwrite=True, scratch=scratch if with_scratch else None)
    assert out.is_symlink()
    assert hashes(big_disk / "real.db") == hashes(reference[0])
    assert [file.name for file in big_disk.iterdir()] == ["real.db"]
    assert not list(scratch.iterdir())


def test_a_link_that_lies_in_the_way_is_not_followed(reference, options, out, tmp_path, scratch):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "o.db.part").symlink_to("precious")
    sqlamarr.run(**options, scratch=scratch)
    assert (tmp_path / "precious").read_text() == "precious"
    assert not out.is_symlink()
    assert hashes(out) == hashes(reference[0])


@pytest.mark.parametrize("name", ["/dev/null", "/dev/full"])
def test_a_device_is_no_output(options, name):
    with pytest.raises(OutputError, match="not a plain file|not a file that sqlamarr wrote|exists"):
        sqlamarr.run(**{**options, "output": name}, overwrite=True)
