"""A PostgreSQL server: Debian's package, started here on a socket of its own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text


def program(name: str) -> str:
    """A program of the server's. Skips the test where there is none."""
    found = shutil.which(name) or next(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)
    if found is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    return found


def as_owner(folder: Path, *command: str) -> list[str]:
    """The command as a user that may run a server, which root may not."""
    if os.getuid() != 0:
        return list(command)
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--", *command]


@dataclass(frozen=True)
class Server:
    """A server with its data in a folder; any password will do."""

    folder: Path

    def address(self, password: str = "secret", database: str = "postgres", user: str = "me") -> str:
        """The address of a database of it."""
        return f"postgresql://{user}:{password}@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Carry out a statement of SQL."""
        with create_engine(self.address(database=database), isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(statement))

    def scalar(self, query: str) -> object:
        """What a query of one value says."""
        with create_engine(self.address()).connect() as connection:
            return connection.execute(text(query)).scalar_one()

    def control(self, *words: str) -> None:
        """Have pg_ctl do something, and wait until it has."""
        command = [program("pg_ctl"), "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", *words]
        subprocess.run(as_owner(self.folder, *command), check=True, capture_output=True, cwd=self.folder)

    def start(self) -> None:
        """Start it."""
        self.control("-o", f"-k {self.folder} -c listen_addresses=''", "start")

    def stop(self) -> None:
        """Stop it at once, whatever it is doing."""
        self.control("-m", "immediate", "stop")


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """A server with an empty database."""
    folder = Path(tempfile.mkdtemp())
    initialise = as_owner(folder, program("initdb"), "-D", str(folder / "data"), "-U", "me", "-A", "trust")
    subprocess.run(initialise, check=True, capture_output=True, cwd=folder)
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # stopped by the test
            server.stop()
        shutil.rmtree(folder)
