import pytest
from hypothesis import given
from hypothesis import strategies as st
from resolved import resolve

from pipeline.errors import UserError


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"dropout": "1.5"}, ["--dropout", "1.5", "0<=x<=0.95"]),
        ({"epochs": "0"}, ["--epochs", "0", "1<=x<=100000"]),
        ({"epochs": "2.5"}, ["--epochs", "2.5", "integer"]),
        ({"learning_rate": "fast"}, ["--learning_rate", "fast", "float"]),
        ({"learning_rate": "nan"}, ["--learning_rate", "nan"]),
        ({"model": "resnt"}, ["--model", "resnt", "lenet", "did you mean resnet?"]),
        ({"preset": "refrence"}, ["--preset", "refrence", "did you mean reference?"]),
        ({"deterministic": "maybe"}, ["--deterministic", "maybe", "boolean"]),
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
    file = tmp_path / "mine.yaml"
    file.write_text("dropout: 2\n")
    with pytest.raises(UserError, match=r"--dropout in .*mine.yaml: .*0<=x<=0.95"):
        resolve(typed={"config": str(file)})
    file.write_text("drop_out: 0.2\n")
    with pytest.raises(UserError, match=r"--drop_out in .*did you mean --dropout"):
        resolve(typed={"config": str(file)})
    file.write_text("- 1\n")
    with pytest.raises(UserError, match="holds no options"):
        resolve(typed={"config": str(file)})


@given(st.floats(min_value=0, max_value=0.95, allow_nan=False))
def test_every_dropout_in_range_is_taken_as_typed(value):
    assert resolve(typed={"dropout": repr(value)}).dropout == value
