"""What a stage prints: all it has to say, warnings and errors alone, or one JSON object for a program."""

import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

# Set for what a quiet stage starts, too.
QUIET = "PIPELINE_QUIET"
STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


@contextlib.contextmanager
def printing(quiet: bool, as_json: bool) -> Iterator[None]:
    """While the block runs: nothing of what it, or a process that it starts, prints reaches the standard output.

    It goes to the standard error with `as_json`, where a program does not read it, and nowhere with `quiet`, which
    hides progress bars as well. What is printed to the standard error stays. With neither, all is as it was.
    """
    if not quiet and not as_json:
        yield
        return
    elsewhere: TextIO = sys.stderr
    descriptor = STANDARD_ERROR
    with contextlib.ExitStack() as at_end:
        if quiet:
            at_end.enter_context(_environment(QUIET, "1"))
            elsewhere = at_end.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            descriptor = elsewhere.fileno()
        at_end.enter_context(_descriptor_as(descriptor))
        at_end.enter_context(contextlib.redirect_stdout(elsewhere))
        yield


@contextlib.contextmanager
def _descriptor_as(other: int) -> Iterator[None]:
    """Have the standard output of this process, and of those that it starts, be another descriptor."""
    sys.stdout.flush()
    kept = os.dup(STANDARD_OUTPUT)
    os.dup2(other, STANDARD_OUTPUT)
    try:
        yield
    finally:
        os.dup2(kept, STANDARD_OUTPUT)
        os.close(kept)


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def progress_bar(**described: Any) -> "tqdm":
    """A bar of tqdm's, which takes `described`: on a terminal, unless the stage is to be quiet.

    A log file gets none.
    """
    from tqdm import tqdm  # help and refusals need none, and answer at once

    return tqdm(disable=True if QUIET in os.environ else None, dynamic_ncols=True, **described)


def print_json(values: Mapping[str, Any]) -> None:
    """Print values as one line of JSON, which has no number that is not finite: it is null."""
    print(json.dumps(_finite(values), ensure_ascii=False), flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
