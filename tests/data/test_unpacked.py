"""Copies of packed data in the work folder."""

import errno
import socket
import subprocess
import sys

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
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    parts = {
        name: tmp_path / "unpacked" / f"a-b.{name}.part"
        for name in (f"{socket.gethostname()}.{gone.stdout.strip()}", "elsewhere.1")
    }
    for part in parts.values():
        part.mkdir(parents=True)
    unpacked(tmp_path, "origin", (), write("x"))
    assert [part.exists() for part in parts.values()] == [False, True]


def test_a_pack_gives_each_image_back(tmp_path):
    contents = [b"one", b"", b"three" * 1000]
    write_pack(tmp_path, "train", iter(contents))
    write_pack(tmp_path, "test", iter([]))
    assert [read_packed(tmp_path, f"train/{row}") for row in range(3)] == contents
