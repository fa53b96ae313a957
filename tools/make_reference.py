"""Write the reference pages from the code: python tools/make_reference.py [--check].

They are ``docs/reference/command_line.md`` and ``docs/reference/python.md``. With ``--check`` nothing is written; the
exit code is 1 if a page is not what the code says.
"""

from __future__ import annotations

import inspect
import re
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the package of this tree, whatever is installed

import click  # noqa: E402

import sqlamarr  # noqa: E402
from sqlamarr import errors  # noqa: E402
from sqlamarr.cli import group  # noqa: E402

WIDTH = 100
MADE = "<!-- Made by tools/make_reference.py: change the code, not this page. -->\n"


def command_line() -> str:
    """The page of the command line: what ``--help`` prints, of every command."""
    lines = [MADE, "# Command line\n"]
    with click.Context(group, info_name="sqlamarr", terminal_width=WIDTH, max_content_width=WIDTH) as context:
        lines += ["```text", group.get_help(context), "```\n"]
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            with click.Context(command, info_name=name, parent=context, terminal_width=WIDTH) as inner:
                inner.max_content_width = WIDTH
                lines += [f"## sqlamarr {name}\n", "```text", command.get_help(inner), "```\n"]
    return "\n".join(line.rstrip() for line in "\n".join(lines).split("\n"))


def python() -> str:
    """The page of the Python interface: everything that ``sqlamarr`` exports."""
    functions = [name for name in sqlamarr.__all__ if inspect.isfunction(getattr(sqlamarr, name))]
    classes = [name for name in sqlamarr.__all__ if inspect.isclass(getattr(sqlamarr, name))]
    lines = [MADE, "# Python\n", "Names that `import sqlamarr` gives. Everything else is private and may change.\n"]
    lines += ["## Functions\n"]
    for name in functions:
        lines += _function(f"sqlamarr.{name}", getattr(sqlamarr, name), "###")
    lines += ["## Classes\n"]
    for name in (name for name in classes if not issubclass(getattr(sqlamarr, name), Exception)):
        lines += _class(name, getattr(sqlamarr, name))
    lines += ["## Exceptions\n", "All are in `sqlamarr.errors`; `SqlamarrError` is the base of the others.\n"]
    lines += ["| exception | base | raised when |", "|---|---|---|"]
    for name, found in vars(errors).items():
        if inspect.isclass(found) and issubclass(found, Exception):
            lines.append(f"| `{name}` | `{found.__base__.__name__}` | {_summary(found)} |")
    return "\n".join(lines) + "\n"


def _function(name: str, function: Any, level: str) -> list[str]:
    return [
        f"{level} `{name}`\n",
        "```python",
        f"{name.rpartition('.')[2]}{_signature(function)}",
        "```\n",
        _text(function),
    ]


def _class(name: str, found: type) -> list[str]:
    public = {getattr(sqlamarr, other) for other in sqlamarr.__all__ if other != name}
    inherited = [base for base in found.__mro__[1:] if base in public]
    rows = [
        f"| `{member}{'' if isinstance(value, _PROPERTIES) else _signature(value, short=True)}` | {_summary(value)} |"
        for member, value in inspect.getmembers(found)
        if _is_shown(found, member, value) and not any(hasattr(base, member) for base in inherited)
    ]
    lines = [f"### `sqlamarr.{name}`\n", _text(found)]
    lines += [f"It has all members of `{base.__name__}`.\n" for base in inherited]
    return [*lines, *(["| member | meaning |", "|---|---|", *rows, ""] if rows else [])]


_PROPERTIES = (property, cached_property)


def _is_shown(found: type, member: str, value: Any) -> bool:
    """Whether a member is public, documented, and not one that Python gives to every such class."""
    ours = any(member in vars(base) for base in found.__mro__ if base.__module__.startswith("sqlamarr"))
    callable_or_property = inspect.isroutine(value) or isinstance(value, _PROPERTIES)
    return not member.startswith("_") and ours and callable_or_property and bool(inspect.getdoc(value))


def _signature(function: Any, short: bool = False) -> str:
    signature = inspect.signature(function)
    if short:
        names = [f"{p}" if p.kind.name.startswith("VAR") else p.name for p in signature.parameters.values()]
        return f"({', '.join(name.split(':')[0] for name in names if name not in ('self', 'cls'))})"
    parameters = [str(parameter) for parameter in signature.parameters.values()]
    keyword_only = [p.kind is inspect.Parameter.KEYWORD_ONLY for p in signature.parameters.values()]
    if True in keyword_only and "VAR_POSITIONAL" not in {p.kind.name for p in signature.parameters.values()}:
        parameters.insert(keyword_only.index(True), "*")
    result = f" -> {signature.return_annotation}" if signature.return_annotation is not signature.empty else ""
    one = f"({', '.join(parameters)}){result}".replace("'", "")
    return one if len(one) < WIDTH else "(\n    " + ",\n    ".join(parameters).replace("'", "") + f",\n){result}"


def _summary(found: Any) -> str:
    first = (inspect.getdoc(found) or "").split("\n\n")[0]
    return _plain(" ".join(first.split()))


def _text(found: Any) -> str:
    """A docstring as Markdown: its fields become a list."""
    text = _plain(inspect.getdoc(found) or "")
    text = re.sub(r"^>>> .*?(?=\n\n|\Z)", lambda m: f"```pycon\n{m[0]}\n```", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\n {4}(?=\S)", " ", text) if ":param" in text or ":ivar" in text else text
    text = re.sub(r"^:(?:param|ivar|cvar) ([\w, ]+): ", r"* `\1`: ", text, flags=re.MULTILINE)
    text = re.sub(r"^:raises (\w+): ", r"* raises `\1`: ", text, flags=re.MULTILINE)
    text = re.sub(r"^:returns?: ", "* returns ", text, flags=re.MULTILINE)
    return f"{text}\n"


def _plain(text: str) -> str:
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`").replace("|", "\\|") if "```" not in text else text


PAGES = {"command_line.md": command_line, "python.md": python}


def main() -> int:
    """Write the pages, or compare them."""
    stale = 0
    for name, make in PAGES.items():
        page, text = ROOT / "docs" / "reference" / name, make()
        if "--check" in sys.argv:
            if not page.exists() or page.read_text() != text:
                print(f"{page} is not what the code says: run python tools/make_reference.py", file=sys.stderr)
                stale = 1
        else:
            page.parent.mkdir(exist_ok=True)
            page.write_text(text)
    return stale


if __name__ == "__main__":
    sys.exit(main())
