"""The certainty below which an answer does not count."""

from typing import Any

import click

AUTO = "auto"


class ThresholdType(click.ParamType):
    """A probability from 0 to 1, or auto."""

    name = "number|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """The number, or auto. Fails with what is allowed."""
        return value if value == AUTO else click.FloatRange(0, 1).convert(value, param, ctx)
