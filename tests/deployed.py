"""The services of deploy/, started by the same commands as on other machines, as processes of this one."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from postgresql import Server, running_server
from processes import kill_all, wait_for

DEPLOY = Path(__file__).parents[1] / "deploy"
SERVICE = DEPLOY / "service.sh"
STORE_BYTES = 80 * 2**20
NOT_INHERITED = ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "PIPELINE_WORKDIR", "PYTHONPATH", "RAY_ADDRESS")


class Deployment:
    """What runs of the services. folder: holds the nodes' work folders. environment: as deploy/example.env names it."""

    def __init__(self, folder: Path, database: Server):
        self.folder = folder
        self.database = database
        self.nodes: list[subprocess.Popen] = []
        self.servers: dict[str, subprocess.Popen] = {}
        ports = dict(zip(("MLFLOW_PORT", "DASHBOARD_PORT", "RAY_PORT"), map(str, _free_ports(3)), strict=True))
        password = secrets.token_hex(16)
        self.environment = ports | {
            "PGHOST": str(database.folder),
            "PGUSER": "me",
            "PGPASSWORD": "any will do",
            "MLFLOW_AUTH_ADMIN_PASSWORD": password,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(32),
            "ARTIFACTS": str(folder / "artifacts"),
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_AUTH_MODE": "token",
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['MLFLOW_PORT']}",
            "MLFLOW_TRACKING_USERNAME": "admin",
            "MLFLOW_TRACKING_PASSWORD": password,
            "OPTUNA_STORAGE": "postgresql:///optuna",
        }

    @property
    def ray_address(self) -> str:
        return f"127.0.0.1:{self.environment['RAY_PORT']}"

    def workdir(self, node: int) -> Path:
        """The work folder of a node by its number."""
        return self.folder / f"node-{node}"

    def is_well(self, name: str) -> bool:
        """What the health check of a service says."""
        command = [SERVICE, "health", name]
        return subprocess.run(command, env=self._environment(), capture_output=True, check=False).returncode == 0

    def serve(self, name: str) -> None:
        """Start mlflow or the dashboard, and wait until it is well."""
        # What runs MLflow's background jobs takes as long to start as the server.
        self.servers[name] = self._start(name, {"MLFLOW_WORKERS": "1", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})
        wait_for(lambda: self.is_well(name))

    def join(self) -> int:
        """Start one more Ray node of one CPU; returns its number. The first one is the head."""
        number = len(self.nodes)
        options = ["--node-ip-address=127.0.0.1", "--num-cpus=1", f"--object-store-memory={STORE_BYTES}"]
        options += [] if number else [f"--temp-dir={self.folder / 'ray'}"]
        environment = {"RAY_OPTIONS": " ".join(options), "PIPELINE_WORKDIR": str(self.workdir(number))}
        self.nodes.append(self._start("ray-worker" if number else "ray-head", environment))
        if not number:
            wait_for(lambda: _answers(int(self.environment["RAY_PORT"])))
        return number

    def stop_serving(self, name: str) -> None:
        """Kill -9 mlflow or the dashboard."""
        _kill(self.servers[name])

    def kill(self, node: int) -> None:
        """Kill -9 a node and all that runs on it."""
        _kill(self.nodes[node])

    def end(self) -> None:
        """Kill all that runs, the head last."""
        for process in [*reversed(self.nodes), *self.servers.values()]:
            _kill(process)

    def _start(self, name: str, environment: dict[str, str]) -> subprocess.Popen:
        with (self.folder / f"{name}-{len(self.nodes)}.log").open("w") as log:
            return subprocess.Popen(
                [SERVICE, "start", name],
                env=self._environment() | environment,
                cwd=self.folder,
                start_new_session=True,
                stdout=log,
                stderr=log,
            )

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        inherited["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}"
        own = {name: value for name, value in self.environment.items() if name != "MLFLOW_TRACKING_URI"}
        return inherited | own


def _kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        kill_all(process)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        return [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


@contextlib.contextmanager
def deployment() -> Iterator[Deployment]:
    """PostgreSQL with the databases of deploy/databases.sql, and what is started of the other services."""
    # Paths of sockets are short by law: not below a test's own folder.
    with running_server() as database, tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        for line in (DEPLOY / "databases.sql").read_text(encoding="utf-8").splitlines():
            if not line.startswith("--"):
                database.execute(line)
        deployed = Deployment(Path(folder), database)
        try:
            yield deployed
        finally:
            deployed.end()
