"""python -m pipeline STAGE --option value ...

Reads the command line, runs one stage and turns its end into an exit code. Imports a stage only when it is called.
"""

import importlib
import sys
from typing import Any

import click

from pipeline import config, models_help, process
from pipeline.errors import EXIT_DONE, EXIT_USER_ERROR, UserError, exit_code


def command_line() -> click.Group:
    """The command line of all stages. Called, it returns (stage, typed values by option name) and runs nothing."""
    group = click.Group("pipeline", help=importlib.import_module("pipeline").__doc__, no_args_is_help=True)
    for stage, kind in config.STAGES.items():
        group.add_command(_command(stage, kind))
    return group


def _command(stage: str, kind: type[config.Config]) -> click.Command:
    return click.Command(
        stage,
        params=[_option(field) for field in config.fields_of(kind)],
        callback=lambda **typed: (stage, typed),
        help=kind.__doc__,
        epilog=models_help.text() if issubclass(kind, config.TrainConfig) else None,
        context_settings={"max_content_width": 110},
    )


def _option(field: Any) -> click.Option:
    kind: click.ParamType = field.metadata["kind"]
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    shown = field.metadata["shown_default"] or default
    default = f" [default: {shown}]" if shown is not None else ""
    # Values stay text here: config.resolve converts what was typed and what a file holds in one place.
    return click.Option(
        [f"--{field.name}"], type=click.STRING, metavar=_metavar(kind), help=field.metadata["help"] + default
    )


def _metavar(kind: click.ParamType) -> str:
    if isinstance(kind, click.Choice):
        return f"[{'|'.join(getattr(kind, 'shown', kind.choices))}]"
    if isinstance(kind, click.IntRange | click.FloatRange):
        return kind._describe_range()
    return {"boolean": "[true|false]"}.get(kind.name, kind.name.upper())


def parse(arguments: list[str]) -> tuple[str, dict[str, Any]] | None:
    """The stage and the typed values, or None if help was asked for (and printed).

    Raises UserError if the command line does not say a stage and options it has.
    """
    try:
        parsed = command_line().main(arguments, prog_name="python -m pipeline", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        raise UserError("no stage is given; one of " + ", ".join(config.STAGES)) from error
    except click.NoSuchOption as error:
        known = [parameter.name or "" for parameter in error.ctx.command.params] if error.ctx else []
        raise UserError(config.unknown_option(error.option_name.lstrip("-"), known)) from error
    except click.UsageError as error:
        raise UserError(error.format_message().rstrip(".")) from error
    return parsed if isinstance(parsed, tuple) else None


def run(stage: str, typed: dict[str, Any]) -> None:
    """Resolve the options and run the stage."""
    resolved = config.resolve(
        stage, typed, recipe_of=_recipe_of, config_of_run=_config_of_run, trial_budget_of=_trial_budget_of
    )
    module = importlib.import_module(f"pipeline.stages.{stage}")
    getattr(module, stage)(resolved)


def _recipe_of(model: str) -> dict[str, Any]:
    from pipeline import models

    return models.recipe(model)


def _trial_budget_of(model: str) -> dict[str, Any]:
    from pipeline import models

    return models.trial_budget(model)


def _config_of_run(run_id: str) -> dict[str, Any]:
    from pipeline import tracking

    return tracking.config_of(run_id)


def main(arguments: list[str]) -> int:
    """Run one stage; returns the exit code."""
    process.stop_on_signals()
    try:
        parsed = parse(arguments)
        if parsed is not None:
            process.stop_with_mlflow_run()
            run(*parsed)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except Exception:
        raise
    except BaseException as error:
        print("stopped", file=sys.stderr)
        return exit_code(error)
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
