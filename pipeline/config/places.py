"""Where things lie."""

import os
import tempfile
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).parents[1]
PRESETS = sorted(path.stem for path in (PACKAGE / "presets").glob("*.yaml"))
PROJECT_WORKDIR = PACKAGE.parent / "workdir"
USER_WORKDIR = platformdirs.user_data_path("past-the-ceiling", appauthor=False) / "workdir"


def default_workdir() -> Path:
    """PIPELINE_WORKDIR, else workdir/ beside pipeline/; in a temporary clone of `mlflow run` a folder of the user's.

    `mlflow run GIT-ADDRESS` clones the project anew each time: what lies in the clone is never found again.
    """
    if given := os.environ.get("PIPELINE_WORKDIR"):
        return Path(given)
    return USER_WORKDIR if is_temporary_clone(PACKAGE.parent) else PROJECT_WORKDIR


def is_temporary_clone(project: Path) -> bool:
    """Whether `mlflow run` has made this copy of the project for one run."""
    made = project.parent == Path(tempfile.gettempdir()).resolve() and project.name.startswith(tempfile.gettempprefix())
    return made and "MLFLOW_RUN_ID" in os.environ
