"""The connection to a Ray cluster: to one that runs, or to one of this machine that ends with this process.

Ray runs whatever code it is sent, and its ports listen on all addresses: token authentication is always on.
"""

import contextlib
import importlib.util
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from pipeline import process
from pipeline.cluster.code import code_folder
from pipeline.errors import UserError, first_line, shown

RAY, AUTO = "ray", "auto"
AUTH_MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
DEFAULT_TOKEN_FILE = Path("~/.ray/auth_token")
CONNECT_SECONDS = 5.0
# Of a cluster on this machine alone, which sends no data: the least that Ray takes is 75 MiB.
LOCAL_STORE_BYTES = 100 * 2**20


def check_engine(address: str | None) -> None:
    """Raise UserError if Ray is not installed, or if no cluster at `address` can be used; nothing is started.

    address: auto, HOST:PORT, or None for a cluster of this machine.
    """
    # Not imported: what of the environment Ray reads then is set only by `connected`.
    if importlib.util.find_spec("ray") is None:
        raise UserError('--engine ray needs the package ray: pip install "past-the-ceiling[ray]"')
    if address is None:
        return
    if not _has_token():
        raise UserError(
            f"--ray_address {shown(address)}: there is no token, and without token authentication whoever reaches the "
            f"cluster can run code on it; start its nodes with {AUTH_MODE}=token, and set {TOKEN} or {TOKEN_PATH} to "
            "the token that `ray get-auth-token --generate` made for them"
        )
    if os.environ.get(AUTH_MODE, "token").lower() == "disabled":
        raise UserError(
            f"--ray_address {shown(address)}: {AUTH_MODE}=disabled lets whoever reaches the cluster run code on it; "
            f"{AUTH_MODE}=token is allowed"
        )
    if address != AUTO:
        _check_port(address)


def _check_port(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 2**16:
        raise UserError(f"--ray_address {shown(address)}: auto or HOST:PORT is allowed, as in 10.0.0.1:6379")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise UserError(
            f"--ray_address {shown(address)}: nothing answers there ({error.strerror or error}); `ray start --head` "
            "starts the first node of a cluster"
        ) from error


def _has_token() -> bool:
    if os.environ.get(TOKEN):
        return True
    file = Path(os.environ.get(TOKEN_PATH) or DEFAULT_TOKEN_FILE).expanduser()
    try:
        return bool(file.read_text(encoding="utf-8").strip())
    except OSError:
        return False


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Be connected to a cluster, whose nodes get the code of this process.

    address: as for `check_engine`. Raises UserError if the cluster cannot be joined.
    """
    check_engine(address)
    os.environ.setdefault(AUTH_MODE, "token")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        os.environ.setdefault(TOKEN, secrets.token_hex(32))
    import ray

    try:
        with code_folder() as folder:
            _join(address, folder)
    except Exception as error:  # Ray raises one of many
        if address is None:
            raise UserError(f"--engine ray: no cluster can be started on this machine: {first_line(error)}") from error
        raise UserError(
            f"--ray_address {shown(address)} cannot be joined: {first_line(error)}; the command has to be given on a "
            "machine that is a node of the cluster, with its token"
        ) from error
    # It has a handler of its own, which would end this process and leave its run RUNNING.
    process.stop_on_signals()
    try:
        yield
    finally:
        ray.shutdown()


def _join(address: str | None, code: Path) -> None:
    import ray

    quiet = {"log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
    runtime = {"working_dir": str(code)}
    if address is None:
        cores = len(process.usable_cores())
        ray.init("local", num_cpus=cores, object_store_memory=LOCAL_STORE_BYTES, runtime_env=runtime, **quiet)
    else:
        del quiet["include_dashboard"]
        ray.init(address, runtime_env=runtime, **quiet)
