"""How a database that is away is waited for."""

import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity
from sqlalchemy import exc

from pipeline.errors import UserError, first_line

PATIENCE_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 5.0
SQLITE_BUSY, SQLITE_LOCKED = 5, 6
AWAY = (exc.OperationalError, exc.InterfaceError, exc.DisconnectionError, exc.TimeoutError)

Answer = TypeVar("Answer")


@dataclass
class Patience:
    """For how many seconds a database is waited for: none any more, once that was in vain or somebody said stop.

    said: whether the present outage was.
    """

    seconds: float = PATIENCE_SECONDS
    said: bool = False

    def call(self, ask: Callable[[], Answer]) -> Answer:
        """What `ask` returns, called again while the database is away. Raises UserError if it stays away."""
        waiting = tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_away),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_PAUSE_SECONDS),
            stop=lambda state: (state.seconds_since_start or 0.0) >= self.seconds,
            sleep=self._sleep,
            before_sleep=self._say,
            retry_error_callback=self._give_up,
        )
        answer = waiting(ask)
        self.said = False
        return answer

    def _sleep(self, seconds: float) -> None:
        try:
            time.sleep(seconds)
        except BaseException:  # what is left to be done on the way out does not wait
            self.seconds = 0.0
            raise

    def _say(self, state: tenacity.RetryCallState) -> None:
        if not self.said:
            self.said = True
            reason = _reason(state)
            print(f"the study's database is away ({reason}): tried again for {self.seconds:.0f} s", file=sys.stderr)

    def _give_up(self, state: tenacity.RetryCallState) -> None:
        waited = f" for {self.seconds:.0f} seconds" if self.seconds else ""
        self.seconds = 0.0
        raise UserError(
            f"the study's database did not answer{waited} ({_reason(state)}); the same command goes on once it is back"
        )


def _reason(state: tenacity.RetryCallState) -> str:
    error = state.outcome.exception() if state.outcome else None
    assert error is not None
    said = [first_line(each) for each in _roots(error)]
    return next((line for line in said if any(map(str.isalpha, line))), type(error).__name__)


def is_away(error: BaseException) -> bool:
    """Whether an error says that a database is away or busy, so that it is worth while to ask it again."""
    return any(_says_away(each) for each in _roots(error))


def _roots(error: BaseException) -> list[BaseException]:
    """What an error arose from, the first one first, and the error itself.

    Optuna says no more than that something went wrong, and SQLAlchemy's last word may be that it cannot roll back.
    """
    before = error.__cause__ or error.__context__
    return [*(_roots(before) if before else []), error]


def _says_away(error: BaseException) -> bool:
    driver = getattr(error, "orig", None)
    if isinstance(driver, sqlite3.Error):
        # SQLite has no server: a full disk or a missing table is an OperationalError there too.
        return getattr(driver, "sqlite_errorcode", 0) & 0xFF in {SQLITE_BUSY, SQLITE_LOCKED}
    return isinstance(error, AWAY) or (isinstance(error, exc.DBAPIError) and error.connection_invalidated)
