import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def conda():
    return yaml.safe_load((ROOT / "conda.yaml").read_text())


def test_conda_yaml_lists_the_requirements_of_pyproject():
    pip = next(entry["pip"] for entry in conda()["dependencies"] if isinstance(entry, dict))
    assert sorted(pip) == sorted(project()["dependencies"])


def test_the_minor_version_of_mlflow_is_pinned():
    # A newer one could migrate the database of the one that launched it.
    requirement = next(entry for entry in project()["dependencies"] if entry.startswith("mlflow"))
    low, high = re.fullmatch(r"mlflow>=3\.(\d+),<3\.(\d+)", requirement).groups()
    assert int(high) == int(low) + 1


def test_constraints_are_names_and_versions_and_cover_the_requirements():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ;.*)?", line) for line in lines)
    pinned = {re.split("==", line)[0].lower().replace("_", "-") for line in lines}
    required = {re.split(r"[<>=]", entry)[0].lower() for entry in project()["dependencies"]}
    assert required <= pinned


def test_every_dependency_has_its_reason():
    text = (ROOT / "docs" / "dependencies.md").read_text()
    for entry in project()["dependencies"]:
        assert f"| {re.split(r'[<>=]', entry)[0]} |" in text
