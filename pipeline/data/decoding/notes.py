"""What the libraries below say of a file is kept as notes on it, instead of being printed."""

import ctypes
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import _imaging

from pipeline.data.decoding.errors import in_one_line

_listening = threading.local()
_lock = threading.Lock()
_listeners = 0
_catcher = warnings.catch_warnings()
_shown_before = warnings.showwarning


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collects what Pillow and its libtiff warn of in this thread, each once, one line each."""
    notes: list[str] = []
    _listening.notes = notes
    _begin()
    try:
        yield notes
    finally:
        _end()
        _listening.notes = None


def note(text: str) -> bool:
    """Add a note to those of the file that this thread reads now; False if it reads none."""
    notes = getattr(_listening, "notes", None)
    if notes is not None and text not in notes:
        notes.append(text)
    return notes is not None


def _begin() -> None:
    """Python's warnings are caught for the whole process: the first thread that listens begins, the last one ends."""
    global _listeners, _catcher, _shown_before  # noqa: PLW0603
    with _lock:
        _listeners += 1
        if _listeners == 1:
            _catcher = warnings.catch_warnings()
            _catcher.__enter__()
            _shown_before = warnings.showwarning
            warnings.filterwarnings("always", module=r"PIL\.")
            warnings.showwarning = _show


def _end() -> None:
    global _listeners  # noqa: PLW0603
    with _lock:
        _listeners -= 1
        if _listeners == 0:
            _catcher.__exit__(None, None, None)


def _show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
    if "PIL" not in filename or not note(in_one_line(message)):
        _shown_before(message, category, filename, lineno, file, line)


class _Notes(logging.Handler):
    """Pillow also logs some of what is wrong with a file; without a handler Python prints that."""

    def emit(self, record: logging.LogRecord) -> None:
        note(in_one_line(record.getMessage()))


_pillow_log = logging.getLogger("PIL")
_pillow_log.addHandler(_Notes(logging.WARNING))

# libtiff prints its warnings to the process's standard error, past Python, unless it is given another function. It
# calls that in the thread that reads, so that a note reaches its own file; nothing is redirected.
_TIFF_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


def _note_of_libtiff(module: bytes | None, form: bytes, arguments: int) -> None:
    text = ctypes.create_string_buffer(400)
    ctypes.CDLL(None).vsnprintf(text, ctypes.c_size_t(len(text)), form, ctypes.c_void_p(arguments))
    note(f"libtiff: {in_one_line(text.value.decode(errors='replace'))}")


_handler = _TIFF_HANDLER(_note_of_libtiff)


def _take_over_libtiff() -> None:
    try:
        library = ctypes.CDLL(_imaging.__file__)
        for name in ("TIFFSetWarningHandler", "TIFFSetErrorHandler"):
            setter = getattr(library, name)
            setter.argtypes, setter.restype = [_TIFF_HANDLER], ctypes.c_void_p
            setter(_handler)
    except (OSError, AttributeError):
        # Built into Pillow where its names can't be found (Windows): its warnings stay where they are.
        return


_take_over_libtiff()
