"""Where things lie."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
PRESETS = sorted(path.stem for path in (PACKAGE / "presets").glob("*.yaml"))
DEFAULT_WORKDIR = PACKAGE.parent / "workdir"
