"""How many devices of a machine a training takes."""

from typing import Any

import click

AUTO = "auto"


class DevicesType(click.ParamType):
    """A number of devices, or auto."""

    name = "integer|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """The number, or auto. Fails with what is allowed."""
        return value if value == AUTO else click.IntRange(1, 64).convert(value, param, ctx)
