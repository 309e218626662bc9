"""The rungs between two configurations."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline import config as options
from pipeline.config import TrainConfig, Values
from pipeline.errors import UserError, shown
from pipeline.paths import is_file, path_of

CLIMB, ALONE, WITHOUT = "climb", "alone", "without"
# The rung that the climb begins with.
START = "start"
MOST_GROUPS = 6


def _options_of(groups: Iterable[str]) -> tuple[str, ...]:
    fields = options.fields_of(TrainConfig)
    return tuple(field.name for group in groups for field in fields if field.metadata["group"] == group)


# The options of each change, in the order of the climb, and what both ends have in common.
GROUPS = {
    change: _options_of(name for name, group in options.GROUPS.items() if group.change == change)
    for change in (group.change for group in options.GROUPS.values())
    if change
}
DATA = _options_of(["data"])
COMMON = _options_of(["data", "budget", "running"])


@dataclass(frozen=True)
class Change:
    """A group of options that differ. start, goal: their values at both ends."""

    name: str
    start: Values
    goal: Values

    def describe(self) -> str:
        """The change in a line."""
        return ", ".join(f"{name} {self.start[name]} → {self.goal[name]}" for name in self.goal)

    @property
    def title(self) -> str:
        """What a figure calls it: the option that changes, if it is one alone, else the name of the group."""
        return self.describe() if len(self.goal) == 1 else self.name


@dataclass(frozen=True)
class Rung:
    """A configuration to train. reading: climb, alone (a change on top of the start) or without (the goal, less one).

    change: the name of the change that it adds, or leaves out; START for the first rung of the climb.
    """

    reading: str
    change: str
    config: TrainConfig


def changes(start: TrainConfig, goal: TrainConfig, groups: dict[str, list[str]]) -> list[Change]:
    """What differs between two configurations, in the order of the climb.

    groups: name -> options, in the user's order; what they leave out goes into groups of our own, or into theirs of the
    same name.
    Raises UserError if nothing differs, if the groups are too many, or if one names what does not differ, or what is
    another's.
    """
    first, last = options.identity(start), options.identity(goal)
    differing = [name for name in first if first[name] != last[name] and name not in COMMON]
    if not differing:
        raise UserError("--start and --goal do not differ in anything but what both have in common, such as the epochs")
    taken: dict[str, str] = {}
    for name, members in groups.items():
        if name == START:
            raise UserError(f"--groups: {START} is the name of the first rung; another name is needed")
        for member in members:
            if member in COMMON:
                raise UserError(f"--groups: {shown(name)} names {shown(member)}, which both ends have in common")
            if member not in differing:
                raise UserError(
                    f"--groups: {shown(name)} names {shown(member)}, which does not differ between start and goal"
                )
            if member in taken:
                raise UserError(
                    f"--groups: {shown(name)} names {shown(member)}, which {shown(taken[member])} has already"
                )
            taken[member] = name
    own = {
        name: [each for each in members if each in differing and each not in taken] for name, members in GROUPS.items()
    }
    joined = {name: [*groups.get(name, []), *own.get(name, [])] for name in [*groups, *own]}
    found = [
        Change(name, {each: first[each] for each in members}, {each: last[each] for each in members})
        for name, members in joined.items()
        if members
    ]
    if len(found) > MOST_GROUPS:
        raise UserError(f"--groups: {len(found)} groups differ, {MOST_GROUPS} or fewer can be climbed; join some")
    return found


def read_groups(path: str | None) -> dict[str, list[str]]:
    """The groups in a YAML file, name -> options. Raises UserError if it holds anything else."""
    if path is None:
        return {}
    file = path_of(path)
    if not is_file(path):
        raise UserError(f"--groups {shown(str(file))}: no such file")
    groups = options.read_yaml(file)
    if not isinstance(groups, dict) or not all(_are_names(members) for members in groups.values()):
        raise UserError(f"{file} holds no groups; 'name: [option, option]' lines are expected")
    return groups


def _are_names(members: Any) -> bool:
    return isinstance(members, list) and all(isinstance(member, str) for member in members)


def rungs(start: TrainConfig, found: list[Change], readings: tuple[str, ...]) -> list[Rung]:
    """All configurations to train, the climb first. The last rung of the climb is the goal."""
    ladder = [Rung(CLIMB, START, start)]
    for change in found:
        ladder.append(Rung(CLIMB, change.name, _with(ladder[-1].config, change.goal)))
    goal = ladder[-1].config
    if ALONE in readings:
        ladder += [Rung(ALONE, change.name, _with(start, change.goal)) for change in found]
    if WITHOUT in readings:
        ladder += [Rung(WITHOUT, change.name, _with(goal, change.start)) for change in found]
    return ladder


def _with(config: TrainConfig, values: dict[str, Any]) -> TrainConfig:
    return dataclasses.replace(config, **values)
