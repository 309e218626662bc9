import click
import pytest

from pipeline import config
from pipeline.config.declarations import option


def test_an_option_cannot_be_declared_without_a_group_that_exists():
    with pytest.raises(ValueError, match=r"networks is no group of options; one of .*network"):
        option(1, click.INT, "help", group="networks")
    with pytest.raises(TypeError, match="group"):
        option(1, click.INT, "help")


@pytest.mark.parametrize("stage", config.STAGES)
def test_the_options_of_a_stage_have_groups_of_that_stage(stage):
    fields = {field.name: field.metadata["group"] for field in config.fields_of(config.STAGES[stage])}
    stages = ("evaluate", "predict", "compare", "export", "search", "ablate")
    own = {name: {name} for name in stages} | {"main": {"search"}}
    foreign = {*stages} - own.get(stage, set())
    assert not foreign & set(fields.values())
    assert own.get(stage, set()) <= set(fields.values())


@pytest.mark.parametrize("stage", config.STAGES)
def test_an_option_has_a_default_that_it_would_take(stage):
    for field in config.fields_of(config.STAGES[stage]):
        if field.default is not None:
            assert config.check_value(field, field.default) == field.default
