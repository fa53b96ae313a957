"""A toy barrel detector for sqlamarr."""

from pathlib import Path

_HERE = Path(__file__).parent

PIPELINE = _HERE / "pipeline" / "pipeline.yaml"  # sqlamarr run toybarrel ...
LIBRARY = _HERE / "toybarrel.so"  # plugins:toybarrel
