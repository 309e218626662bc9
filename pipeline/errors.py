"""What a failure looks like from outside: one sentence, an exit code, a run status."""

import re
import signal

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM
# Number of SIGHUP; Windows has none.
EXIT_HUNG_UP = 128 + 1
# Longer names are cut where they are shown.
LONGEST_SHOWN = 300


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


def without_password(address: str) -> str:
    """An address as it may be shown."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", address)


def shown(text: str) -> str:
    """A name that a user or a file gave, as it may be printed: on one line, escaped, and not too long."""
    escaped = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    half = LONGEST_SHOWN // 2
    return escaped if len(escaped) <= LONGEST_SHOWN else f"{escaped[:half]}…{escaped[-half:]}"


def first_line(error: BaseException) -> str:
    """The error as one line of text, for a log or a tag."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
