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

TAG = "tag:yaml.org,2002:"
RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in {f"{TAG}null", f"{TAG}merge"}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
CONSTRUCTORS = {
    tag: construct
    for tag, construct in yaml.SafeLoader.yaml_constructors.items()
    if tag in {f"{TAG}null", f"{TAG}map", f"{TAG}seq", None}
} | {f"{TAG}{name}": yaml.SafeLoader.construct_yaml_str for name in ("str", "bool", "int", "float")}


class TextLoader(yaml.SafeLoader):
    """Loads each value as the text that was written, so that `no` and `1e-2` mean what they mean when they are typed.

    YAML itself takes `no` for false and `1e-2` for a word.
    """

    yaml_implicit_resolvers = RESOLVERS
    yaml_constructors = CONSTRUCTORS

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        mapping = super().construct_mapping(node, deep=deep)
        if None in mapping:
            raise yaml.constructor.ConstructorError(None, None, "no name before a colon", node.start_mark)
        return mapping


class TextDumper(yaml.SafeDumper):
    """Writes text that has line breaks of any kind with escapes: YAML would read them as spaces."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """A text, in double quotes where it needs escapes."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


TextDumper.add_representer(str, TextDumper.represent_text)


def dump_yaml(values: Mapping[str, Any]) -> str:
    """Values as YAML that `parse_yaml` reads back."""
    return yaml.dump(dict(values), Dumper=TextDumper, sort_keys=False, allow_unicode=True)


def parse_yaml(text: str, where: str) -> Any:
    """What YAML text holds: mappings with text as keys, lists, None, and each other value as the text that was written.

    where: what holds the text, for the error. Raises UserError if it is no YAML.
    """
    try:
        return yaml.load(text, Loader=TextLoader)
    # PyYAML lets the latter three through, for characters that do not exist and for lists in lists in lists.
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise UserError(f"{where} is no YAML file: {' '.join(str(error).split())}") from error


def read_yaml(path: Path) -> Any:
    """What a YAML file holds, as `parse_yaml` says. Raises UserError if it cannot be read or is none."""
    where = str(path.absolute())
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is no YAML file: {error}") from error
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror}") from error
    return parse_yaml(text, where)


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
        raise UserError(f"{name}: one value is expected, not {value!r}")
    try:
        converted = kind.convert(_spelled(kind, str(value)), None, None)
        if isinstance(converted, float) and not math.isfinite(converted):
            raise click.BadParameter(f"{value} is not a finite number")
        return converted
    except click.BadParameter as error:
        near = _nearest(str(value), getattr(kind, "choices", []))
        raise UserError(f"{name}: {_sentence(error.message, value)}{near}") from error


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
    return text if text.strip().isdecimal() or not number.is_integer() else str(int(number))


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
