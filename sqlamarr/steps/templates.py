"""SQL templates: Jinja2 in which every value becomes a bound parameter, never text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
from jinja2.ext import Extension
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.database.connection import quote_identifier
from sqlamarr.errors import PipelineError, SqlError
from sqlamarr.steps.template_lines import LineMarks, SqlErrors, lines_of_error, place

_NOTHING = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|\{#.*?#\}", re.DOTALL)  # comments of SQL and Jinja2
_EMPTY = " \t\r\n;"


class _Undefined(jinja2.StrictUndefined):
    """Name the existing entries when one is looked up in a mapping that does not have it."""

    @property
    def _undefined_message(self) -> str:
        among, name = self._undefined_obj, str(self._undefined_name)
        if isinstance(among, Mapping):
            return f"there is no {name!r}; there are: {', '.join(map(str, among)) or 'none'}{suggest(name, among)}"
        return f"{super()._undefined_message}; "


class _Loader(jinja2.FileSystemLoader):
    """A loader that remembers what it loaded: templates, and the files of macros that they import."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        super().__init__([str(folder) for folder in folders])
        self.loaded: dict[str, None] = {}

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        found = super().get_source(environment, template)
        self.loaded[template] = None
        return found


class Templates:
    """The templates of one pipeline.

    * ``{{ value }}`` becomes a bound parameter.
    * ``{{ name | identifier }}`` is quoted as an SQL name.
    * ``{{ text | sql }}`` is a piece of SQL, such as an argument of a macro.
    * The result of a macro is SQL.

    :param folders: folders that are searched for templates and macros, in this order
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._loader = _Loader(folders)
        self._environment = self._make_environment()
        self._marking: jinja2.Environment | None = None  # made when an error must be located
        self._bound: dict[str, Any] = {}

    @property
    def used(self) -> list[str]:
        """Return the names of the templates loaded so far, and of the macro files that they import."""
        return list(self._loader.loaded)

    def _make_environment(self, *extensions: type[Extension]) -> jinja2.Environment:
        environment = SandboxedEnvironment(
            loader=self._loader,
            undefined=_Undefined,
            # With autoescape, the result of a macro is marked as finished SQL, and nothing else is.
            autoescape=True,
            finalize=self._finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=extensions,
        )
        environment.filters["identifier"] = lambda name: Markup(quote_identifier(str(name)))
        environment.filters["sql"] = Markup
        return environment

    def source(self, template: str) -> str:
        """Return the text of a template."""
        return str(self._loader.get_source(self._environment, template)[0])

    def render(self, template: str, variables: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the SQL of a template and the values to bind.

        :param template: file name in one of the folders
        :raises PipelineError: the file is missing or empty, or has a syntax error or an undefined variable
        """
        with self._errors(template, variables):
            rendered, bound = self._render(self._environment, template, variables)
        if not _NOTHING.sub("", rendered).strip(_EMPTY):
            self._refuse_empty(template)
        return rendered, bound

    def errors(self, template: str, variables: Mapping[str, Any]) -> SqlErrors:
        """Return a block that locates errors of the rendered SQL in the template.

        :param variables: the variables that the template was rendered with
        """

        def marked() -> str:
            self._marking = self._marking or self._make_environment(LineMarks)
            return self._render(self._marking, template, variables)[0]

        return SqlErrors(template, lambda: self._render(self._environment, template, variables)[0], marked)

    def _render(
        self, environment: jinja2.Environment, template: str, variables: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        self._bound = {}
        return environment.get_template(template).render(**variables), self._bound

    @contextmanager
    def _errors(self, template: str, variables: Mapping[str, Any]) -> Iterator[None]:
        """Turn errors of Jinja2 into errors of sqlamarr, with file and line."""
        try:
            yield
        except jinja2.TemplateNotFound as error:
            where = " or ".join(str(folder) for folder in self._folders)
            raise PipelineError(f"There is no template {error.name!r} in {where}.") from error
        except jinja2.TemplateSyntaxError as error:
            lines = [*lines_of_error(error, self._name_of), (error.name or template, error.lineno)]
            raise PipelineError(f"Template {place(template, lines)}: {error.message}.") from error
        except UnicodeDecodeError as error:
            raise PipelineError(f"Template {template} is not UTF-8 text: {error}.") from error
        except (jinja2.TemplateError, PipelineError, SqlError) as error:
            told = str(error).rstrip(".")
            if isinstance(error, jinja2.UndefinedError):
                told += f"there are: {', '.join(variables)}" * told.endswith("; ")
            where = place(template, lines_of_error(error, self._name_of))
            raise PipelineError(f"Template {where}: {told}" + "." * (told[-1:] not in ".?")) from error

    def _name_of(self, file: Path) -> str | None:
        """Return the name of a template by its file."""
        folder = next((folder for folder in self._folders if file.is_relative_to(folder)), None)
        return None if folder is None else file.relative_to(folder).as_posix()

    def _refuse_empty(self, template: str) -> None:
        """Refuse a template that is empty under all conditions; it may be empty under some."""
        if not _NOTHING.sub("", self.source(template)).strip(_EMPTY):
            raise PipelineError(f"Template {template} contains no statement: it is empty or has only comments.")

    # pass_context keeps Jinja2 from calling this on constants when it compiles a template.
    @jinja2.pass_context
    def _finalize(self, _context: jinja2.runtime.Context, value: Any) -> Any:
        if isinstance(value, (Markup, jinja2.Undefined)):
            return value
        if not isinstance(value, (int, float, str)) and value is not None:
            raise PipelineError(f"Cannot bind {value!r} in a template; expected a number, text or none.")
        name = f"v{len(self._bound)}"
        self._bound[name] = value
        return Markup(f":{name}")
