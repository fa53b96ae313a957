"""Random damage to output files, and what becomes of a damaged file."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import sqlamarr
from sqlamarr.cli import group
from sqlamarr.errors import OutputError, SqlamarrError
from sqlamarr.output import provenance
from sqlamarr.output.content_hash import content_hashes
from sqlamarr.output.file import PAGE_SIZE
from sqlamarr.output.merge import merge
from sqlamarr.output.verify import verify
from sqlamarr.running.session import reopened


def flip_a_bit(data, draw):
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def flip_bytes(data, draw):
    for _ in range(draw.randint(2, 20)):
        data[draw.randrange(len(data))] = draw.randrange(256)


def overwrite_a_piece(data, draw):
    begin, length = draw.randrange(len(data)), draw.choice([8, 64, 512, 4096])
    piece = draw.randbytes(length)[: len(data) - begin]
    data[begin : begin + len(piece)] = piece


def flip_in_the_header(data, draw):
    data[draw.randrange(16, 100)] ^= 1 << draw.randrange(8)


def change_the_schema(data, draw):
    begin = data.index(b"CREATE")
    at = draw.choice([i for i in range(begin, PAGE_SIZE) if chr(data[i]).isalnum()])
    data[at] = ord(draw.choice("ABCxyz_019 "))


def change_a_text(data, draw):
    at = draw.choice([i for i in range(PAGE_SIZE, len(data)) if 97 <= data[i] <= 122])
    data[at] = draw.choice([ord("q"), ord('"'), 0, 0xFF])


def _pages(data, draw):
    return (draw.randrange(len(data) // PAGE_SIZE) * PAGE_SIZE for _ in range(2))


def zero_a_page(data, draw):
    at, _ = _pages(data, draw)
    data[at : at + PAGE_SIZE] = bytes(PAGE_SIZE)


def swap_pages(data, draw):
    one, other = _pages(data, draw)
    data[one : one + PAGE_SIZE], data[other : other + PAGE_SIZE] = (
        data[other : other + PAGE_SIZE],
        data[one : one + PAGE_SIZE],
    )


def duplicate_a_page(data, draw):
    one, other = _pages(data, draw)
    data[one : one + PAGE_SIZE] = data[other : other + PAGE_SIZE]


def truncate(data, draw):
    del data[draw.randrange(len(data)) :]


def cut_the_tail(data, draw):
    del data[len(data) - draw.choice([1, 100, PAGE_SIZE, 2 * PAGE_SIZE]) :]


KINDS = (
    flip_a_bit, flip_bytes, overwrite_a_piece, flip_in_the_header, change_the_schema, change_a_text, zero_a_page,
    swap_pages, duplicate_a_page, truncate, cut_the_tail,
)  # fmt: skip


def content(path):
    """All that an output file says: results and provenance."""
    with sqlamarr.open(path) as db:
        return content_hashes(db), provenance.texts(db)


@dataclass
class Harness:
    """Damages copies of a file and judges each.

    :ivar folder: for the copies
    :ivar rejected: trials in which the damage was found
    :ivar identical: trials after which the file holds what it did
    :ivar missed: what went wrong, one line for each such trial
    """

    original: Path
    folder: Path

    def __post_init__(self):
        self.data, self.content = self.original.read_bytes(), content(self.original)
        self.rejected, self.identical, self.missed = 0, 0, []

    def trial(self, seed, *, thorough):
        """One damaged copy.

        :param thorough: also by merge, --resume, show and tuple, not by verify and show --hash alone
        """
        draw = random.Random(seed)
        kind, data = KINDS[seed % len(KINDS)], bytearray(self.data)
        kind(data, draw)
        path = self.folder / "damaged.db"
        path.write_bytes(data)
        name = f"seed {seed}, {kind.__name__}"
        intact = _finds_intact(path)
        if intact and content(path) != self.content:
            self.missed.append(f"{name}: verify accepts it")
        self.rejected += not intact
        self.identical += intact
        uses = {"show --hash": lambda: _command("show", "--hash", path)}
        if thorough:
            merged = self.folder / "merged.db"
            uses |= {"merge": lambda: merge([path], merged, overwrite=True), "resume": lambda: _resume(path)}
        for use, call in uses.items():
            if _succeeds(call) != intact:
                self.missed.append(f"{name}: {use} says otherwise than verify")
        for arguments in (("show", path), ("show", "--pipeline", path)) if thorough else ():
            with suppress(SqlamarrError):
                _command(*arguments)
        for beside in ("-journal", "-wal", "-shm"):
            Path(f"{path}{beside}").unlink(missing_ok=True)


def _finds_intact(path):
    try:
        return verify(path).intact
    except OutputError:
        return False


def _succeeds(call):
    """Whether it does; an error must be one that is meant for the user, about the output."""
    try:
        call()
    except OutputError:
        return False
    return True


def _command(*arguments):
    group.main([str(argument) for argument in arguments], standalone_mode=False)


def _resume(path):
    reopened(path, path).out.close()
