#!/usr/bin/env bash
# What CONTRIBUTING.md promises: after its own commands a changed template and a changed C file are both seen in a run.
# For a clean clone; the files are put back at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/page_command.sh CONTRIBUTING.md setup
. .venv/bin/activate

content() { # the hash of an output of the example
    rm -f loop.db
    sqlamarr run lhcb_run2 examples/data/bbbar.hepmc.gz -o loop.db --seed 1 --quiet
    sqlamarr show --hash loop.db | tail -n 1
}

changes() { # changes FILE WHAT BY: the result is another one, and the old one again without the change
    echo "changing $1"
    sed -i.before "s/$2/$3/" "$1"
    ! cmp -s "$1" "$1.before" || { echo "$1 has no $2" >&2; exit 1; }
    [ "$(eval "$4"; content)" != "$first" ] || { echo "A change in $1 is not seen in a run." >&2; exit 1; }
    mv "$1.before" "$1" && touch "$1"
    [ "$(eval "$4"; content)" = "$first" ] || { echo "$1 is back, its results are not." >&2; exit 1; }
}

first=$(content)
changes pipelines/lhcb_run2/rec_summary.sql "count(" "1 + count(" true
build='tools/page_command.sh CONTRIBUTING.md build >/dev/null'
eval "$build"
[ "$(content)" = "$first" ] || { echo "The library that CMake built gives other results." >&2; exit 1; }
changes plugins/lhcb_run2/acceptance.c "rise((.415" "0.5 * rise((.415" "$build"
rm -f loop.db
echo "Both changes were seen."
