import pytest

from pipeline import process
from pipeline.tracking.process_tag import PROCESS, process_in, process_tag


def test_a_tag_in_plain_words_tells_the_process_as_well_as_its_identity_does():
    tag = process_tag()[PROCESS]
    assert "{" not in tag
    known = {name: value for name, value in process.myself().items() if value is not None}
    identity = process_in(tag)
    assert identity == known
    assert not process.is_dead(identity)
    assert process.is_dead(identity | {"started": 1.0})


@pytest.mark.parametrize("tag", ["", "mine", "host=a", "host=a process=first", "process=1 started=1"])
def test_a_tag_that_somebody_changed_holds_no_process(tag):
    assert process_in(tag) is None
