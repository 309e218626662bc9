"""A value as it was typed or written in a file: read, checked and converted."""

import dataclasses
import difflib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from pipeline.config.declarations import Config, Values, fields_of
from pipeline.errors import UserError


def read_yaml(path: Path) -> Any:
    """What a YAML file holds. Raises UserError if it is none."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path.absolute()} is no YAML file: {' '.join(str(error).split())}") from error


def read_options(path: Path) -> Values:
    """The 'name: value' lines of a YAML file. Raises UserError if it holds anything else."""
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise UserError(f"{path.absolute()} holds no options; one 'name: value' a line is expected")
    return values


def checked(kind: type[Config], values: Mapping[str, Any], where: str) -> Values:
    """The given values converted to their types; those not given are left out."""
    fields = {field.name: field for field in fields_of(kind)}
    converted = {}
    for name, value in values.items():
        if value is None or value == "":
            continue
        if name not in fields:
            raise UserError(unknown_option(name, list(fields), where))
        converted[name] = check_value(fields[name], value, where)
    return converted


def check_value(field: dataclasses.Field, value: Any, where: str = "") -> Any:
    """`value`, text or already of its type, as the type of the option.

    Raises UserError, naming the option, the value and what is allowed.
    """
    kind: click.ParamType = field.metadata["kind"]
    try:
        converted = kind.convert(str(value), None, None)
        if isinstance(converted, float) and not math.isfinite(converted):
            raise click.BadParameter(f"{value} is not a finite number")
        return converted
    except click.BadParameter as error:
        near = _nearest(str(value), getattr(kind, "choices", []))
        raise UserError(f"--{field.name}{where}: {_sentence(error.message, value)}{near}") from error


def _sentence(message: str, value: Any) -> str:
    message = message.rstrip(".")
    return message if repr(str(value)) in message or str(value) in message else f"{value!r}: {message}"


def unknown_option(name: str, known: list[str], where: str = "") -> str:
    """The sentence that refuses an option nobody knows."""
    near = _nearest(name.replace("-", "_"), known, prefix="--")
    return f"--{name}{where} is no option of this stage{near}; --help lists them"


def _nearest(name: str, known: Any, prefix: str = "") -> str:
    matches = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {prefix}{matches[0]}?)" if matches else ""
