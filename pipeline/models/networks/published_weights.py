"""Weights that Keras publishes: downloaded once, into the folder in which Keras looks for them."""

import contextlib
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.data.library import PATIENCE_SECONDS, patient
from pipeline.errors import UserError, first_line, shown
from pipeline.models.networks.quiet_keras import keras
from pipeline.paths import path_of

from keras.src.utils import file_utils  # isort: skip

# input shape -> a body with the weights that Keras publishes
Published = Callable[[tuple[int, int, int]], keras.Model]


def published_body(published: Published, input_shape: tuple[int, int, int]) -> keras.Model:
    """The body with published weights for images of this shape.

    Raises UserError, with the file to fetch and where to put it, if they can neither be found nor downloaded.
    """
    files: list[Path] = []
    with _fetching(files), patient():
        try:
            return published(input_shape)
        except Exception as error:  # Keras and HDF5 have many for a file that is none of theirs
            if not files:
                raise
            file, reason = shown(str(files[-1])), shown(first_line(error.__cause__ or error))
            raise UserError(
                f"--weights imagenet: {file} does not hold these weights ({reason}); remove it for another download"
            ) from error


@contextlib.contextmanager
def _fetching(files: list[Path]) -> Iterator[None]:
    """Have Keras say, in `files`, which file it takes, and a download that fails end in a sentence."""
    get_file = file_utils.get_file

    def fetched(fname: str, origin: str, *more: Any, cache_subdir: str = "models", **options: Any) -> str:
        target = path_of(os.environ.get("KERAS_HOME", "~/.keras")) / cache_subdir / fname
        try:
            if not target.exists():
                _wait_for_answer(origin)
            path = get_file(fname, origin, *more, cache_subdir=cache_subdir, **options)
        except Exception as error:  # a plain one, with the address before the reason, where a download broke off
            reason = shown(first_line(error).rpartition(" -- ")[2])
            raise UserError(
                f"--weights imagenet: Keras cannot download them ({reason}): fetch {origin} where there is a network "
                f"and save it as {shown(str(target))}"
            ) from error
        files.append(Path(path))
        return path

    file_utils.get_file = fetched
    try:
        yield
    finally:
        file_utils.get_file = get_file


def _wait_for_answer(origin: str) -> None:
    """Return once the server has answered. Raises OSError if it does not, or says that there is no such file.

    A name may stand for a dozen addresses, each of which is given its time to answer, one after the other.
    """
    failed: list[Exception] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(origin, method="HEAD"), timeout=PATIENCE_SECONDS):
                pass
        except urllib.error.URLError as error:
            failed.append(OSError(str(error.reason)))
        except Exception as error:  # whatever a proxy may answer
            failed.append(error)

    asking = threading.Thread(target=ask, daemon=True, name="published weights")
    asking.start()
    asking.join(PATIENCE_SECONDS)
    if asking.is_alive():
        raise TimeoutError(f"no answer within {PATIENCE_SECONDS} seconds")
    if failed:
        raise failed[0]
