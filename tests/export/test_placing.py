import pytest

from pipeline.errors import UserError
from pipeline.export.facts import MADE_BY
from pipeline.export.formats import keras, onnx, saved_model
from pipeline.export.placing import FACTS, SAMPLE, beside, digest_of, files_of, place_of, size_of, staged


def write_export(path, content="new"):
    if path.suffix == ".saved_model":
        (path / "variables").mkdir(parents=True)
        (path / "variables" / "data").write_text(content)
    else:
        path.write_text(content)
    beside(path, FACTS).write_text(f'{{"made_by": "{MADE_BY}"}}')
    beside(path, SAMPLE).write_text("print()")


def content_of(place):
    return (place / "variables" / "data" if place.is_dir() else place).read_text()


def test_without_an_output_it_goes_into_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert place_of(None, "resnet-my photos: 2", onnx) == tmp_path / "resnet-my-photos-2.onnx"


def test_a_folder_that_is_there_gets_it_by_its_default_name(tmp_path):
    assert place_of(str(tmp_path), "lenet-a", saved_model) == tmp_path / "lenet-a.saved_model"
    assert place_of(str(tmp_path / "new"), "lenet-a", saved_model) == tmp_path / "new"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("model.pb", r"a name that ends in \.onnx is expected"),
        ("nowhere/model.onnx", "nowhere is no folder that can be written to"),
        ("mine.onnx", "mine.onnx is there already and is no earlier export"),
        ("other.onnx", "other.onnx.py is there already"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, output, words):
    (tmp_path / "mine.onnx").write_text("mine")
    (tmp_path / "other.onnx.py").write_text("mine")
    with pytest.raises(UserError, match=words):
        place_of(str(tmp_path / output), "lenet-a", onnx)


@pytest.mark.parametrize("export_format", [keras, saved_model])
def test_an_earlier_export_is_replaced_once_the_new_one_is_whole(tmp_path, export_format):
    place = place_of(str(tmp_path), "a", export_format)
    write_export(place, "earlier")
    assert place_of(str(place), "a", export_format) == place
    with pytest.raises(RuntimeError), staged(place) as path:
        write_export(path)
        raise RuntimeError
    assert content_of(place) == "earlier"
    with staged(place) as path:
        write_export(path)
        assert content_of(place) == "earlier"
    assert content_of(place) == "new"
    assert sorted(tmp_path.iterdir()) == sorted(files_of(place))


def test_a_folder_has_the_size_and_the_digest_of_its_files(tmp_path):
    one, other = tmp_path / "one.saved_model", tmp_path / "other.saved_model"
    for path in (one, other):
        write_export(path, "content")
    assert size_of(one) == len("content")
    assert digest_of(one) == digest_of(other)
    (other / "variables" / "data").write_text("changed")
    assert digest_of(one) != digest_of(other)
