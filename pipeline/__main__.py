"""python -m pipeline STAGE --option value ...

Reads the command line, runs one stage and turns its end into an exit code. Imports a stage only when it is called.
"""

import contextlib
import importlib
import sys
from typing import Any

import click

from pipeline import config, locks, process, terminal
from pipeline.errors import (
    EXIT_DONE,
    EXIT_FAILED,
    RefusedError,
    ServerGoneError,
    UserError,
    disk_full,
    exit_code,
    first_line,
    hide_passwords,
    print_error,
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


def run(stage: str, typed: dict[str, Any]) -> Any:
    """Resolve the options and run the stage; returns what it returns: the id of its run, if it is one."""
    if typed.get("data") == "" and stage != "predict":
        print("data is empty, which means the built-in images: glyphs")
    resolved = config.resolve(
        stage,
        typed,
        recipe_of=_recipe_of,
        config_of_run=_config_of_run,
        trial_budget_of=_trial_budget_of,
        following_of=_following_of,
    )
    if resolved.workdir == config.USER_WORKDIR:
        print(f"workdir is {resolved.workdir}: this copy of the project is a temporary one")
    if resolved.is_tracked:
        _check_store()
    module = importlib.import_module(f"pipeline.stages.{stage}")
    with locks.at_work(resolved.workdir) if resolved.is_tracked else contextlib.nullcontext():
        return getattr(module, stage)(resolved)


def _recipe_of(model: str) -> dict[str, Any]:
    from pipeline import models

    return models.recipe(model)


def _trial_budget_of(model: str) -> dict[str, Any]:
    from pipeline import models

    return models.trial_budget(model)


def _following_of(model: str) -> frozenset[str]:
    from pipeline import models

    return models.following(model)


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
    except UserError as error:
        return _failed(error)
    if parsed is None:
        return EXIT_DONE
    stage, typed = parsed
    as_json = _is_on(typed, "json")
    with terminal.printing(_is_on(typed, "quiet"), as_json):
        code, said = _ended(stage, typed, as_json)
    if as_json:
        terminal.print_json({"stage": stage, "exit_code": code, **said})
    return code


def _is_on(typed: dict[str, Any], name: str) -> bool:
    """Whether an option that is true or false is typed as true; another value is refused where all options are read."""
    with contextlib.suppress(UserError):
        return config.convert(click.BOOL, typed[name] or "false", name)
    return False


def _ended(stage: str, typed: dict[str, Any], as_json: bool) -> tuple[int, dict[str, Any]]:
    """Run the stage to its end, good or bad; returns the exit code, and what there is to say to a program."""
    try:
        process.stop_with_mlflow_run()
        result = run(stage, typed)
        return EXIT_DONE, _described(stage, result) if as_json else {}
    except BaseException as error:
        return _failed(error), {"error": first_line(error)}


def _described(stage: str, result: Any) -> dict[str, Any]:
    if not config.STAGES[stage].is_tracked:
        return result
    from pipeline.tracked.outcome import outcome

    return outcome(result)


def _failed(error: BaseException) -> int:
    """Print why the command ends; returns its exit code."""
    if isinstance(error, UserError | RefusedError):
        said = redacted(str(error))
    elif isinstance(error, ServerGoneError):
        said = f"{error}. Once it answers, give the same command again: it logs what is done, and does not do it again"
    elif not isinstance(error, Exception):
        print("stopped", file=sys.stderr)
        return exit_code(error)
    elif full := disk_full(error):
        said = full
    else:
        print_error(error)
        return EXIT_FAILED
    print(f"error: {said}", file=sys.stderr)
    return exit_code(error)


if __name__ == "__main__":
    process.command_begins()
    sys.exit(main(sys.argv[1:]))
