"""SQL templates: Jinja2 in which every value becomes a bound parameter, never text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.database.connection import quote_identifier
from sqlamarr.errors import PipelineError

_NOTHING = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|\{#.*?#\}", re.DOTALL)  # comments of SQL and Jinja2
_EMPTY = " \t\r\n;"


class _Undefined(jinja2.StrictUndefined):
    """What is asked of a mapping and not there is told with what is."""

    @property
    def _undefined_message(self) -> str:
        among, name = self._undefined_obj, str(self._undefined_name)
        if isinstance(among, Mapping):
            return f"there is no {name!r}; there are: {', '.join(map(str, among)) or 'none'}{suggest(name, among)}"
        return f"{super()._undefined_message}; "


class _Loader(jinja2.FileSystemLoader):
    """Remembers what was loaded: templates, and the files of macros that they import."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        super().__init__([str(folder) for folder in folders])
        self.loaded: dict[str, None] = {}

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        found = super().get_source(environment, template)
        self.loaded[template] = None
        return found


class Templates:
    """The templates of one pipeline.

    ``{{ value }}`` is bound; ``{{ name | identifier }}`` is quoted as an SQL name; ``{{ text | sql }}``
    is a piece of SQL (an argument of a macro, say); what a macro gives is SQL.

    :param folders: where templates and macros are looked for, in this order
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._loader = _Loader(folders)
        self._environment = SandboxedEnvironment(
            loader=self._loader,
            undefined=_Undefined,
            # With autoescape a macro's result is marked as finished SQL, and everything else is not.
            autoescape=True,
            finalize=self._finalize,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["identifier"] = lambda name: Markup(quote_identifier(str(name)))
        self._environment.filters["sql"] = Markup
        self._bound: dict[str, Any] = {}

    @property
    def used(self) -> list[str]:
        """Names of the templates so far, and of the macro files that they import."""
        return list(self._loader.loaded)

    def source(self, template: str) -> str:
        """The text of a template."""
        return str(self._loader.get_source(self._environment, template)[0])

    def render(self, template: str, variables: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The SQL of a template and the values to bind.

        :param template: file name in one of the folders
        :raises PipelineError: no such file, nothing in it, a syntax error, or an undefined variable
        """
        self._bound = {}
        try:
            rendered = self._environment.get_template(template).render(**variables)
            if not _NOTHING.sub("", rendered).strip(_EMPTY):
                self._refuse_empty(template)
            return rendered, self._bound
        except jinja2.TemplateNotFound as error:
            where = " or ".join(str(folder) for folder in self._folders)
            raise PipelineError(f"There is no template {error.name!r} in {where}.") from error
        except jinja2.TemplateSyntaxError as error:
            raise PipelineError(
                f"Template {error.filename or template}, line {error.lineno}: {error.message}."
            ) from error
        except UnicodeDecodeError as error:
            raise PipelineError(f"Template {template} is not UTF-8 text: {error}.") from error
        except jinja2.UndefinedError as error:
            told = str(error.message)
            known = f"known are: {', '.join(variables)}." if told.endswith("; ") else ""
            raise PipelineError(f"Template {template}: {told}{known}") from error
        except jinja2.TemplateError as error:
            raise PipelineError(f"Template {template}: {error}.") from error

    def _refuse_empty(self, template: str) -> None:
        """A template may come out empty for some conditions, but not for any."""
        if not _NOTHING.sub("", self.source(template)).strip(_EMPTY):
            raise PipelineError(f"Template {template} holds no statement: it is empty, or all of it is comment.")

    # pass_context keeps Jinja2 from calling it on constants when it compiles a template.
    @jinja2.pass_context
    def _finalize(self, _context: jinja2.runtime.Context, value: Any) -> Any:
        if isinstance(value, (Markup, jinja2.Undefined)):
            return value
        if not isinstance(value, (int, float, str)) and value is not None:
            raise PipelineError(f"Cannot bind {value!r} in a template; expected a number, a text or none.")
        name = f"v{len(self._bound)}"
        self._bound[name] = value
        return Markup(f":{name}")
