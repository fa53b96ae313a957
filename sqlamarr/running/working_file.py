"""Where a run writes: to its output, or to a partial file that replaces the output when it is complete.

The rule: a run changes an output only after checking that it may. An earlier output stays as it was until the new file
is complete. A partial result is kept, and its name is given.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlamarr.errors import OutputError, SqlamarrError, SqlError
from sqlamarr.files import whole_files
from sqlamarr.output.file import events_held, is_ours, is_unborn, open_output, quoted_count
from sqlamarr.output.provenance import read as read_provenance
from sqlamarr.running.options import RunOptions


@dataclass
class WorkingFile:
    """The file that a run appends to.

    :ivar path: the output as the user calls it
    :ivar target: the same after following all symbolic links
    :ivar working: the file that is written to: ``target`` itself, or a partial file beside it or in the scratch folder
    :ivar continues: whether the file there is to be continued
    :ivar scratch: ``working`` is in the scratch folder
    :ivar copied: ``working`` is a copy of ``target``
    :ivar events: how many events ``working`` holds
    """

    path: Path
    target: Path
    working: Path
    continues: bool
    scratch: bool = False
    _there: int | None = None  # events in the target at the start; None: there was no target
    _replaces: bool = False  # the target belongs to another run: a partial result does not replace it
    copied: bool = False
    events: int = 0
    _begun: bool = False

    @classmethod
    def choose(cls, path: Path, options: RunOptions, draw: Callable[[], int]) -> tuple[WorkingFile, int]:
        """Choose where to write, and the seed of the run; all that is changed yet is a copy in the scratch folder.

        :param options: if they have no seed, it is that of the file to continue, or else drawn
        :param draw: draws a seed
        :raises OutputError: the scratch folder does not exist, or an existing file must not be touched
        """
        scratch, overwrite, resume, seed = options.scratch, options.overwrite, options.resume, options.seed
        target = whole_files.target_of(path)
        if is_unborn(target):  # left by a run that was killed while it made the file
            target.unlink()
        there = _events_in(target, needed=resume) if target.exists() else None
        if scratch is None and not (overwrite and there is not None):
            seed = _seed_of(target) if seed is None and resume and there is not None else seed
            seed = draw() if seed is None else seed
            return cls(path, target, target, resume and there is not None, _there=there), seed
        if scratch is not None and not scratch.is_dir():
            raise OutputError(f"The scratch folder {scratch} does not exist; make it first.")
        parts = _Parts(target, scratch)
        if seed is None and resume:
            seed = parts.only_seed()
            if seed is None and there is not None and not overwrite:
                seed = _seed_of(target)
        seed = draw() if seed is None else seed
        working = parts.of(seed)
        found = cls(path, target, working, False, scratch is not None, there, overwrite and there is not None)
        found._look(overwrite=overwrite, resume=resume)
        return found, seed

    def _look(self, *, overwrite: bool, resume: bool) -> None:
        """Decide what to do with a partial file that an earlier run has left."""
        if self.working.is_symlink():
            raise OutputError(f"{self.working} is a symbolic link where a partial result is expected. Remove it.")
        if is_unborn(self.working):
            self.working.unlink()
        if self.working.exists():
            if not is_ours(self.working):
                raise OutputError(f"{self.working} is not a file that sqlamarr wrote. Move it, or choose another name.")
            if not (overwrite or resume):
                raise OutputError(
                    f"A run that was killed has left {self.working}. Continue it with --resume, or use --overwrite."
                )
            self.continues = resume
        elif resume and self._there is not None and not self._replaces:
            whole_files.copy(self.target, self.working)
            self.continues = self.copied = True

    @property
    def shown(self) -> Path:
        """What is written to, or continued, as the user knows it."""
        return self.path if self.working == self.target or self.copied else self.working

    def begin(self) -> None:
        """Remove or continue an earlier partial file; to be called once the run has checked that it may write."""
        self._begun = True
        if not self.continues and self.working != self.target:
            for name in (self.working, Path(f"{self.working}-journal")):
                name.unlink(missing_ok=True)

    def complete(self) -> None:
        """Move the complete file to its place.

        :raises OutputError: it cannot be moved; it stays where it is, and the message names it
        """
        if self.working == self.target:
            return
        try:
            self._deliver()
        except OutputError as error:
            raise OutputError(
                f"{error} The complete result is in {self.working}: free some space and move it to its place."
            ) from error

    def _deliver(self) -> None:
        with open_output(self.working) as db:
            _refuse_damaged(self.working, db.execute("PRAGMA quick_check(1)").fetchone())
        whole_files.move(self.working, self.path)

    def fail(self, error: BaseException) -> None:
        """Keep what a failed run has finished, and add to its error what there is and how to continue."""
        if not self._begun:
            if self.copied:
                self.working.unlink(missing_ok=True)
            return
        if not isinstance(error, SqlamarrError):
            return
        text = str(error)
        error.args = (f"{text}{'' if text.endswith(('.', '?', '!')) else '.'} {self._left()}", *error.args[1:])

    def _left(self) -> str:
        """Describe what is left after a failure; a partial result in scratch is moved to its place if allowed."""
        n = self.events
        before = f"{self.path} is as it was. " if self._there is not None and self.working != self.target else ""
        if not n:
            return f"{before}No event was finished and nothing was written." if not self._there or before else ""
        where = self.working
        if self.scratch and not self._replaces and n >= (self._there or 0):
            try:
                self._deliver()
            except OutputError as failure:
                return f"{before}{failure} {self.working} holds {events_held(n)}. {_GO_ON}"
            before, where = "", self.path
        shown = self.path if where == self.target else where
        return f"{before}{shown} holds {events_held(n)}; its status is 'incomplete'. {_GO_ON}"


_GO_ON = "Continue with the same command and --resume."


class _Parts:
    """The partial files of one output, one per seed."""

    def __init__(self, target: Path, scratch: Path | None) -> None:
        self._folder = scratch or target.parent
        # A scratch folder may hold those of other outputs with the same name.
        key = "." + hashlib.sha256(os.fsencode(target)).hexdigest()[:12] if scratch else ""
        self._stem = f"{target.name}{key}.seed-"

    def of(self, seed: int) -> Path:
        """The partial file of a run with this seed."""
        return self._folder / f"{self._stem}{seed}.part"

    def only_seed(self) -> int | None:
        """The seed of the only partial file; None: there is none.

        :raises OutputError: there are several partial files
        """
        found = sorted(self._folder.glob(f"{glob.escape(self._stem)}*.part"))
        if len(found) > 1:
            names = ", ".join(map(str, found))
            raise OutputError(f"Several runs have left partial results: {names}. Choose one by its --seed.")
        seed = found[0].name.removeprefix(self._stem).removesuffix(".part") if found else ""
        return int(seed) if seed.isdigit() else None


def _events_in(path: Path, *, needed: bool) -> int:
    """How many events a file holds; 0 if it is too damaged to tell, and nothing is to be built on it."""
    try:
        with open_output(path) as db:
            return quoted_count(db, "Events")
    except SqlError as error:
        if needed:
            raise OutputError(
                f"{path} is damaged: {str(error).partition(chr(10))[0]}. 'sqlamarr verify {path}' says more. If it was "
                "copied, copy it again; else begin anew with --overwrite."
            ) from error
        return 0


def _seed_of(path: Path) -> int:
    with open_output(path) as db:
        return int(read_provenance(db)["seed"])


def _refuse_damaged(path: Path, found: tuple[object, ...] | None) -> None:
    if found != ("ok",):
        raise OutputError(f"{path} is damaged ({found[0] if found else 'it cannot be read'}) and was not moved.")
