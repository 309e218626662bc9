"""python -m pipeline STAGE --option value ...

Reads the command line, runs one stage and turns its end into an exit code. Imports a stage only when it is called.
"""

import contextlib
import importlib
import sys
from typing import Any

import click

from pipeline import config, locks, process
from pipeline.errors import (
    EXIT_DONE,
    EXIT_FAILED,
    RefusedError,
    ServerGoneError,
    UserError,
    disk_full,
    exit_code,
    hide_passwords,
    redacted,
)
from pipeline.help import command_line


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
    if typed.get("data") == "" and stage != "predict":
        print("data is empty, which means the built-in images: glyphs")
    resolved = config.resolve(
        stage, typed, recipe_of=_recipe_of, config_of_run=_config_of_run, trial_budget_of=_trial_budget_of
    )
    if resolved.workdir == config.USER_WORKDIR:
        print(f"workdir is {resolved.workdir}: this copy of the project is a temporary one")
    if resolved.is_tracked:
        _check_store()
    module = importlib.import_module(f"pipeline.stages.{stage}")
    with locks.at_work(resolved.workdir) if resolved.is_tracked else contextlib.nullcontext():
        getattr(module, stage)(resolved)


def _recipe_of(model: str) -> dict[str, Any]:
    from pipeline import models

    return models.recipe(model)


def _trial_budget_of(model: str) -> dict[str, Any]:
    from pipeline import models

    return models.trial_budget(model)


def _config_of_run(run_id: str) -> dict[str, Any]:
    from pipeline import tracking

    tracking.check_store()
    return tracking.config_of(run_id)


def _check_store() -> None:
    from pipeline import tracking

    tracking.check_store()


def main(arguments: list[str]) -> int:
    """Run one stage; returns the exit code."""
    process.stop_on_signals()
    hide_passwords()
    try:
        parsed = parse(arguments)
        if parsed is not None:
            process.stop_with_mlflow_run()
            process.command_begins()
            run(*parsed)
    except (UserError, RefusedError) as error:
        print(f"error: {redacted(str(error))}", file=sys.stderr)
        return exit_code(error)
    except ServerGoneError as error:
        again = "Once it answers, give the same command again: it logs what is done, and does not do it again"
        print(f"error: {error}. {again}", file=sys.stderr)
        return EXIT_FAILED
    except Exception as error:
        if said := disk_full(error):
            print(f"error: {said}", file=sys.stderr)
            return exit_code(error)
        raise
    except BaseException as error:
        print("stopped", file=sys.stderr)
        return exit_code(error)
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
