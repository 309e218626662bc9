"""What a study searches: for each option, the values that it may take."""

import dataclasses
from pathlib import Path
from typing import Any

import click
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from pipeline.config import (
    SearchConfig,
    TrainConfig,
    Values,
    check_value,
    convert,
    fields_of,
    read_yaml,
    unknown_option,
)
from pipeline.errors import UserError, shown
from pipeline.paths import is_file, path_of

Space = dict[str, BaseDistribution]

CORE = ("learning_rate", "dropout", "depth")
LEARNING_RATE_FACTOR = 10.0
MAX_DROPOUT = 0.6
MAX_LABEL_SMOOTHING = 0.2
MIN_CROP_AREA = 0.2
WEIGHT_DECAY_FACTOR = 10.0
MAX_WEIGHT_DECAY = 0.01
STEP_TOLERANCE = 1e-9
# Optuna counts steps in decimal numbers of 28 digits.
MOST_STEPS = 1_000_000

FIXED = {
    field.name: field.metadata["unsearchable"] for field in fields_of(TrainConfig) if field.metadata["unsearchable"]
}


def space_of(config: SearchConfig, ranges: dict[str, tuple[int, int]]) -> Space:
    """The space that `config.space` names: core, wide, or the file of ranges at that path.

    ranges: the lowest and highest depth and width that the model thinks worth a trial; without them, half to twice
    its own. Raises UserError if the file is not what it should be.
    """
    if config.space == "core":
        return _core(config, ranges)
    if config.space == "wide":
        return _core(config, ranges) | _wide(config, ranges)
    return _from_file(config.space)


def _core(config: SearchConfig, ranges: dict[str, tuple[int, int]]) -> Space:
    rate = config.learning_rate
    space: Space = {
        "learning_rate": FloatDistribution(rate / LEARNING_RATE_FACTOR, rate * LEARNING_RATE_FACTOR, log=True),
    }
    # Some networks leave no choice of dropout, of depth, or of width.
    if config.dropout is not None:
        space["dropout"] = FloatDistribution(0.0, MAX_DROPOUT)
    if config.depth is not None:
        space["depth"] = IntDistribution(*ranges.get("depth", _around(config.depth)))
    return space


