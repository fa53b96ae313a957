"""Every exception that sqlamarr raises on purpose, under one base class."""

from __future__ import annotations

#: The name to install: on the package index, ``sqlamarr`` is another project.
DISTRIBUTION = "sqlamarr-flashsim"


class SqlamarrError(Exception):
    """Something is wrong that the user can fix; the message says what, where and how to fix it."""


class InstallationError(SqlamarrError):
    """The native part of the package is missing or does not match."""


def missing_package(what: str, package: str, extra: str) -> InstallationError:
    """The error to raise where an optional package is not installed.

    :param what: what needs it, as the beginning of a sentence
    :param package: the package's name on the package index
    :param extra: sqlamarr's extra that installs it, or the package's name again
    """
    install = extra if extra == package else f"{DISTRIBUTION}[{extra}]"
    return InstallationError(f'{what} needs {package}, which is not installed: pip install "{install}"')


class PackageError(SqlamarrError):
    """Another installed package offers something unusable, or a name that is already taken."""


class SqlError(SqlamarrError):
    """SQLite refused a statement.

    :ivar offset: position of the error in the statements, in characters; None if SQLite does not report it
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class DataError(SqlamarrError):
    """Data are invalid: a wrong type, a duplicate key, a value out of range."""


class InputError(SqlamarrError):
    """An input cannot be read: missing, unknown format, truncated or malformed."""


class EventError(SqlamarrError):
    """One event cannot be processed; others can. Carries the event's id.

    Raise it from a step so that ``--on-error skip`` leaves out only that event.
    """

    def __init__(self, message: str, event_id: int | None = None, step: str = "") -> None:
        super().__init__(message)
        self.event_id = event_id
        self.step = step


class PipelineError(SqlamarrError):
    """A pipeline file, or something that it names, is wrong."""


class ModelError(PipelineError):
    """A compiled model cannot be loaded, or does not do what it declares."""


class CompilerError(SqlamarrError):
    """A trained model cannot be compiled, or its compiled version does not reproduce the original."""


class OutputError(SqlamarrError):
    """The output file cannot be written, or was not written by sqlamarr."""


class WorkerDiedError(EventError):
    """A worker process died while processing an event; the message names the event."""


class WorkersLostError(SqlamarrError):
    """No workers are left, or none could be started."""


class InterruptedRunError(SqlamarrError):
    """The run was interrupted; what was finished is in the output file.

    :ivar exit_code: 128 + the number of the signal, as shells report it
    """

    def __init__(self, message: str, number: int = 2) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class TooManyRejectedError(SqlamarrError):
    """More events were rejected than the run tolerates."""


class DescriptorError(SqlamarrError):
    """A decay descriptor cannot be understood, or names an unknown particle."""


class UnknownParticleError(DescriptorError):
    """No particle has this name or PDG code, or the particle's mass is not known."""
