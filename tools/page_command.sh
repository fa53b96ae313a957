#!/usr/bin/env bash
# Run one of the marked commands of a page, exactly as it stands there: page_command.sh README.md run
set -euo pipefail
cd "$(dirname "$0")/.."
command=$(awk -v mark="<!-- $2 -->" '$0 == mark {found = 1; next} found && /^```/ {if (inside) exit; inside = 1; next} inside' "$1")
[ -n "$command" ] || { echo "$1 has no command marked $2" >&2; exit 1; }
echo "$command"
bash -euo pipefail -c "$command"
