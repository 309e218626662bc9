"""What a process that trains trials does. It imports little at first, so that it soon sees if nobody waits for it."""

import os
from multiprocessing.connection import Connection

from pipeline import process


def work(connection: Connection, cores: list[int]) -> None:
    """Get the place of a study, then train one trial after the other, until there is no one left to train for."""
    # Whoever stops the search stops the workers.
    process.leave_signals_to_parent()
    process.exit_with_parent()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    from pipeline.search.trial import train_trial

    try:
        place = connection.recv()
        while True:
            connection.send(train_trial(place, connection.recv()))
    except EOFError:
        return
