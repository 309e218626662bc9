"""Which executor a search has: processes of this machine, or actors of a Ray cluster."""

import contextlib
import functools
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline import config as options
from pipeline import tracking
from pipeline.cluster import connection
from pipeline.cluster.code import code
from pipeline.config import PreprocessConfig, SearchConfig
from pipeline.errors import UserError, without_password
from pipeline.search.executors.contract import Executor
from pipeline.search.executors.processes import Processes
from pipeline.search.space import Space
from pipeline.search.trial import StudyPlace

OF_RAY = ("ray_address", "cpus_per_trial", "gpus_per_trial")
# What a worker is told of the owner's environment: where runs and studies are, and the logins.
PASSED_ON = ("MLFLOW_", "PG", "OPTUNA_STORAGE", "PIPELINE_SERVER_PATIENCE")
NOT_PASSED_ON = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")


def check_engine(config: SearchConfig, space: Space) -> None:
    """Raise UserError if the engine that the options ask for cannot do this search."""
    if config.engine != connection.RAY:
        if names := [name for name in OF_RAY if name in config.given]:
            raise UserError(f"--{names[0]} is an option of --engine ray")
        return
    names = [field.name for field in options.fields_of(PreprocessConfig) if field.name in space]
    if names:
        raise UserError(
            f"--engine ray: the space {config.space} searches over {names[0]}, which changes the prepared data, and "
            "nodes get one data set; --engine processes can search over it"
        )
    connection.check_engine(config.ray_address)


@contextlib.contextmanager
def executors(config: SearchConfig, place: StudyPlace) -> Iterator[Callable[[int], Executor]]:
    """What starts so many workers for the trials of a study. Raises UserError if the cluster cannot be used."""
    if config.engine != connection.RAY:
        yield lambda workers: Processes(workers, place)
        return
    with connection.connected(config.ray_address), _mark(config.workdir) as mark:
        import ray

        from pipeline.search.executors.ray_actors import RayActors
        from pipeline.search.executors.ray_worker import Errand

        files = _sqlite_files(place)
        nodes = sum(node["Alive"] for node in ray.nodes())
        if files and nodes > 1:
            raise UserError(
                f"--engine ray on {nodes} nodes: {files[0]} is an SQLite file, to which one machine alone can write "
                "safely; give OPTUNA_STORAGE a PostgreSQL database, and MLFLOW_TRACKING_URI the address of an MLflow "
                "server"
            )
        errand = Errand(
            place=place,
            code=code(),
            environment=_environment(config),
            folder=Path.cwd(),
            workdir=config.workdir,
            mark=mark,
            cpus=config.cpus_per_trial,
            weights=config.weights,
            only_node=ray.get_runtime_context().get_node_id() if files else None,
        )
        yield functools.partial(RayActors, errand=errand, cpus=config.cpus_per_trial, gpus=config.gpus_per_trial)


def _sqlite_files(place: StudyPlace) -> list[str]:
    addresses = (place.storage, tracking.store_address())
    return [without_password(address) for address in addresses if address.startswith("sqlite")]


def _environment(config: SearchConfig) -> dict[str, str]:
    """The variables of this process that a worker needs, on whichever node it is."""
    passed = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    for name in NOT_PASSED_ON:
        passed.pop(name, None)
    if config.ray_address is None:
        passed["PIPELINE_WORKDIR"] = str(config.workdir)
    if 0 < config.gpus_per_trial < 1:
        # TensorFlow would take all of the GPU's memory, and leave none to who shares it.
        passed["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return passed | {"MLFLOW_TRACKING_URI": tracking.store_address()}


@contextlib.contextmanager
def _mark(workdir: Path) -> Iterator[Path]:
    """A file in the work folder by which a node knows that it has the same folder."""
    workdir.mkdir(parents=True, exist_ok=True)
    mark = workdir / f".shared-{secrets.token_hex(8)}"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)