def _wide(config: SearchConfig, ranges: dict[str, tuple[int, int]]) -> Space:
    lowest, highest = ranges.get("width", _around(config.width))
    # Processors like channels in multiples of 16.
    step = 16 if lowest % 16 == 0 and highest % 16 == 0 else 1
    batch_sizes = sorted({max(1, config.batch_size // 2), config.batch_size, config.batch_size * 2})
    strength: Space = (
        {"min_crop_area": FloatDistribution(MIN_CROP_AREA, 1.0)}
        if config.augment == "crop"
        else {"augment": CategoricalDistribution(["none", "flip", "shift", "crop"])}
    )
    width: Space = {} if config.width is None else {"width": IntDistribution(lowest, highest, step=step)}
    return {
        **width,
        **_weight_decay(config),
        "label_smoothing": FloatDistribution(0.0, MAX_LABEL_SMOOTHING),
        "batch_size": CategoricalDistribution(batch_sizes),
    } | strength


def _weight_decay(config: SearchConfig) -> Space:
    decay = config.weight_decay
    if config.optimizer == "adam":  # which has none
        return {}
    if not decay:
        return {"weight_decay": FloatDistribution(0.0, MAX_WEIGHT_DECAY)}
    return {"weight_decay": FloatDistribution(decay / WEIGHT_DECAY_FACTOR, decay * WEIGHT_DECAY_FACTOR, log=True)}


def _around(own: int | None) -> tuple[int, int]:
    own = own or 1
    return max(1, own // 2), own * 2


def _from_file(space: str) -> Space:
    path = path_of(space)
    described = _read(space, f"--space {shown(space)}: neither core nor wide nor a file")
    if not isinstance(described, dict) or not described:
        raise UserError(f"{path} holds no ranges; one 'option: range' a line is expected")
    return {name: _distribution(name, values, path) for name, values in described.items()}


def _read(file: str, missing: str) -> Any:
    if not is_file(file):
        raise UserError(missing)
    return read_yaml(path_of(file))


def _distribution(name: str, described: Any, path: Path) -> BaseDistribution:
    """A list is a choice; a mapping with low and high is a range, with log: true or step if need be."""
    fields = {field.name: field for field in fields_of(TrainConfig)}
    where = f" in {path}"
    if name in FIXED:
        raise UserError(f"--{name}{where} cannot be searched: {FIXED[name]}")
    if name not in fields:
        raise UserError(unknown_option(name, [each for each in fields if each not in FIXED], where))
    if isinstance(described, list) and described:
        return CategoricalDistribution([check_value(fields[name], value, where) for value in described])
    if isinstance(described, dict) and {"low", "high"} <= set(described) <= {"low", "high", "log", "step"}:
        return _range(fields[name], described, where)
    raise UserError(
        f"--{name}{where}: {shown(repr(described))} is no range; a list of values, or 'low' and 'high' with "
        "'log: true' or 'step'"
    )


def _range(field: dataclasses.Field, described: dict[str, Any], where: str) -> BaseDistribution:
    low, high = (check_value(field, described[end], where) for end in ("low", "high"))
    if isinstance(low, bool) or not isinstance(low, int | float):
        raise UserError(f"--{field.name}{where} is no number; give a list of values")
    log = convert(click.BOOL, described.get("log", False), f"--{field.name}{where}, log")
    step = _step(described, high - low, f"--{field.name}{where}, step")
    try:
        if isinstance(low, int):
            return IntDistribution(low, high, log, 1 if step is None else step)
        return FloatDistribution(low, high, log, step)
    except (TypeError, ValueError) as error:
        raise UserError(f"--{field.name}{where}: {str(error).rstrip('.')}") from error


def _step(described: Values, extent: float, name: str) -> Any:
    """The step of a range that is `extent` wide, if it is given: whole where the range is."""
    if "step" not in described:
        return None
    kind = click.IntRange(1) if isinstance(extent, int) else click.FloatRange(0, min_open=True)
    step = convert(kind, described["step"], name)
    if step > extent > 0:
        raise UserError(f"{name}: {step} is more than the whole range")
    if extent / step > MOST_STEPS:
        raise UserError(f"{name}: {step} divides the range into more than {MOST_STEPS:,} steps; leave it out")
    return step


def ends_of(space: Space) -> list[Values]:
    """The configuration of the lowest (or first) values of all options, and that of the highest (or last) ones."""
    ends: tuple[Values, Values] = {}, {}
    for name, distribution in space.items():
        if isinstance(distribution, CategoricalDistribution):
            low, high = distribution.choices[0], distribution.choices[-1]
        else:
            assert isinstance(distribution, FloatDistribution | IntDistribution)
            low, high = distribution.low, distribution.high
        ends[0][name], ends[1][name] = low, high
    return [*ends]


def describe(space: Space) -> dict[str, Any]:
    """The space as plain data, as a file of ranges would have it."""
    return {name: _described(distribution) for name, distribution in space.items()}


def _described(distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    described: Values = {"low": distribution.low, "high": distribution.high}
    if distribution.log:
        described["log"] = True
    if distribution.step not in {None, 1}:
        described["step"] = distribution.step
    return described


def first_configurations(config: SearchConfig, space: Space) -> list[Values]:
    """The configurations to try first, as values of the options in `space`.

    Raises UserError if a file of them holds anything else.
    """
    if config.enqueue == "none":
        return []
    if config.enqueue == "own":
        own = {name: getattr(config, name) for name in space}
        # What lies outside its own space (a range that the user gave) is no trial of this study.
        return [own] if all(_contains(space[name], value) for name, value in own.items()) else []
    path = path_of(config.enqueue)
    listed = _read(config.enqueue, f"--enqueue {shown(config.enqueue)}: neither own nor none nor a file")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise UserError(f"{path} holds no list of configurations, each with 'option: value' lines")
    return [_configuration(each, space, path) for each in listed]


def _configuration(listed: Values, space: Space, path: Path) -> Values:
    fields = {field.name: field for field in fields_of(TrainConfig)}
    configuration = {}
    for name, value in listed.items():
        if name not in space:
            raise UserError(f"{path} names {shown(name)}, which is not searched; the space holds {', '.join(space)}")
        configuration[name] = check_value(fields[name], value, f" in {path}")
        if not _contains(space[name], configuration[name]):
            raise UserError(f"--{name} in {path}: {shown(str(value))} lies outside the space, {describe(space)[name]}")
    return configuration


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    if value is None or not distribution.low <= value <= distribution.high:
        return False
    steps = (value - distribution.low) / (distribution.step or 1)
    return distribution.step is None or abs(steps - round(steps)) < STEP_TOLERANCE
