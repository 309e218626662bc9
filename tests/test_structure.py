"""How the code is laid out: what CONTRIBUTING.md says of it, held against the imports."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pipeline"
# From the ground up: a room imports from itself and from rooms that stand before it.
ROOMS = [
    "errors",
    "terminal",
    "docstrings",
    "paths",
    "config",
    "process",
    "locks",
    "half_written",
    "databases",
    "numpy_lenet",
    "metrics",
    "figures",
    "data",
    "cluster",
    "models",
    "training",
    "leftovers",
    "progress",
    "evaluation",
    "export",
    "serving",
    "tracking",
    "tracked",
    "search",
    "ablation",
    "diagnosis",
    "report",
    "stages",
    "help",
    "make_store",
    "open_ui",
    "__main__",
]
MOST_POSITIONAL = 8


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path):
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "pipeline":
            yield from (f"pipeline.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_every_room_has_its_place():
    assert {room_of(path) for path in modules()} - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_calls_go_one_way(room):
    allowed = ROOMS[: ROOMS.index(room) + 1]
    for path in modules():
        if room_of(path) == room:
            rooms = {name.split(".")[1] for name in imports_of(path) if name.startswith("pipeline.")}
            assert rooms <= set(allowed), f"{path.relative_to(ROOT)} imports {sorted(rooms - set(allowed))}"


def test_no_stage_imports_a_stage_but_main():
    for path in (PACKAGE / "stages").glob("*.py"):
        stages = [name for name in imports_of(path) if name.startswith("pipeline.stages")]
        assert not stages or path.stem == "main", path


def test_only_tracking_and_serving_import_mlflow():
    importing = {
        room_of(path) for path in modules() if any(name.split(".")[0] == "mlflow" for name in imports_of(path))
    }
    assert importing == {"tracking", "serving"}


@pytest.mark.parametrize(
    ("loaded", "unwanted"),
    [
        # Modules that stand together are loaded by one process: what none of them needs.
        (["training.fit", "training.network_spec", "evaluation.measures"], ["mlflow"]),
        (["export.formats.litert", "export.formats.onnx"], ["ai_edge_litert", "onnxruntime"]),
        (["tracked.export", "stages.search"], ["keras", "ray"]),
        (["stages.report"], ["tensorflow", "matplotlib"]),
        (["tracking"], ["pipeline.serving", "keras"]),
        (["data.sources.hf", "data.sources.keras_datasets", "data.sources.tfds"], ["datasets", "keras"]),
        (["data.sources.tfds"], ["tensorflow_datasets"]),
    ],
    ids=lambda names: names[0],
)
def test_what_a_room_does_not_need_is_not_loaded(loaded, unwanted):
    imports = ", ".join(f"pipeline.{name}" for name in loaded)
    code = f"import sys, {imports}; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def functions():
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def test_no_function_has_more_than_eight_parameters_by_position():
    for path, node in functions():
        positional = [each.arg for each in (*node.args.posonlyargs, *node.args.args) if each.arg not in ("self", "cls")]
        assert len(positional) <= MOST_POSITIONAL, f"{path.relative_to(ROOT)}: {node.name}"


def test_tests_mirror_the_package():
    """Each folder of the package that has tests has them in a folder of the same name."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests")
        assert folder in (Path("e2e"), Path("faults")) or (PACKAGE / folder).is_dir(), path


def test_the_contract_of_an_executor_is_kept():
    from pipeline.search.executors.contract import Executor
    from pipeline.search.executors.processes import Processes
    from pipeline.search.executors.ray_actors import RayActors

    for name, method in inspect.getmembers(Executor, inspect.isfunction):
        if not name.startswith("_"):
            for kind in (Processes, RayActors):
                assert inspect.signature(getattr(kind, name)) == inspect.signature(method), name
