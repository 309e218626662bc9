import pytest

from pipeline.paths import is_file, is_there, path_of


def test_a_path_is_absolute_and_its_home_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert path_of("~/file") == path_of("file") == tmp_path / "file"
    assert is_file("file")
    assert is_there("~")
    assert not is_file("~")


@pytest.mark.parametrize("text", ["~no such user/x", "x" * 5000, "a\0b", "nowhere"])
def test_what_can_be_no_path_is_not_there(text):
    assert not is_there(text)
    assert not is_file(text)
