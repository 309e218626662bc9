"""Figures as a reader wants them."""

import datetime
from collections.abc import Mapping, Sequence

from pipeline.report.contents import Section
from pipeline.tracking import StoredRun

NONE = "–"
# No line ends before a unit.
SPACE = "\N{NO-BREAK SPACE}"
RUN_ID = 8


def percent(value: float | None) -> str:
    """A fraction from 0 to 1 in percent, to a tenth."""
    return NONE if value is None else f"{100 * value:.1f}{SPACE}%"


def with_interval(metrics: Mapping[str, float], name: str) -> str:
    """A score in percent, with its 95 % interval if the metrics have one."""
    if name not in metrics:
        return NONE
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    if low is None or high is None:
        return percent(metrics[name])
    return f"{percent(metrics[name])} ({100 * low:.1f} to {100 * high:.1f})"


def number(value: float | None) -> str:
    """A number with as many digits as are worth reading."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 training`, `3 trainings`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(milliseconds: int) -> str:
    """A time since 1970 as date and time, in UTC."""
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M")


def duration(milliseconds: float) -> str:
    """How long something took."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}{SPACE}h {minutes}{SPACE}min"
    return f"{minutes}{SPACE}min {seconds}{SPACE}s" if minutes else f"{seconds}{SPACE}s"


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""


def short_id(run_id: str) -> str:
    """The beginning of a run's id, enough to find it by."""
    return run_id[:RUN_ID]


def left_out(section: Section, count: int, shown: int, what: str, where: str) -> None:
    """Say that only some of many are shown, if that is so."""
    if count > shown:
        section.missing.append(f"{what}: {shown} of {count} are shown; {where} has the others.")


def newest(found: Section, runs: Sequence[StoredRun], most: int, plural: str, again: str) -> Sequence[StoredRun]:
    """The newest `most` of the runs; the section names those that are left out, or the command that makes a first one.

    runs: the newest last. plural: what they are called. again: the command.
    """
    if not runs:
        found.missing.append(f"{found.title}: there is none; {again} makes one.")
    left_out(found, len(runs), most, plural, "MLflow")
    return runs[-most:]
