#!/usr/bin/env bash
# Build the native library with sanitizers into a copy of the package, and run the tests that lean on it.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(command -v python)
cmake --preset debug -DPython_EXECUTABLE="$python" >/dev/null
cmake --build --preset debug
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r sqlamarr tests examples plugins pyproject.toml "$copy/"
rm -rf "$copy/sqlamarr/_native" # or files of the same age would not be replaced
cmake --install build/debug --prefix "$copy" >/dev/null
# not grep -q: it would end the pipe, and with it the script, before nm is done
nm -D "$copy/sqlamarr/_native/libsqlamarr.so" | grep asan >/dev/null
cd "$copy"
# No leak check: the interpreter itself never frees everything. A crash stays a crash: one test wants to see it.
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
ASAN_OPTIONS=detect_leaks=0:handle_segv=0:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
PYTHONPATH="$copy" python -m pytest -q -n 2 -p no:cacheprovider -m "not long" \
    tests/database/test_database.py tests/database/test_sql_functions.py tests/database/test_any_arguments.py \
    tests/database/test_images.py tests/database/test_column_tables.py tests/database/test_plain_columns.py \
    tests/native/test_random.py tests/native/test_pdg.py tests/sources/test_hepmc*.py tests/steps/test_truth.py \
    tests/steps/test_plugin_step.py tests/physics/test_tracking_model.py tests/physics/test_pid_model.py \
    tests/physics/test_charged.py tests/physics/test_calorimeter.py tests/physics/test_calorimeter_model.py \
    tests/models/test_foreign_models.py tests/models/test_event_plugin.py tests/running/test_run.py

# The thread sanitizer, which cannot be combined with the others, for what many threads do.
cd "$OLDPWD"
cmake --preset threads -DPython_EXECUTABLE="$python" >/dev/null
cmake --build --preset threads
cp build/threads/src/libsqlamarr.so "$copy/sqlamarr/_native/"
cd "$copy"
LD_PRELOAD="$(gcc -print-file-name=libtsan.so)" TSAN_OPTIONS=halt_on_error=1 \
PYTHONPATH="$copy" python -m pytest -q -p no:cacheprovider tests/native/test_threads.py
