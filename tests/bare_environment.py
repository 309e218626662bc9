"""An environment that has some packages with all that they require, and nothing else."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

# Python without its own folder of packages, the current folder and its environment variables.
RUN = """
import runpy, sys
sys.path.append(sys.argv.pop(1))
for unwanted in sys.argv.pop(1).split(","):
    try:
        __import__(unwanted)
    except ImportError:
        continue
    raise SystemExit(f"{unwanted} can be imported")
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_bare(script: Path, *arguments: str, site: Path, without: str = "pipeline,mlflow,cv2,pandas") -> str:
    """What a script prints where the packages in `site` alone are there. without: the names of some that are not."""
    command = [sys.executable, "-I", "-S", "-c", RUN, str(site), without, str(script), *arguments]
    quiet = {"PATH": os.environ["PATH"], "TF_CPP_MIN_LOG_LEVEL": "3", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(command, cwd=site, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def link_packages(site: Path, packages: list[str]) -> Path:
    """Link the files of these packages, and of all that they require, into the folder `site`."""
    site.mkdir()
    for distribution in _required(packages, {}).values():
        for file in distribution.files or []:
            source = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and source.is_file():
                _link(site, file.parts, source)
    return site


def _link(site: Path, parts: tuple[str, ...], source: Path) -> None:
    # Folder by folder where packages share one, as google/ is; else the whole folder at once.
    if parts[0] in ("google",) or len(parts) == 1:
        goal = site.joinpath(*parts)
        goal.parent.mkdir(parents=True, exist_ok=True)
        if not goal.exists():
            goal.symlink_to(source)
    elif not (site / parts[0]).exists():
        (site / parts[0]).symlink_to(source.parents[len(parts) - 2])


def _required(packages: list[str], found: dict[str, importlib.metadata.Distribution]) -> dict:
    for package in packages:
        if package.lower() not in found:
            distribution = importlib.metadata.distribution(package)
            found[package.lower()] = distribution
            _required([*_requirements(distribution)], found)
    return found


def _requirements(distribution: importlib.metadata.Distribution) -> Iterator[str]:
    for text in distribution.requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name
