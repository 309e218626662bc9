"""Regular expressions that a user types."""

import re
from typing import Any

import click


class GroupPattern(click.ParamType):
    """A regular expression with one group, in the syntax of Python's re."""

    name = "pattern"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        try:
            groups = re.compile(text).groups
        except re.error as error:
            self.fail(f"{text!r} is no regular expression: {error}", param, ctx)
        if groups != 1:
            self.fail(
                f"{text!r} has {groups} groups; exactly one pair of parentheses is expected, around the part of a path "
                "that names the group; (?:...) makes none",
                param,
                ctx,
            )
        return text
