"""A value as it was typed or written in a file: read, checked and converted."""

import dataclasses
import difflib
import math
from collections.abc import Mapping
from typing import Any

import click

from pipeline.config.declarations import Config, Values, fields_of
from pipeline.errors import LONGEST_SHOWN, UserError, shown, without_password

# Larger ones are no fraction of anything that an option counts, and hundreds of digits are no good sentence.
LARGEST_WHOLE = 1e15


def options_in(content: Any, where: str) -> Values:
    """The content of a YAML file, if it is 'name: value' lines. Raises UserError if it is anything else."""
    if not isinstance(content, dict):
        raise UserError(f"{where} holds no options; one 'name: value' a line is expected")
    return content


def checked(kind: type[Config], values: Mapping[str, Any], where: str) -> Values:
    """The given values converted to their types; those not given (None or "") are left out.

    Raises UserError if a value is refused, or is of no option of `kind`.
    """
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
    return convert(field.metadata["kind"], value, f"--{field.name}{where}")


def convert(kind: click.ParamType, value: Any, name: str) -> Any:
    """`value`, text or already of its type, as `kind` has it; a number is finite.

    Raises UserError, with `name`, the value and what is allowed.
    """
    if value is None or isinstance(value, list | dict):
        raise UserError(f"{name}: one value is expected, not {shown(repr(value))}")
    try:
        converted = kind.convert(_spelled(kind, str(value)), None, None)
        if isinstance(converted, float) and not math.isfinite(converted):
            raise click.BadParameter(f"{value} is not a finite number")
        return converted
    except click.BadParameter as error:
        near = _nearest(shown(str(value)), getattr(kind, "choices", []))
        raise UserError(without_password(f"{name}: {_sentence(error.message, str(value))}{near}")) from None


def _spelled(kind: click.ParamType, text: str) -> str:
    """`text` in the spelling that `kind` takes: YAML's true and false where it says yes and no, 1e2 as 100."""
    if isinstance(kind, click.Choice) and {"yes", "no"} <= set(kind.choices):
        return {"true": "yes", "false": "no"}.get(text.lower(), text)
    return _whole(text) if isinstance(kind, click.IntRange) else text


def _whole(text: str) -> str:
    """A whole number without its fraction or exponent; anything else as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    if text.strip().isdecimal() or not number.is_integer() or abs(number) > LARGEST_WHOLE:
        return text
    return str(int(number))


def _sentence(message: str, text: str) -> str:
    """What click says of a value, with the value in it, which may be long."""
    message, short = message.rstrip("."), text
    if len(text) > LONGEST_SHOWN:
        short = shown(text)
        message = message.replace(text, short)
    return message if repr(short) in message or short in message else f"{short!r}: {message}"


def unknown_option(name: str, known: list[str], where: str = "") -> str:
    """The sentence that refuses an option nobody knows."""
    name = shown(name)
    near = _of_initials(name, known) or _nearest(name.replace("-", "_"), known, prefix="--")
    return f"--{name}{where} is no option of this stage{near}; --help lists them"


def _of_initials(name: str, known: list[str]) -> str:
    """The suggestion for lr, bs and the like."""
    meant = [each for each in known if "_" in each and "".join(word[:1] for word in each.split("_")) == name]
    return f" (did you mean --{meant[0]}?)" if len(meant) == 1 else ""


def _nearest(name: str, known: Any, prefix: str = "") -> str:
    matches = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {prefix}{matches[0]}?)" if matches else ""
