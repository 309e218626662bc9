import pytest

from pipeline.errors import UserError
from pipeline.search.failures import MOST_OF_ALL, MOST_OF_ONE_CAUSE, Failures
from pipeline.search.outcomes import COMPLETE, FAILED, TrialOutcome


def fail(failures, number, reason):
    failures.end(TrialOutcome(number, FAILED, reason))
    failures.check()


def test_one_cause_again_and_again_ends_a_search():
    failures = Failures()
    with pytest.raises(UserError, match=f"{MOST_OF_ONE_CAUSE} failures in a row for one cause: no room for layer 4"):
        for number in range(MOST_OF_ONE_CAUSE):
            failures.begin(number)
            fail(failures, number, f"no room for layer {number}")


def test_what_strikes_many_workers_at_once_is_one_incident():
    failures = Failures()
    for incident in range(MOST_OF_ONE_CAUSE - 1):
        numbers = range(64 * incident, 64 * (incident + 1))
        for number in numbers:
            failures.begin(number)
        for number in numbers:
            fail(failures, number, "its process died")


def test_a_trial_that_is_finished_begins_the_count_anew():
    failures = Failures()
    for number in range(3 * MOST_OF_ALL):
        failures.begin(number)
        if number % 4:
            fail(failures, number, "its process died")
        else:
            failures.end(TrialOutcome(number, COMPLETE, "", 0.5))


def test_ever_new_causes_end_a_search_too():
    failures = Failures()
    with pytest.raises(UserError, match=f"{MOST_OF_ALL} failures in a row, for several causes; the last one: reason t"):
        for number in range(MOST_OF_ALL):
            failures.begin(number)
            fail(failures, number, f"reason {chr(ord('a') + number)}")
