"""How many trials a second a study's database takes from many workers at once.

    PYTHONPATH=tests python -m benchmarks.storage_load --output FOLDER
    PYTHONPATH=tests python -m benchmarks.storage_load --output FOLDER --only postgresql --workers 1 8

The calls are those of a search, without the training between them: one owner asks for trials and tells how they ended;
each worker notes the run, reports six epochs, asks after each whether to stop, and notes the outcome. Workers are
threads, each with connections of its own, as a worker process has. Storages: PostgreSQL, SQLite, and Optuna's gRPC
proxy before PostgreSQL. Each pair of storage and number of workers is a part that leaves a JSON file; a part that is
there is not repeated.
"""

import argparse
import contextlib
import functools
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, GrpcStorageProxy, run_grpc_proxy_server
from optuna.trial import Trial, TrialState
from postgresql import running_server

from benchmarks.shared import part, provenance
from pipeline.search.patience import Patience
from pipeline.search.storage import open_storage, sqlite_address
from pipeline.search.study import make_pruner, make_sampler

STORAGES = ("postgresql", "sqlite", "grpc")
WORKERS = (1, 8, 32, 64)
EPOCHS, WARMUP = 6, 0.25
SECONDS = 20.0
SPACE = {
    "learning_rate": optuna.distributions.FloatDistribution(0.02, 2.0, log=True),
    "dropout": optuna.distributions.FloatDistribution(0.0, 0.6),
    "depth": optuna.distributions.IntDistribution(1, 3),
}


def main() -> None:
    """Measure the pairs that are missing, and print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--only", nargs="+", choices=STORAGES, default=STORAGES)
    parser.add_argument("--workers", nargs="+", type=int, default=WORKERS)
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    print("| storage | workers | trials a second | connections |\n|---|---|---|---|")
    for kind in arguments.only:
        for workers in arguments.workers:
            make = functools.partial(_measured, kind, workers, output / f"{kind}-{workers}")
            done = part(output / f"{kind}-{workers}.json", make)
            rate = f"{done['trials_a_second']:.1f}"
            print(f"| {kind} | {workers} | {rate} | {done['connections']} |", flush=True)


def _measured(kind: str, workers: int, folder: Path) -> dict:
    with _storage(kind, folder) as (open_one, connections):
        study = _study(open_one())
        jobs: queue.Queue[int | None] = queue.Queue()
        done: queue.Queue[int] = queue.Queue()
        threads = [threading.Thread(target=_work, args=(open_one, jobs, done), daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for _ in range(workers):
            jobs.put(_asked(study))
        trials, started = 0, time.monotonic()
        while time.monotonic() - started < SECONDS:
            with contextlib.suppress(queue.Empty):
                study.tell(Trial(study, done.get(timeout=1)), 0.5)
                trials += 1
                jobs.put(_asked(study))
        elapsed, open_connections = time.monotonic() - started, connections()
        for _ in threads:
            jobs.put(None)
        for thread in threads:
            thread.join()
    return {
        **provenance(),
        **{"storage": kind, "workers": workers, "seconds": elapsed, "trials": trials},
        "trials_a_second": trials / elapsed,
        "connections": open_connections,
    }


def _study(storage: BaseStorage) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = make_pruner("hyperband", EPOCHS, WARMUP)
    return optuna.create_study(
        storage=storage, study_name="load", pruner=pruner, direction="maximize", load_if_exists=True
    )


def _asked(study: optuna.Study) -> int:
    study.sampler = make_sampler("random", 0, len(study.get_trials(deepcopy=False)))
    return study.ask(SPACE)._trial_id


def _work(open_one: Callable[[], BaseStorage], jobs: queue.Queue, done: queue.Queue) -> None:
    """What a worker says to the storage of each trial."""
    study = _study(open_one())
    while (trial_id := jobs.get()) is not None:
        trial = Trial(study, trial_id)
        trial.set_user_attr("run_id", "0123456789abcdef0123456789abcdef")
        for epoch in range(1, EPOCHS + 1):
            trial.report(0.5, epoch)
            trial.should_prune()
        trial.set_user_attr("outcome", {"state": TrialState.COMPLETE.name, "reason": "", "epochs": EPOCHS})
        done.put(trial_id)


@contextlib.contextmanager
def _storage(kind: str, folder: Path) -> Iterator[tuple[Callable[[], BaseStorage], Callable[[], int]]]:
    """What opens the storage, and what counts the connections to its server."""
    if kind == "sqlite":
        yield lambda: open_storage(sqlite_address(folder / "optuna.db"), Patience()), lambda: 0
        return
    with running_server() as server:
        address = server.address()
        open_storage(address)
        count = functools.partial(_connections, server)
        if kind == "postgresql":
            yield lambda: open_storage(address, Patience()), count
            return
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        serve = functools.partial(run_grpc_proxy_server, open_storage(address), host="127.0.0.1", port=port)
        threading.Thread(target=serve, daemon=True).start()
        time.sleep(2)
        yield lambda: GrpcStorageProxy(host="127.0.0.1", port=port), count


def _connections(server) -> int:
    return int(server.scalar("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")) - 1


if __name__ == "__main__":
    main()
