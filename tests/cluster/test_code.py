import dataclasses
import subprocess
import sys

from pipeline.cluster.code import code, code_folder

DIGEST = "from pipeline.cluster.code import code; print(code().digest)"


def test_what_nodes_get_is_this_package_to_the_byte_and_nothing_else():
    with code_folder() as folder:
        assert [path.name for path in folder.iterdir()] == ["pipeline"]
        command = [sys.executable, "-c", DIGEST]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == code().digest


def test_other_code_is_named():
    here = code()
    assert here.difference(here) is None
    other = dataclasses.replace(here, digest="0123456789abcdef")
    assert here.difference(other) == (f"it has another version of this project (0123456789abcdef, not {here.digest})")


def test_another_version_of_a_package_is_named():
    here = code()
    older = dataclasses.replace(here, versions=here.versions | {"keras": "3.0"})
    assert here.difference(older) == f"it has keras 3.0, not {here.versions['keras']}"
