from pipeline import process
from pipeline.tracking.process_tag import PROCESS, process_in, process_tag


def test_a_tag_in_plain_words_tells_the_process_as_well_as_its_identity_does():
    tag = process_tag()[PROCESS]
    assert "{" not in tag
    known = {name: value for name, value in process.myself().items() if value is not None}
    assert process_in(tag) == known
    assert not process.is_dead(process_in(tag))
    assert process.is_dead(process_in(tag) | {"started": 1.0})
