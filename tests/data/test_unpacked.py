"""Copies of packed data in the work folder."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.data.packs import read_packed, write_pack
from pipeline.data.unpacked import unpacked
from pipeline.errors import UserError


def write(text):
    return lambda folder: (folder / "x").write_text(text)


def test_it_is_made_once_for_each_state(tmp_path):
    first = unpacked(tmp_path, "origin", (1, 2), write("first"))
    assert unpacked(tmp_path, "origin", (1, 2), write("never")) == first
    assert (first / "x").read_text() == "first"
    other = unpacked(tmp_path, "other", (1, 2), write("other"))
    second = unpacked(tmp_path, "origin", (1, 3), write("second"))
    assert (second / "x").read_text() == "second"
    assert sorted((tmp_path / "unpacked").iterdir()) == sorted([other, second])


def test_what_another_process_made_first_is_taken(tmp_path):
    def overtaken(folder):
        folder.with_name(folder.name.split(".")[0]).mkdir()
        (folder.with_name(folder.name.split(".")[0]) / "x").write_text("theirs")

    assert (unpacked(tmp_path, "origin", (), overtaken) / "x").read_text() == "theirs"
    assert len(list((tmp_path / "unpacked").iterdir())) == 1


def test_a_failure_leaves_nothing(tmp_path):
    def no_room(folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match=r"origin cannot be copied to .*unpacked/.*: No space left on device"):
        unpacked(tmp_path, "origin", (), no_room)
    assert not list((tmp_path / "unpacked").iterdir())


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    code = (
        "import sys, pathlib; from pipeline import half_written; print(half_written.beside(pathlib.Path(sys.argv[1])))"
    )
    gone = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "unpacked" / "a-b")], capture_output=True, text=True, check=True
    )
    of_dead, of_elsewhere = Path(gone.stdout.strip()), tmp_path / "unpacked" / "a-b.elsewhere.1-1_0.part"
    for part in (of_dead, of_elsewhere):
        part.mkdir(parents=True)
    unpacked(tmp_path, "origin", (), write("x"))
    assert [part.exists() for part in (of_dead, of_elsewhere)] == [False, True]


def test_a_pack_gives_each_image_back(tmp_path):
    contents = [b"one", b"", b"three" * 1000]
    write_pack(tmp_path, "train", iter(contents))
    write_pack(tmp_path, "test", iter([]))
    assert [read_packed(tmp_path, f"train/{row}") for row in range(3)] == contents
