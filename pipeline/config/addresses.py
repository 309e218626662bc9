"""Addresses of databases as options."""

from typing import Any

import click

from pipeline.errors import has_password


class WithoutPassword(click.ParamType):
    """An address that holds no password: MLflow logs what is typed, and other users see it in the list of processes."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        address = str(value)
        if has_password(address):
            self.fail(
                "it holds a password, which MLflow logs and other users can see; set the "
                "environment variable OPTUNA_STORAGE to this address instead, or leave the password to PostgreSQL's "
                "own file ~/.pgpass; one that was typed after -P is in MLflow's run already, so change it",
                param,
                ctx,
            )
        return address


WITHOUT_PASSWORD = WithoutPassword()
