"""Images that a table leaves out."""

import pytest

from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.errors import UserError


@pytest.fixture
def planned(tmp_path, image_folder):
    def make(exclude=None, whole=None):
        config = PreprocessConfig(data=str(image_folder), workdir=tmp_path / "workdir", exclude=exclude)
        return plan(config, whole)

    return make


def test_what_is_named_is_left_out_and_the_others_stay_in_their_splits(planned, tmp_path):
    file = tmp_path / "wrong.csv"
    file.write_text("score,path\n0.1,red/003.png\n0.2,'blue/000.png\n", encoding="utf-8")
    whole, left = planned(), planned(str(file))
    named = {"red/003.png", "blue/000.png"}  # one as a table of ours has it whose path a spreadsheet would compute
    assert set(whole.table["path"]) - set(left.table["path"]) == named
    assert left.digest != whole.digest
    kept = whole.table[~whole.table["path"].isin(named)]
    assert kept[["path", "split"]].equals(left.table[["path", "split"]])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("wrong.csv", "path\nred/003.png\nred/999.png\n", "1 images that the data do not have, the first red/999.png"),
        ("wrong.csv", "colour\nred\n", "one column of paths"),
        ("wrong.txt", "red/003.png\n", "a file is expected that ends in .csv"),
        (None, "", "a file is expected"),
    ],
)
def test_what_names_no_images_of_the_data_is_refused(planned, tmp_path, name, text, words):
    file = tmp_path / (name or "nowhere.csv")
    if name:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        planned(str(file))


def test_other_data_that_a_model_is_scored_on_need_not_have_what_was_left_out(planned, tmp_path):
    file = tmp_path / "wrong.csv"
    file.write_text("path\nelsewhere/000.png\n", encoding="utf-8")
    assert len(planned(str(file), whole="test").table) == 60
