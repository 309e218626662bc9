"""Which one process hands out the trials of a study."""

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Iterator

import optuna

from pipeline import process
from pipeline.config import Values
from pipeline.errors import UserError

BEAT_SECONDS = 5.0
SILENT_SECONDS = 60.0
# What the study remembers of its owner.
OWNER = "owner"


class Ownership:
    """That this process owns a study, as long as nobody else says that it does."""

    def __init__(self, study: optuna.Study):
        self._study = study
        self._mine = process.myself() | {"id": uuid.uuid4().hex}
        self._beats = 0
        self._successor: Values | None = None

    def beat(self) -> None:
        """Say that this process still owns the study, unless another one does by now."""
        owner = self._study.user_attrs.get(OWNER)
        if self._beats and owner and owner["id"] != self._mine["id"]:
            self._successor = owner
            return
        self._beats += 1
        # A count, no time: clocks differ, and some are set while a search runs.
        self._study.set_user_attr(OWNER, self._mine | {"beat": self._beats})

    def beat_until(self, over: threading.Event) -> None:
        """Beat again and again."""
        while not over.wait(BEAT_SECONDS):
            with contextlib.suppress(Exception):  # said again at the next beat
                self.beat()

    def check(self) -> None:
        """Raise UserError if another process owns the study by now."""
        if self._successor:
            raise UserError(
                f"the study {self._study.study_name} is now searched by {_named(self._successor)}, since this process "
                "was silent for long; nothing that was finished is lost"
            )

    def end(self) -> None:
        """Own the study no more."""
        if self._successor is None:
            with contextlib.suppress(Exception):  # a database that is gone must not hide what happened
                self._study.set_user_attr(OWNER, None)


@contextlib.contextmanager
def owned(study: optuna.Study) -> Iterator[Ownership]:
    """Be the one process that hands out the study's trials. Raises UserError if another one is at it.

    A process that could be seen from here, but is no more, is recognised at once; one of another machine or container
    by a beat that does not change while it is watched. The storage is asked to keep no lock, since not every one could.
    """
    _refuse_if_owned(study)
    mine = Ownership(study)
    mine.beat()
    mine.beat()
    mine.check()
    over = threading.Event()
    beating = threading.Thread(target=mine.beat_until, args=(over,), daemon=True, name="study-beat")
    beating.start()
    try:
        yield mine
    finally:
        over.set()
        # It may be waiting for a database that is away.
        beating.join(BEAT_SECONDS)
        mine.end()


def _refuse_if_owned(study: optuna.Study) -> None:
    owner = study.user_attrs.get(OWNER)
    if owner and _is_alive(study, owner):
        raise UserError(
            f"the study {study.study_name} is being searched by {_named(owner)}; "
            "stop that one, or give it more --workers"
        )


def _named(owner: Values) -> str:
    return f"process {owner['process']} on {owner['host']}"


def _is_alive(study: optuna.Study, owner: Values) -> bool:
    if process.is_here(owner):
        return owner["process"] != os.getpid() and not process.is_dead(owner)
    print(
        f"the study {study.study_name} was searched by {_named(owner)}, which cannot be seen from here: watched for "
        f"{SILENT_SECONDS:.0f} s",
        flush=True,
    )
    deadline = time.monotonic() + SILENT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(min(1.0, BEAT_SECONDS / 5))
        now = study.user_attrs.get(OWNER)
        if now is None:
            return False
        if (now["id"], now["beat"]) != (owner["id"], owner["beat"]):
            return True
    return False
