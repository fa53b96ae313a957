#!/usr/bin/env bash
# clang-tidy over every C and C++ file of src/ and plugins/, as .clang-tidy says; a warning is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
# Only the compilers' command lines are wanted: nothing is built.
cmake --preset tidy -DPython_EXECUTABLE="$(command -v python)" >/dev/null
git ls-files -z 'src/*.cpp' 'plugins/*.c' |
    xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/tidy --quiet 2> >(grep -v 'warnings generated' >&2)
