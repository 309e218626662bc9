"""Keras, imported without TensorFlow's start-up messages: `from pipeline.models.networks.quiet_keras import keras`."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what native code writes to stderr inside; it is shown after all if an exception leaves.

    TensorFlow logs to the file descriptor before its own log level is heard.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(stderr, held_back.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


# A search builds many networks; each is traced anew, which TensorFlow takes for a mistake.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

with quiet_start():
    import keras

    # The first operation looks for devices, and reports on them.
    keras.ops.zeros(1)

__all__ = ["keras"]
