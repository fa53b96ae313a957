"""The template and line that a position in rendered SQL comes from, and errors that name them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from sqlamarr.errors import DataError, SqlError

_BEGIN, _MIDDLE, _END = "\ue000", "\ue001", "\ue002"  # of a mark; private-use characters
_MARK = re.compile(f"{_BEGIN}([^{_MIDDLE}]*){_MIDDLE}([0-9]+){_END}")
_MISSING = re.compile(r"no such (?:table|column): (\w+(?:\.\w+)*)")

Line = tuple[str, int]
"""Name of a template, and a line in it."""


class LineMarks(Extension):
    """Render a mark with file and line before every line of a template's text and before every expression."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Yield the tokens of a template, with the marks added to its text."""
        name = stream.name or ""
        for token in stream:
            if token.type == "data":
                lines = token.value.splitlines(keepends=True)
                marked = (_mark(name, token.lineno + i) + line for i, line in enumerate(lines))
                yield Token(token.lineno, "data", "".join(marked))
                continue
            if token.type == "variable_begin":
                yield Token(token.lineno, "data", _mark(name, token.lineno))
            yield token


def _mark(name: str, line: int) -> str:
    return f"{_BEGIN}{name}{_MIDDLE}{line}{_END}"


@dataclass(frozen=True)
class LineMap:
    """Rendered SQL, and the template lines that it comes from.

    :ivar sql: the SQL without marks
    :ivar begins: positions in it, in characters, at which a new line of a template begins; ascending
    :ivar lines: the template lines that begin there
    """

    sql: str
    begins: tuple[int, ...]
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, marked: str) -> LineMap:
        """Make one from SQL that was rendered with :class:`LineMarks`."""
        begins, lines, taken = [], [], 0
        for match in _MARK.finditer(marked):
            begins.append(match.start() - taken)
            lines.append((match[1], int(match[2])))
            taken += len(match[0])
        return cls(_MARK.sub("", marked), tuple(begins), tuple(lines))

    def lines_at(self, offset: int, template: str) -> list[Line]:
        """Return the line of a character, preceded by that of ``template`` if it comes from a macro elsewhere."""
        found = self.lines[: bisect_right(self.begins, offset)]
        own = [line for line in found if line[0] == template]
        return own[-1:] if not found or found[-1][0] == template else [*own[-1:], found[-1]]


def place(template: str, lines: list[Line]) -> str:
    """Return a template for a message, with its line and that of a macro in another file, as far as they are known."""
    own = [f"{template}, line {line}" for name, line in lines[-2:] if name == template][-1:] or [template]
    other = f" ({lines[-1][0]}, line {lines[-1][1]})" if lines and lines[-1][0] != template else ""
    return own[0] + other


def lines_of_error(error: BaseException, names: Callable[[Path], str | None]) -> list[Line]:
    """Return the template lines in the traceback of a Jinja2 error.

    :param names: returns the name of a template by its file, or None if the file is not a template
    """
    found: list[Line] = []
    traceback: TracebackType | None = error.__traceback__
    while traceback:
        name = names(Path(traceback.tb_frame.f_code.co_filename))
        if name is not None:
            found.append((name, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found


class SqlErrors:
    """A block in which SQL errors name the template, and the line if it is certain. It can be used repeatedly.

    :param template: the template that was rendered
    :param plain: renders the template again, unchanged
    :param marked: renders the template again, with marks
    """

    def __init__(self, template: str, plain: Callable[[], str], marked: Callable[[], str]) -> None:
        self._template, self._plain, self._marked = template, plain, marked

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, (SqlError, DataError)):
            raise type(error)(f"{self._place(error)}: {error}") from error

    def _place(self, error: SqlError | DataError) -> str:
        sql = self._plain()
        offset = _offset(error, sql)
        lines = LineMap.of(self._marked())
        if offset is None or lines.sql != sql:  # the marks have changed what the template renders
            return self._template
        return place(self._template, lines.lines_at(offset, self._template))


def _offset(error: SqlError | DataError, sql: str) -> int | None:
    """Return the error's position in the SQL: as SQLite reports it, or the only mention of a missing name."""
    if isinstance(error, SqlError) and error.offset is not None:
        return error.offset
    missing = _MISSING.search(str(error))
    found = list(re.finditer(rf"\b{re.escape(missing[1])}\b", sql, re.IGNORECASE)) if missing else []
    return found[0].start() if len(found) == 1 else None
