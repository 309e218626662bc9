"""When failures of trials end a search."""

import re
from collections import Counter

from pipeline.errors import UserError
from pipeline.search.outcomes import FAILED, TrialOutcome

MOST_OF_ONE_CAUSE = 5
MOST_OF_ALL = 20


class Failures:
    """Failures with no finished trial between them, counted by cause.

    What strikes trials side by side is one incident: a trial that ran already when the same cause was last counted does
    not count.
    """

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._counts: Counter[str] = Counter()
        self._ran_beside: dict[str, set[int]] = {}
        self._last = ""

    def begin(self, number: int) -> None:
        """A trial has begun."""
        self._running.add(number)

    def end(self, outcome: TrialOutcome) -> None:
        """A trial is over."""
        self._running.discard(outcome.number)
        if outcome.state != FAILED:
            self._counts.clear()
            self._ran_beside.clear()
            return
        cause = _cause(outcome.reason)
        if outcome.number not in self._ran_beside.get(cause, set()):
            self._counts[cause] += 1
            self._ran_beside[cause] = set(self._running)
            self._last = outcome.reason

    def are_first(self) -> bool:
        """Whether trials have failed once, and none was finished before."""
        return self._counts.total() == 1

    def check(self) -> None:
        """Raise UserError if one cause struck too often, or all together did."""
        if self._counts.total() >= MOST_OF_ALL:
            raise UserError(f"{MOST_OF_ALL} failures in a row, for several causes; the last one: {self._last}")
        if max(self._counts.values(), default=0) >= MOST_OF_ONE_CAUSE:
            raise UserError(f"{MOST_OF_ONE_CAUSE} failures in a row for one cause: {self._last}")


def _cause(reason: str) -> str:
    """A reason without the numbers in it, which are those of one trial."""
    return re.sub(r"\d+(\.\d+)?", "N", reason)
