"""Options as a stage gets them, with a recipe and a run that a test makes up."""

from pipeline import config


def resolve(stage="train", typed=None, recipe=None, run_config=None):
    return config.resolve(
        stage, typed or {}, recipe_of=lambda model: dict(recipe or {}), config_of_run=lambda run: dict(run_config or {})
    )
