"""What a failure looks like from outside: one sentence, an exit code, a run status."""

import errno
import os
import re
import signal
import sys
import threading
import traceback
from urllib.parse import unquote, unquote_plus

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM
# Number of SIGHUP; Windows has none.
EXIT_HUNG_UP = 128 + 1
# Longer names are cut where they are shown.
LONGEST_SHOWN = 300
HIDDEN = "***"
SECRET_IN_QUERY = re.compile(r"([?&;](?!passfile)\w*(?:pass|pwd|token|secret)\w*=)([^&;#\s'\"]*)", re.IGNORECASE)
# What the environment holds addresses and passwords in.
ADDRESS_VARIABLES = ("OPTUNA_STORAGE", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
SECRET_VARIABLES = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD")
# Shorter ones would be found in any word.
SHORTEST_SECRET = 4


class UserError(Exception):
    """The user's input cannot be worked with; the message is one sentence: what, where, what is allowed."""


class ServerGoneError(Exception):
    """The tracking server does not answer, and was waited for in vain; the message says what became of the work."""


class RefusedError(Exception):
    """What was made is not good enough to be kept; the message is one sentence with the figures."""


class Terminated(BaseException):
    """SIGTERM arrived. Like KeyboardInterrupt it is no Exception, so that no handler takes it for a failure."""


class HungUp(Terminated):
    """SIGHUP arrived: the terminal was closed, or the connection to it was lost."""


def exit_code(error: BaseException) -> int:
    """The exit code of `python -m pipeline` after `error`."""
    if isinstance(error, UserError):
        return EXIT_USER_ERROR
    if isinstance(error, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    if isinstance(error, HungUp):
        return EXIT_HUNG_UP
    if isinstance(error, Terminated):
        return EXIT_TERMINATED
    return EXIT_FAILED


def run_status(error: BaseException) -> str:
    """The MLflow status of a run that ended with `error`: FAILED, or KILLED if somebody stopped it."""
    return "KILLED" if isinstance(error, KeyboardInterrupt | Terminated) else "FAILED"


def disk_full(error: BaseException | None) -> str | None:
    """The sentence that says that an error came of a disk with no room left; None if it did not.

    SQLite, SQLAlchemy and MLflow each wrap it in errors of their own.
    """
    if error is None:
        return None
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not full and "database or disk is full" not in str(error):
        return disk_full(error.__cause__ or error.__context__)
    where = f" for {shown(str(error.filename))}" if isinstance(error, OSError) and error.filename else ""
    return f"no room is left on the disk{where}; once there is, the same command goes on"


def without_password(text: str) -> str:
    """A text as it may be shown: passwords in the addresses that it holds are ***, in their queries too."""
    return re.sub(r"(://[^:/@?#\s]*):[^\s]*@", r"\1:***@", SECRET_IN_QUERY.sub(r"\1***", text))


def has_password(address: str) -> bool:
    """Whether an address holds a password."""
    return without_password(address) != address


def redacted(text: str) -> str:
    """A text without the passwords in its addresses, and without those that the environment holds."""
    text = without_password(text)
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets() -> set[str]:
    """The passwords that the environment holds: by themselves or in addresses, as they are written and decoded."""
    found = {os.environ[name] for name in SECRET_VARIABLES if name in os.environ}
    for name in ADDRESS_VARIABLES:
        address = os.environ.get(name, "")
        in_user = re.findall(r"://[^:/@?#\s]*:([^\s]*)@", address)
        in_query = [match.group(2) for match in SECRET_IN_QUERY.finditer(address)]
        found |= {*in_user, *in_query}
    found |= {unquote(secret) for secret in found} | {unquote_plus(secret) for secret in found}
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET and secret != HIDDEN}


def print_error(error: BaseException) -> None:
    """Print the traceback of an error, without passwords."""
    print(redacted("".join(traceback.format_exception(error))), file=sys.stderr, end="", flush=True)


def hide_passwords() -> None:
    """Have no traceback of this process show a password, in whichever thread it arises."""
    sys.excepthook = lambda kind, error, trace: print_error(error)
    threading.excepthook = lambda raised: print_error(raised.exc_value or raised.exc_type())


def shown(text: str) -> str:
    """A name that a user or a file gave, as it may be printed: on one line, escaped, and not too long."""
    escaped = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    half = LONGEST_SHOWN // 2
    return escaped if len(escaped) <= LONGEST_SHOWN else f"{escaped[:half]}…{escaped[-half:]}"


def first_line(error: BaseException) -> str:
    """The error as one line of text without passwords, for a log or a tag."""
    text = redacted(str(error).strip()) or type(error).__name__
    return text.splitlines()[0]
