import math
import re

import click
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from resolved import resolve

from pipeline import config
from pipeline.config.devices import AUTO, DevicesType
from pipeline.config.folds import FoldsType
from pipeline.errors import UserError

FIELDS = {field.name: field for field in config.fields_of(config.TrainConfig)}
CHOICES = {name: field.metadata["kind"] for name, field in FIELDS.items() if hasattr(field.metadata["kind"], "choices")}


def from_file(tmp_path, text):
    """The options of a training whose config file holds `text`."""
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    return resolve(typed={"config": str(tmp_path / "mine.yaml")})


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"dropout": "1.5"}, ["--dropout", "1.5", "0<=x<=0.95"]),
        ({"epochs": "0"}, ["--epochs", "0", "1<=x<=100000"]),
        ({"epochs": "2.5"}, ["--epochs", "2.5", "integer"]),
        ({"epochs": "1e6"}, ["--epochs", "1e6", "1<=x<=100000"]),
        ({"epochs": "inf"}, ["--epochs", "inf", "integer"]),
        ({"epochs": "true"}, ["--epochs", "true", "integer"]),
        ({"learning_rate": "fast"}, ["--learning_rate", "fast", "float"]),
        ({"learning_rate": "nan"}, ["--learning_rate", "nan"]),
        ({"learning_rate": ["0.1"]}, ["--learning_rate", "one value is expected", "0.1"]),
        ({"model": "resnt"}, ["--model", "resnt", "lenet", "did you mean resnet?"]),
        ({"preset": "refrence"}, ["--preset", "refrence", "did you mean reference?"]),
        ({"deterministic": "maybe"}, ["--deterministic", "maybe", "boolean"]),
        ({"mirror": "maybe"}, ["--mirror", "maybe", "'auto', 'yes', 'no'"]),
        ({"augment": "false"}, ["--augment", "false", "'none', 'flip'"]),
        ({"learnin_rate": "1"}, ["--learnin_rate", "did you mean --learning_rate?"]),
        ({"config": "/nowhere/config.yaml"}, ["/nowhere/config.yaml"]),
    ],
)
def test_a_refusal_names_option_value_and_what_is_allowed(typed, words):
    with pytest.raises(UserError) as refusal:
        resolve(typed=typed)
    message = str(refusal.value)
    assert all(word in message for word in words), message
    assert "\n" not in message


def test_a_value_in_a_file_is_checked_as_a_typed_one(tmp_path):
    with pytest.raises(UserError, match=r"--dropout in .*mine.yaml: .*0<=x<=0.95"):
        from_file(tmp_path, "dropout: 2\n")
    with pytest.raises(UserError, match=r"--drop_out in .*did you mean --dropout"):
        from_file(tmp_path, "drop_out: 0.2\n")
    with pytest.raises(UserError, match="holds no options"):
        from_file(tmp_path, "- 1\n")


@given(st.floats(min_value=0, max_value=0.95, allow_nan=False))
def test_every_dropout_in_range_is_taken_as_typed(value):
    assert resolve(typed={"dropout": repr(value)}).dropout == value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("mirror", "no", "no"),
        ("mirror", "yes", "yes"),
        ("mirror", "false", "no"),
        ("mirror", "True", "yes"),
        ("mirror", "'no'", "no"),
        ("deterministic", "no", False),
        ("deterministic", "on", True),
        ("epochs", "1.0", 1),
        ("epochs", "1e2", 100),
        ("epochs", "007", 7),
        ("seed", "4294967295", 2**32 - 1),
        ("learning_rate", "1e-2", 0.01),
        ("learning_rate", "1", 1.0),
        ("learning_rate", "!!float 0.5", 0.5),
        ("data", "2024-01-31", "2024-01-31"),
        ("data", "007", "007"),
        ("data", "1:30", "1:30"),
        ("data", "yes", "yes"),
    ],
)
def test_a_value_in_a_file_is_what_it_would_be_if_it_were_typed(tmp_path, name, text, value):
    taken = getattr(from_file(tmp_path, f"{name}: {text}\n"), name)
    assert (taken, type(taken)) == (value, type(value))
    if text.isalnum():
        assert getattr(resolve(typed={name: text}), name) == value


