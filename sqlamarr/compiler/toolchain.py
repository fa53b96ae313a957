"""The C compiler of this machine."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sqlamarr.errors import CompilerError

OPTIONS = (
    "-O2", "-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fno-strict-aliasing",
    "-fvisibility=hidden", "-fPIC", "-w",
)  # fmt: skip
# gcc vectorises loops of unknown length at -O3 only, which takes twice as long; clang does at -O2.
GCC_OPTIONS = ("-ftree-vectorize", "-fvect-cost-model=dynamic")
HINT = (
    "Install one: 'apt install gcc' (Debian, Ubuntu), 'dnf install gcc' (Fedora, Alma), 'xcode-select --install' "
    "(macOS). To use another compiler, set the environment variable CC."
)


def compiler() -> list[str]:
    """Find the command of the C compiler: CC, or the first of cc, gcc, clang.

    :raises CompilerError: there is none
    """
    if chosen := shlex.split(os.environ.get("CC", "")):
        if shutil.which(chosen[0]) is None:
            raise CompilerError(f"The C compiler {chosen[0]!r}, set by CC, was not found. {HINT}")
        return chosen
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return [path]
    raise CompilerError(f"No C compiler was found, but compiling models needs one. {HINT}")


@cache
def _is_clang(command: tuple[str, ...]) -> bool:
    asked = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    return "clang" in asked.stdout


def options() -> list[str]:
    """Return the command that compiles C on this system.

    :raises CompilerError: there is no compiler
    """
    return [*OPTIONS, *(() if _is_clang(tuple(compiler())) else GCC_OPTIONS)]


def run(arguments: Sequence[str], folder: Path) -> None:
    """Run the compiler in a folder.

    :raises CompilerError: it failed, or there is no compiler
    """
    command = [*compiler(), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CompilerError(
            f"The C compiler failed ({shlex.join(command)}): {done.stderr.strip()[:2000] or 'it printed nothing'}"
        )
