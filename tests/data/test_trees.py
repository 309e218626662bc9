"""What lies below a folder, and what of it is passed over."""

import os
import sys

import pytest

from pipeline.data.trees import walk


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "photos"
    (root / "cat").mkdir(parents=True)
    (root / "cat" / "1.png").write_bytes(b"one")
    return root


def kinds(tree):
    return dict(zip(tree.ignored["path"], tree.ignored["kind"], strict=True))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, "hidden") for name in (".DS_Store", "._1.png", ".ipynb_checkpoints/1.png", ".thumbnails/1.png")),
        *((name, "left by a program") for name in ("Thumbs.db", "desktop.ini", "@eaDir/1.png", "__MACOSX/1.png")),
        ("1.txt", "side file (.txt)"),
        ("1.JSON", "side file (.json)"),
        ("1.xmp", "side file (.xmp)"),
        ("clip.MOV", "side file (.mov)"),
    ],
)
def test_what_programs_and_cameras_leave_is_no_image(folder, name, kind):
    for place in (folder, folder / "cat"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(b"x")
    tree = walk(folder)
    assert tree.files["path"].tolist() == ["cat/1.png"]
    first = name.split("/", maxsplit=1)[0]
    assert kinds(tree) == {first: kind, f"cat/{first}": kind}


@pytest.mark.parametrize("name", ["odd.img", "no_ending", "1.jpeg", "1.HEIC", "a.b.c", "thumbs.db.png"])
def test_what_may_be_an_image_is_looked_at(folder, name):
    (folder / "cat" / name).write_bytes(b"x")
    assert f"cat/{name}" in set(walk(folder).files["path"])


def test_links_are_followed_but_not_in_circles(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "2.png").write_bytes(b"two")
    (folder / "dog").symlink_to(outside)
    (folder / "cat" / "3.png").symlink_to(outside / "2.png")
    (folder / "cat" / "again").symlink_to(folder)
    (folder / "cat" / "gone.png").symlink_to(tmp_path / "nowhere")
    (folder / "cat" / "self.png").symlink_to(folder / "cat" / "self.png")
    tree = walk(folder)
    assert tree.files["path"].tolist() == ["cat/1.png", "cat/3.png", "dog/2.png"]
    assert tree.read("dog/2.png") == b"two"
    assert kinds(tree) == {
        "cat/again": "link in a circle",
        "cat/gone.png": "link to nothing",
        "cat/self.png": "link to nothing",
    }


def test_a_folder_without_images_and_a_pipe_are_listed(folder):
    (folder / "docs" / "deep").mkdir(parents=True)
    os.mkfifo(folder / "cat" / "pipe")
    assert kinds(walk(folder)) == {
        "docs/deep": "folder without images",
        "docs": "folder without images",
        "cat/pipe": "no regular file",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_utf8_is_text_that_finds_its_file(folder, tmp_path):
    (folder / "cat").rename(folder / os.fsdecode(b"caf\xe9"))
    tree = walk(folder)
    assert tree.files["path"].tolist() == [r"caf\xe9/1.png"]
    assert tree.read(r"caf\xe9/1.png") == b"one"
    tree.files.to_parquet(tmp_path / "table.parquet")
    assert len(tree.digests([r"caf\xe9/1.png"], tmp_path)) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_named(folder):
    from pipeline.errors import UserError

    (folder / "cat").chmod(0)
    with pytest.raises(UserError, match="cat cannot be read"):
        walk(folder)
