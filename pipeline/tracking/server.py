"""A tracking server that does not answer: how long it is waited for, and what is said meanwhile.

MLflow's own retries hold up a call for more than four minutes, or sixteen where the server hangs, and say nothing.
"""

import http.client
import os
import re
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar, cast

import mlflow
import requests
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, TEMPORARILY_UNAVAILABLE, UNAUTHENTICATED, ErrorCode
from mlflow.tracking import MlflowClient

from pipeline.errors import ServerGoneError, UserError, first_line, shown, without_password

Answer = TypeVar("Answer")

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

# How long a server that has gone away is waited for, and by whom it is set otherwise.
PATIENCE_SECONDS = 120.0
PATIENCE_VARIABLE = "PIPELINE_SERVER_PATIENCE"
# The same, once somebody has asked the process to stop.
HURRY_SECONDS = 5.0
ONE_TRY_SECONDS = 3.0
BETWEEN_TRIES_SECONDS = 1.0
# What a proxy answers for a server that does not.
GATEWAY_ERRORS = (502, 503, 504)
# What a server answers to a wrong login, and to one that may not do what was asked.
REFUSALS = re.compile(r"failed with error code (401|403)")

_hurry = threading.Event()
# Set once a server was waited for in vain: whoever needs it next does not wait as long again.
_given_up = threading.Event()
_said = threading.Event()


def where() -> str:
    """The tracking address as it may be shown."""
    return shown(without_password(mlflow.get_tracking_uri()))


def silence(seconds: float = ONE_TRY_SECONDS) -> str | None:
    """Why the tracking server does not answer within `seconds`; None if it does, or if the store is no server."""
    uri = mlflow.get_tracking_uri()
    if not uri.startswith(("http://", "https://")):
        return None
    try:
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=seconds).close()
    except urllib.error.HTTPError as error:
        # Any other answer is one, if only to ask who we are.
        return first_line(error) if error.code in GATEWAY_ERRORS else None
    except (OSError, ValueError, http.client.HTTPException) as error:
        return first_line(getattr(error, "reason", None) or error)
    return None


def patience() -> float:
    """How many seconds a server that has gone away is waited for."""
    given = os.environ.get(PATIENCE_VARIABLE)
    return HURRY_SECONDS if _hurry.is_set() else float(given) if given else PATIENCE_SECONDS


def hurry() -> None:
    """Wait for the server no longer than a few seconds from here on: this process was asked to stop."""
    _hurry.set()


def give_up(reason: str) -> ServerGoneError:
    """The error that says that the server was waited for in vain."""
    _given_up.set()
    return ServerGoneError(f"the tracking server at {where()} does not answer ({reason})")


def say_waiting(what: str) -> None:
    """Say once what the server is waited for, until it answers again."""
    if not _said.is_set():
        _said.set()
        until = time.strftime("%H:%M:%S", time.localtime(time.time() + patience()))
        print(f"waiting for the tracking server at {where()}, until {until} at the longest: {what}", file=sys.stderr)


def patiently(call: Callable[..., Answer], *arguments: Any, **keywords: Any) -> Answer:
    """What a call of MLflow returns. While the tracking server does not answer, it is waited for.

    Raises ServerGoneError if that takes longer than `patience`, and then at once until the server answers again;
    UserError if the server does not allow it.
    """
    deadline = None
    while True:
        reason = silence()
        if reason is None:
            try:
                answer = call(*arguments, **keywords)
            except Exception as error:
                if is_refused(error):
                    raise UserError(refusal()) from error
                if not is_away(error):
                    raise
                reason = first_line(error)
            else:
                _given_up.clear()
                _said.clear()
                return answer
        deadline = deadline or time.monotonic() + (0 if _given_up.is_set() else patience())
        if time.monotonic() >= deadline:
            raise give_up(reason)
        say_waiting(f"it does not answer ({reason})")
        time.sleep(BETWEEN_TRIES_SECONDS)


def wait_for_server() -> None:
    """Wait until the tracking server answers. Raises ServerGoneError as `patiently` does."""
    patiently(lambda: None)


def is_refused(error: Exception) -> bool:
    """Whether the server does not know who asks, or does not let them do it."""
    if not isinstance(error, MlflowException):
        return False
    codes = [ErrorCode.Name(code) for code in (PERMISSION_DENIED, UNAUTHENTICATED)]
    return error.error_code in codes or REFUSALS.search(str(error)) is not None


def refusal() -> str:
    """What is said of a server that does not let us in."""
    return (
        f"the tracking server at {where()} does not allow this: the user in MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD has to exist there, with the right to write to the experiment"
    )


def is_away(error: Exception) -> bool:
    """Whether a call failed because nobody answered, not because of what was asked."""
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return True
    if not isinstance(error, MlflowException):
        return False
    unavailable = error.error_code == ErrorCode.Name(TEMPORARILY_UNAVAILABLE)
    unanswered = not isinstance(error, RestException) and str(error).startswith("API request to")
    # What SQLite says of a full disk has the same code.
    return unanswered or (unavailable and not mlflow.get_tracking_uri().startswith("sqlite"))


class _PatientClient:
    """An MlflowClient each of whose calls waits for a server that does not answer."""

    def __init__(self, client: MlflowClient):
        self._client = client

    def __getattr__(self, name: str) -> Callable:
        call = getattr(self._client, name)
        return lambda *arguments, **keywords: patiently(call, *arguments, **keywords)


def patient_client() -> MlflowClient:
    """A client of the tracking store that MLFLOW_TRACKING_URI means, whose calls wait as `patiently` does."""
    return cast(MlflowClient, _PatientClient(MlflowClient()))
