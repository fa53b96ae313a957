"""Turn ``src/sqlamarr.h`` into the module through which Python calls the native library.

Usage: make_cffi.py HEADER OUTPUT. Run by the build; needs cffi.
"""

import re
import sys
from pathlib import Path

from cffi import FFI


def declarations(header: str) -> str:
    """The header without comments, preprocessor lines and the C++ linkage block."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    text = re.sub(r'^(extern "C" \{|\})\s*$', "", text, flags=re.MULTILINE)
    return text.replace("SQLAMARR_API ", "")


def main() -> None:
    """Read the header, write the module."""
    header, output = map(Path, sys.argv[1:3])
    ffi = FFI()
    ffi.cdef(declarations(header.read_text()))
    ffi.set_source("api", None)
    ffi.emit_python_code(str(output))


if __name__ == "__main__":
    main()
