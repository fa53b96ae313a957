"""Every exception that sqlamarr raises on purpose, under one base class."""

from __future__ import annotations

#: What to install: the name ``sqlamarr`` is that of another project on the package index.
DISTRIBUTION = "sqlamarr-flashsim"


class SqlamarrError(Exception):
    """Something is wrong that the user can mend; the message says what, where and how."""


class InstallationError(SqlamarrError):
    """The native part of the package is missing or does not fit."""


def missing_package(what: str, package: str, extra: str) -> InstallationError:
    """The error to raise where an optional package is not installed.

    :param what: what needs it, as the beginning of a sentence
    :param package: the package, as its index calls it
    :param extra: the extra of ours that installs it, or the package again
    """
    install = extra if extra == package else f"{DISTRIBUTION}[{extra}]"
    return InstallationError(f'{what} needs {package}, which is not installed: pip install "{install}"')


class PackageError(SqlamarrError):
    """Another package that is installed offers something that cannot be used, or a name that is taken."""


class SqlError(SqlamarrError):
    """SQLite refused a statement.

    :ivar offset: where in the statements it found the error, in characters; None: it does not tell
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class DataError(SqlamarrError):
    """Data are not what they must be: a wrong type, a duplicated key, a value out of range."""


class InputError(SqlamarrError):
    """An input cannot be read: missing, unknown format, truncated or malformed."""


class EventError(SqlamarrError):
    """One event cannot be processed; others can. Carries the event's id.

    Raise it from a step to have ``--on-error skip`` leave out that event alone.
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
    """A trained model cannot be compiled, or the compiled one does not do what the original does."""


class OutputError(SqlamarrError):
    """The output file cannot be written, or is not one of ours."""


class WorkerDiedError(EventError):
    """A worker process dies of an event, which is named."""


class WorkersLostError(SqlamarrError):
    """There are no workers any more, or never were."""


class InterruptedRunError(SqlamarrError):
    """The run was interrupted; what was finished is in the output file.

    :ivar exit_code: 128 + the number of the signal, as shells say it
    """

    def __init__(self, message: str, number: int = 2) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class TooManyRejectedError(SqlamarrError):
    """More events were rejected than the run tolerates."""


class DescriptorError(SqlamarrError):
    """A decay descriptor cannot be understood, or names a particle that nobody knows."""


class UnknownParticleError(DescriptorError):
    """No particle has this name or PDG code, or one has, but no mass is known for it."""
