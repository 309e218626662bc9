"""What a database is asked before work begins: whose tables it holds, and whether this user may write to them."""

from typing import Any

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from pipeline.errors import UserError, first_line

MLFLOW, OPTUNA = "MLflow", "Optuna"
# A table that a program's database has. Each keeps the version of its tables in one called alembic_version.
TABLES = {MLFLOW: "experiments", OPTUNA: "studies"}
# What SQLite says while another process writes: then it can be written to.
BUSY = "database is locked"


def check_database(address: str, owner: str, **options: Any) -> None:
    """Raise UserError, without the address, if a program cannot keep its tables in a database.

    owner: MLFLOW or OPTUNA. options: of SQLAlchemy's create_engine. Raises what SQLAlchemy does if it is out of reach.
    """
    engine = create_engine(address, **options)
    try:
        with engine.connect() as connection:
            _check_tables(connection, owner)
            connection.rollback()
    finally:
        engine.dispose()


def _check_tables(connection: Connection, owner: str) -> None:
    present = inspect(connection).get_table_names()
    if others := [other for other, table in TABLES.items() if other != owner and table in present]:
        raise UserError(
            f"it holds the tables of {others[0]}, and both programs have one called alembic_version; {owner} needs a "
            "database of its own"
        )
    if TABLES[owner] not in present:
        return
    table = TABLES[owner]
    try:
        # Inserts nothing, for which the right to insert is needed all the same.
        connection.execute(text(f"INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0"))
    except DBAPIError as error:
        reason = first_line(error.orig or error)
        if BUSY not in reason:
            raise UserError(f"its tables cannot be written to ({reason})") from error
