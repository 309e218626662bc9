"""A YAML file of any size or nesting is read, or refused in one sentence within a second."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from resolved import resolve

from pipeline import config
from pipeline.config.yaml_files import MOST_BYTES, MOST_LEVELS, MOST_VALUES
from pipeline.errors import UserError

ALIASES = [f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 9)]
MERGED = [f"a{level}: &a{level} {{<<: [{','.join([f'*a{level - 1}'] * 9)}]}}" for level in range(1, 9)]

ENDLESS = {
    "aliases of aliases": "\n".join(["a0: &a0 [x, x]", *ALIASES, "learning_rate: *a8"]),
    "merges of merges": "\n".join(["a0: &a0 {x: y}", *MERGED]),
    "a list in itself": "learning_rate: &a [*a]",
    "a mapping in itself": "&a {learning_rate: 1, depth: *a}",
    "brackets": "learning_rate: " + "[" * 3000,
    "closed brackets": "learning_rate: " + "[" * 3000 + "]" * 3000,
    "dashes": "- " * 3000 + "x",
    "indented mappings": "\n".join(" " * level + "a:" for level in range(600)),
    "values": "learning_rate: [" + "1," * 90_000 + "]",
    "lines": "".join(f"option_{number}: 1\n" for number in range(500_000)),
    "a long word": "data: " + "x" * 5_000_000,
    "a long name": "? " + "x" * 150_000 + "\n: 1",
    "digits": "epochs: " + "9" * 5000,
    "more digits": "epochs: 1e300",
    "a long number": "learning_rate: " + "9" * 150_000,
    "a long choice": "optimizer: " + "s" * 150_000,
    "a long list": "learning_rate: [" + "x" * 150_000 + "]",
    "quotes": "data: '" + "''" * 90_000,
    "comments": "#" * 190_000 + "\n[",
    "anchors": "".join(f"- &a{number}\n" for number in range(20_000)),
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_would_take_for_ever_is_refused_in_a_short_sentence_within_a_second(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    started = time.process_time()
    with pytest.raises(UserError) as refused:
        resolve(typed={"config": str(tmp_path / "mine.yaml")})
    assert time.process_time() - started < 1
    assert "mine.yaml" in str(refused.value)
    assert len(str(refused.value)) < 1000 + len(str(tmp_path))
    assert str(refused.value).isprintable()


def test_a_file_that_never_ends_is_refused(tmp_path):
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    with pytest.raises(UserError, match="is longer than the 200,000 bytes"):
        config.read_yaml(tmp_path / "endless.yaml")


def test_as_much_as_is_said_can_be_read(tmp_path):
    assert len(config.parse_yaml("\n".join(["- x"] * (MOST_VALUES - 1)), "a file")) == MOST_VALUES - 1
    assert config.parse_yaml("[" * MOST_LEVELS + "]" * MOST_LEVELS, "a file")
    assert config.parse_yaml("x" * MOST_BYTES, "a file")
    (tmp_path / "wide.yaml").write_text("é" * (MOST_BYTES // 2), encoding="utf-8")
    assert len(config.read_yaml(tmp_path / "wide.yaml")) == MOST_BYTES // 2
    (tmp_path / "wide.yaml").write_text("é" * (MOST_BYTES // 2 + 1), encoding="utf-8")
    with pytest.raises(UserError, match="is longer"):
        config.read_yaml(tmp_path / "wide.yaml")
    # What is the text of a date, of no number or of a truth to YAML is text here.
    text = "a: 2024-13-45\nb: .inf\nc: .nan\nd: 0x_\ne: 12:99:99\nf: true\n1: =\n"
    assert config.parse_yaml(text, "a file") == yaml.load(text, Loader=yaml.BaseLoader)


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes() | st.binary()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_whatever_another_program_writes_is_text_or_refused(value):
    written = yaml.safe_dump(value, allow_unicode=True)
    try:
        assert only_text(config.parse_yaml(written, "a file"))
    except UserError as error:
        assert str(error).startswith("a file is no YAML file: ")
        assert str(error).isprintable()


def only_text(content):
    if isinstance(content, dict):
        return all(isinstance(key, str) and only_text(value) for key, value in content.items())
    if isinstance(content, list):
        return all(map(only_text, content))
    return content is None or isinstance(content, str)


NAMES = st.sampled_from([field.name for field in config.fields_of(config.TrainConfig)]) | SCALARS


@given(st.dictionaries(NAMES, VALUES, max_size=5) | VALUES)
def test_any_file_of_options_is_taken_or_refused_in_a_sentence(content):
    text = yaml.safe_dump(content)
    try:
        options = config.options_in(config.parse_yaml(text, "a file"), "a file")
        assert set(config.checked(config.TrainConfig, options, " in a file")) <= set(options)
    except UserError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 2000
