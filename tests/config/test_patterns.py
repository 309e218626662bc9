import pytest

from pipeline import config
from pipeline.errors import UserError


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("(", "'(' is no regular expression: missing )"),
        (r"\d+", "has 0 groups; exactly one pair of parentheses"),
        (r"(\d)_(\d)", "has 2 groups"),
    ],
)
def test_a_pattern_that_cannot_name_groups_is_refused(typed, said):
    with pytest.raises(UserError) as refused:
        config.checked(config.PreprocessConfig, {"group_pattern": typed}, "")
    assert str(refused.value).startswith("--group_pattern: ")
    assert said in str(refused.value)


def test_a_pattern_of_one_group_is_taken_as_it_is():
    typed = r"(?:a|b)/([^/]*\d)_\d+"
    assert config.checked(config.PreprocessConfig, {"group_pattern": typed}, "") == {"group_pattern": typed}
