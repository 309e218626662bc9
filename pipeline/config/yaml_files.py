"""YAML as this project reads and writes it: every value is text, and what it takes to read it is bounded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from pipeline.errors import UserError, shown

# What is read within a second on one core. A list of a thousand configurations has fewer values.
MOST_BYTES = 200_000
MOST_VALUES = 10_000
MOST_LEVELS = 20

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

    YAML itself takes `no` for false and `1e-2` for a word. Aliases (`*name`) count as the values that they stand for: a
    few lines of aliases to aliases stand for billions.
    """

    yaml_implicit_resolvers = RESOLVERS
    yaml_constructors = CONSTRUCTORS

    def __init__(self, stream: str):
        super().__init__(stream)
        self.levels = 0
        self.values = 0
        self.values_in: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        is_alias = self.check_event(yaml.AliasEvent)
        if self.levels > MOST_LEVELS:
            self._refuse(f"more than {MOST_LEVELS} levels")
        self.levels += 1
        before = self.values
        node = super().compose_node(parent, index)
        assert node is not None
        self.levels -= 1
        if is_alias:
            if node not in self.values_in:
                self._refuse("a value that holds itself")
            self.values += self.values_in[node]
        else:
            self.values += 1
            self.values_in[node] = self.values - before
        if self.values > MOST_VALUES:
            self._refuse(f"more than {MOST_VALUES:,} values")
        return node

    def _refuse(self, problem: str) -> NoReturn:
        raise yaml.composer.ComposerError(None, None, problem, self.get_mark())

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

    where: what holds the text, for the error. Raises UserError if it is no YAML, or too much of it.
    """
    _check_length(len(text), where)
    try:
        return yaml.load(text, Loader=TextLoader)
    # PyYAML lets the latter two through, for characters that do not exist.
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise UserError(f"{where} is no YAML file: {shown(' '.join(str(error).split()))}") from error


def read_yaml(path: Path) -> Any:
    """What a YAML file holds, as `parse_yaml` says. Raises UserError if it cannot be read or is none."""
    where = shown(str(path.absolute()))
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        _check_length(len(content), where)
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is no YAML file: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror}") from error
    return parse_yaml(text, where)


def _check_length(length: int, where: str) -> None:
    if length > MOST_BYTES:
        raise UserError(f"{where} is longer than the {MOST_BYTES:,} bytes that are read of a YAML file")