@given(st.sampled_from(sorted(FIELDS)), st.text(st.characters(codec="ascii", categories=["L", "N", "P"])))
def test_a_plain_word_in_a_file_is_converted_or_refused_as_a_typed_one(name, word):
    loaded = parse(f"{name}: {word}\n")
    if loaded == {name: word}:
        assert outcome(name, loaded[name]) == outcome(name, word)
        assert outcome(name, word) == outcome(name, parse(yaml.safe_dump({name: word}))[name])


def parse(text):
    try:
        return config.parse_yaml(text, "a file")
    except UserError:
        return None


def outcome(name, value):
    try:
        return config.check_value(FIELDS[name], value)
    except UserError as error:
        return str(error)


@pytest.mark.parametrize("text", ["dropout: ~\n", "dropout: null\n", "dropout:\n", "dropout: ''\n"])
def test_nothing_in_a_file_means_not_given(tmp_path, text):
    assert not from_file(tmp_path, text).given & {"dropout"}


def test_lines_that_several_mappings_share_can_be_merged():
    text = "- &shared {epochs: 3}\n- {<<: *shared, depth: 2}\n"
    assert parse(text) == [{"epochs": "3"}, {"epochs": "3", "depth": "2"}]


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "~: 3",
        ": 3",
        "[a]: 3",
        "{a: b}: 3",
        "a: !!int [1]",
        "a: !!python/object:os.system {}",
        "a: !!timestamp x",
        'a: "\\UFFFFFFFF"',
        "[" * 10_000,
        "a: 1\n---\nb: 2",
        "a: \x00",
    ],
)
def test_what_is_no_yaml_of_ours_is_refused_in_one_sentence(tmp_path, text):
    with pytest.raises(UserError, match=r"mine\.yaml is no YAML file: .") as refused:
        from_file(tmp_path, text)
    assert "\n" not in str(refused.value)


@given(st.text(st.characters(codec="utf-8")) | st.text("{}[]:,&*!?-|>'\"%@#~ \nab1.<="))
def test_any_text_is_yaml_or_refused(text):
    assert only_text(parse(text))


def only_text(content):
    if isinstance(content, dict):
        return all(isinstance(key, str) and only_text(value) for key, value in content.items())
    if isinstance(content, list):
        return all(map(only_text, content))
    return content is None or isinstance(content, str)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"data: caf\xe9")
    with pytest.raises(UserError, match=r"latin\.yaml is no YAML file"):
        config.read_yaml(tmp_path / "latin.yaml")
    with pytest.raises(UserError, match=r"cannot be read: Is a directory"):
        config.read_yaml(tmp_path)


def values_of(name):
    """What an option may hold: for hypothesis."""
    kind = FIELDS[name].metadata["kind"]
    if name in CHOICES:
        values = st.sampled_from(list(kind.choices))
    elif name == "group_pattern":
        values = st.text().map(lambda text: f"({re.escape(text)})")
    elif isinstance(kind, DevicesType):
        values = st.just(AUTO) | st.integers(1, 64)
    elif isinstance(kind, FoldsType):
        values = st.just(0) | st.integers(2, kind.max)
    elif isinstance(kind, click.IntRange):
        values = st.integers(kind.min, kind.max)
    elif isinstance(kind, click.FloatRange):
        values = st.floats(kind.min, kind.max, exclude_min=kind.min_open, exclude_max=kind.max_open)
    else:
        values = st.booleans() if kind is click.BOOL else st.text(min_size=1)
    return values | st.none() if FIELDS[name].default is None else values


LOGGED = {name: values_of(name) for name, field in FIELDS.items() if field.metadata["identifies"]}


@given(st.fixed_dictionaries({}, optional=LOGGED))
def test_a_config_that_was_logged_comes_back_as_it_was(values):
    logged = config.dump_yaml(values)
    read = config.checked(config.TrainConfig, config.parse_yaml(logged, "config.yaml"), "")
    expected = {name: value for name, value in values.items() if value is not None}
    assert read == expected
    assert list(map(type, read.values())) == list(map(type, expected.values()))


@given(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6))
def test_a_whole_number_is_an_integer_however_it_is_written(whole, number):
    kind = click.IntRange()
    for text in (str(whole), f"{whole}.0", f"{whole:e}", f" {whole} "):
        assert config.convert(kind, text, "--epochs") == whole
    if number != math.floor(number):
        with pytest.raises(UserError, match="integer"):
            config.convert(kind, repr(number), "--epochs")
