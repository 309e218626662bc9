"""The command line and its help: what is said of the stages, of each option and of the models."""

import ast
import dataclasses
import functools
from pathlib import Path
from typing import Any

import click

import pipeline
from pipeline.config import (
    GROUPS,
    HEADINGS,
    MODELS,
    PACKAGE,
    STAGES,
    Config,
    SearchConfig,
    TrainConfig,
    fields_of,
)

WIDTH = 110
STAGES_END = """\
python -m pipeline STAGE --help lists the options of a stage.

Example: python -m pipeline train --data ~/photos --epochs 20"""
APPLICATION = "a class of keras.applications"
APPLICATION_HELP = """Such as MobileNetV2 or EfficientNetV2B0, with a new last layer.

dropout: rate before that layer. depth and width are the architecture's own."""

# What a decorator of a builder adds to its recipe.
ADDED = {"numpy_model": {"precision": "float32"}}


class StagesCommand(click.Group):
    """All stages, in the order of work, each with the whole of what it does."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Stages"):
            formatter.write_dl([(stage, _summary(command)) for stage, command in self.commands.items()])


class StageCommand(click.Command):
    """One stage: its help has the options under headings, and what the models make of them."""

    def __init__(self, stage: str, kind: type[Config]) -> None:
        super().__init__(
            stage,
            # Values stay text here: config.resolve converts what was typed and what a file holds in one place.
            params=[_option(field) for field in fields_of(kind)],
            callback=lambda **typed: (stage, typed),
            help=kind.__doc__,
            context_settings={"max_content_width": WIDTH},
        )
        self.kind = kind

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading in HEADINGS:
            rows = [_row(self.kind, field) for field in fields_of(self.kind) if _heading(field) == heading]
            if heading == HEADINGS[-1] and (shown := self.get_help_option(ctx)):
                rows.append(shown.get_help_record(ctx) or ("", ""))
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if issubclass(self.kind, TrainConfig):
            with formatter.section("Models and their recipes"):
                _write_models(formatter, searched=issubclass(self.kind, SearchConfig))


def command_line() -> click.Group:
    """The command line of all stages. Called, it returns (stage, typed values by option name) and runs nothing."""
    return StagesCommand(
        "pipeline",
        commands=[StageCommand(stage, kind) for stage, kind in STAGES.items()],
        help=pipeline.__doc__,
        epilog=STAGES_END,
        subcommand_metavar="STAGE [--OPTION VALUE]...",
        no_args_is_help=True,
        context_settings={"max_content_width": WIDTH},
    )


def _option(field: dataclasses.Field) -> click.Option:
    """An option on the command line; one that is true or false may stand there without a value, which means true."""
    if field.metadata["kind"] is click.BOOL:
        return click.Option([f"--{field.name}"], type=click.STRING, is_flag=False, flag_value="true")
    return click.Option([f"--{field.name}"], type=click.STRING)


def _summary(command: click.Command) -> str:
    """The first paragraph of what a stage does."""
    return (command.help or "").partition("\n\n")[0]


def _heading(field: dataclasses.Field) -> str:
    return GROUPS[field.metadata["group"]].heading


def _row(kind: type[Config], field: dataclasses.Field) -> tuple[str, str]:
    default = _default(kind, field)
    shown = "" if default is None else f" [default: {default}]"
    return f"--{field.name} {_metavar(field.metadata['kind'])}", field.metadata["help"] + shown


def _default(kind: type[Config], field: dataclasses.Field) -> str | None:
    """What the stage takes where the option is not given, in words; None if that is nothing."""
    default = None if field.default is None else _shown(field.default)
    if words := field.metadata["shown_default"] or kind.shown_defaults.get(field.metadata["group"]):
        return words.format(default=default)
    if issubclass(kind, TrainConfig) and field.name in _named_by_recipes():
        return "the model's recipe" if default is None else f"the model's recipe, else {default}"
    return default


def _metavar(kind: click.ParamType) -> str:
    if isinstance(kind, click.Choice):
        return f"[{'|'.join(getattr(kind, 'shown', kind.choices))}]"
    if isinstance(kind, click.IntRange | click.FloatRange):
        return kind._describe_range()
    return {"boolean": "[true|false]"}.get(kind.name, kind.name.upper())


def _write_models(formatter: click.HelpFormatter, searched: bool) -> None:
    for name, builder in _builders().items():
        summary, _, details = builder.help.partition("\n\n")
        formatter.write_text(f"{name}: {summary}")
        with formatter.indentation():
            formatter.write_text(" ".join(details.split()))
            formatter.write_text(f"recipe: {_listed(builder.recipe)}")
            if builder.few_images:
                formatter.write_text(f"few images: {builder.few_images}")
            if searched and builder.search:
                formatter.write_text(f"search: {_listed(builder.search)}")


@dataclasses.dataclass(frozen=True)
class Builder:
    """What a model's file says of itself.

    help: a docstring. recipe, search: option -> value as it is shown. few_images: what it says of few training images.
    """

    help: str
    recipe: dict[str, str]
    search: dict[str, str]
    few_images: str = ""


@functools.cache
def _builders() -> dict[str, Builder]:
    """Each model's builder, and that of keras.applications, read from their files: importing them imports Keras."""
    folder = PACKAGE / "models"
    own = {name: name.replace("-", "_") for name in MODELS}
    builders = {name: _builder(folder / "architectures" / f"{function}.py", function) for name, function in own.items()}
    application = _builder(folder / "networks" / "keras_application.py", "build")
    whole = builders | {APPLICATION: dataclasses.replace(application, help=APPLICATION_HELP)}
    return {name: builder for name, builder in whole.items() if builder.help}


def _builder(path: Path, function: str) -> Builder:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))
    found = ((node, call) for node in functions if node.name == function for call in node.decorator_list)
    node, decorator = next(((node, call) for node, call in found if isinstance(call, ast.Call)), (None, None))
    if node is None or decorator is None:
        # What is asked for this model says what is missing in its file.
        return Builder("", {}, {})
    given = {word.arg: word.value for word in decorator.keywords}
    recipe, search = (_keywords(given.get(name)) for name in ("recipe", "search"))
    added = ADDED.get(ast.unparse(decorator.func), {})
    few_images = _first_paragraph(tree, given.get("few_images"))
    return Builder(ast.get_docstring(node) or "", recipe | added | _hyperparameters(node), search, few_images)


def _first_paragraph(tree: ast.Module, name: ast.expr | None) -> str:
    """How the docstring of a function in a module begins, as a part of a sentence; nothing if there is none."""
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    said = [ast.get_docstring(each) or "" for each in functions if isinstance(name, ast.Name) and each.name == name.id]
    line = " ".join("".join(said).partition("\n\n")[0].split())
    return line[:1].lower() + line[1:].rstrip(".")


def _keywords(call: ast.expr | None) -> dict[str, str]:
    """The keyword arguments of a call of dict, each value as it is shown."""
    return {word.arg or "": _shown(_literal(word.value)) for word in getattr(call, "keywords", [])}


def _hyperparameters(function: ast.FunctionDef) -> dict[str, str]:
    """The defaults of those keyword arguments that are options of a network: they belong to its recipe."""
    options = {field.name for field in fields_of(TrainConfig) if field.metadata["group"] == "network"}
    keywords = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return {word.arg: _shown(_literal(value)) for word, value in keywords if value and word.arg in options}


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return ast.unparse(value)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " to ".join(map(_shown, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


@functools.cache
def _named_by_recipes() -> set[str]:
    return {name for builder in _builders().values() for name in builder.recipe}
