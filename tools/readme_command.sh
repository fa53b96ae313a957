#!/usr/bin/env bash
# Run one of the marked commands of README.md, exactly as it stands there: readme_command.sh run|root|test
set -euo pipefail
cd "$(dirname "$0")/.."
command=$(awk -v mark="<!-- $1 -->" '$0 == mark {found = 1; next} found && /^```/ {if (inside) exit; inside = 1; next} inside' README.md)
[ -n "$command" ] || { echo "README.md has no command marked $1" >&2; exit 1; }
echo "$command"
bash -euo pipefail -c "$command"
