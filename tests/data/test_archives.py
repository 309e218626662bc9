"""Archives read in place: what their folders would be, whoever packed them."""

import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from images import COLOURS, write_class_folders, write_image
from source_contract import check_source

from pipeline import process
from pipeline.config import PreprocessConfig
from pipeline.data import contents
from pipeline.data.archives import members
from pipeline.data.archives.members import BOMB
from pipeline.data.archives.tree import open_archive
from pipeline.data.archives.zips import ZipMembers
from pipeline.data.planning import plan
from pipeline.data.pool import map_on_all_cores
from pipeline.data.sources import open_source
from pipeline.data.trees import walk
from pipeline.errors import UserError

ENDINGS = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"]
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_class_folders(tmp_path_factory.mktemp("archives") / "photos", 4)


def pack(folder, archive, top="", folders=True, method=zipfile.ZIP_DEFLATED):
    """What lies in a folder, packed below `top`."""
    found = sorted(path for path in folder.rglob("*") if folders or path.is_file())
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", method) as file:
            for path in found:
                file.write(path, f"{top}{path.relative_to(folder)}")
    else:
        mode = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}[archive.suffix]
        with tarfile.open(archive, mode) as file:
            for path in found:
                file.add(path, f"{top}{path.relative_to(folder)}", recursive=False)
    return archive


def zip_of(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def tar_of(path, members):
    """A tar archive of name -> bytes, or TarInfo."""
    with tarfile.open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        for name, content in members.items():
            member = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
            file.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return path


def opened(path, **options):
    return open_source(PreprocessConfig(data=str(path), workdir=path.parent / "workdir", **options))


def tree_of(path):
    return open_archive(path, path.parent / "workdir")


def kinds(tree):
    return dict(zip(tree.ignored["path"], tree.ignored["kind"], strict=True))


# what an archive means


@pytest.mark.parametrize("top", ["", "photos/", "./", "a/b/photos/"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_is_what_its_folder_is(folder, tmp_path, ending, top):
    archive = pack(folder, tmp_path / f"photos{ending}", top)
    source, unpacked = opened(archive), opened(folder)
    assert source.table.equals(unpacked.table)
    assert source.class_names == unpacked.class_names
    check_source(source)
    assert plan(PreprocessConfig(data=str(archive), workdir=tmp_path)).digest == (
        plan(PreprocessConfig(data=str(folder), workdir=tmp_path)).digest
    )
    assert source.where("blue/000.png") == f"{archive}/{top.removeprefix('./')}blue/000.png"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_may_be_packed_in_any_way(folder, tmp_path, method):
    check_source(opened(pack(folder, tmp_path / "photos.ZIP".lower(), method=method, folders=False)))


def in_other_processes(work, items):
    return dict(map_on_all_cores(work, items, len(items), 60))


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_other_processes_read_it(folder, tmp_path, ending):
    source = opened(pack(folder, tmp_path / f"photos{ending}"))
    paths = source.table["path"].tolist()
    assert in_other_processes(source.read, paths) == {path: (folder / path).read_bytes() for path in paths}


READS = "import pickle, sys; read = pickle.load(sys.stdin.buffer); read('blue/000.png'); print(*sys.modules)"


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_nothing_heavy_is_loaded_to_read_it(folder, tmp_path, ending):
    read = pickle.dumps(opened(pack(folder, tmp_path / f"photos{ending}")).read)
    done = subprocess.run([sys.executable, "-c", READS], input=read, capture_output=True, check=True)
    assert not {"pandas", "pyarrow", "matplotlib"} & set(done.stdout.decode().split())


def splits_in_folders(root):
    for split, images in (("Training", 4), ("valid", 2), ("test", 2)):
        write_class_folders(root / split, images, first_seed=100 * images)


def in_lists(root):
    write_class_folders(root / "images", 4)
    for split, numbers in {"train": (0, 1), "val": (2,), "test": (3,)}.items():
        lines = [f"images/{name}/{number:03d}.png {name}\n" for name in COLOURS for number in numbers]
        (root / f"{split}.txt").write_text("".join(lines))


def in_a_table(root):
    write_class_folders(root / "images", 4)
    splits = ["train", "train", "val", "test"]
    lines = [f"{name}/{number:03d},{name},{splits[number]}\n" for name in COLOURS for number in range(4)]
    (root / "labels.csv").write_text("image_id,label,split\n" + "".join(lines))


@pytest.mark.parametrize("make", [splits_in_folders, in_lists, in_a_table])
@pytest.mark.parametrize("ending", [".zip", ".tar", ".tgz"])
@pytest.mark.parametrize("top", ["", "photos/"])
def test_an_archive_holds_splits_lists_or_a_table(tmp_path, make, ending, top):
    make(tmp_path / "photos")
    source = opened(pack(tmp_path / "photos", tmp_path / f"photos{ending}", top))
    check_source(source)
    assert set(source.splits) == {"train", "val", "test"}
    assert source.class_names == sorted(COLOURS)


def test_a_parquet_table_in_an_archive(tmp_path):
    import pandas as pd

    in_a_table(tmp_path / "photos")
    table = tmp_path / "photos" / "labels.csv"
    pd.read_csv(table).to_parquet(table.with_suffix(".parquet"))
    table.unlink()
    check_source(opened(pack(tmp_path / "photos", tmp_path / "photos.zip")))


def test_the_one_table_in_an_archive_that_names_images_counts(folder, tmp_path):
    images = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.png")}
    rows = "".join(f"{path},{path[-5:-4]}\n" for path in images)
    tables = {"m.csv": f"image_id,dx\n{rows}", "p.csv": "pixel,label\n1,2\n", "names.csv": "id,class\n0,blue\n"}
    with pytest.raises(UserError, match=r"a.zip/m.csv has no column with a usual name for the label"):
        opened(zip_of(tmp_path / "a.zip", images | tables))
    source = opened(tmp_path / "a.zip", label_column="dx")
    assert source.class_names == ["0", "1", "2", "3"]
    check_source(source)


@pytest.mark.parametrize("names", [["names.csv"], ["1.csv", "2.csv"], ["damaged.parquet"]])
def test_tables_in_an_archive_that_do_not_count_are_named(folder, tmp_path, names):
    images = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.png")}
    row = "0,blue" if names == ["names.csv"] else "blue/000.png,blue"
    archive = zip_of(tmp_path / "a.zip", images | dict.fromkeys(names, f"path,label\n{row}\n"))
    source = opened(archive)
    assert source.class_names == sorted(COLOURS)
    assert source.warnings[0].startswith(
        f"the folders count: no table at the top of {archive}, or more than one, names"
    )
    assert f"({', '.join(names)})" in source.warnings[0]
    with pytest.raises(UserError, match="--path_column path: no table at the top of"):
        opened(archive, path_column="path")
    with pytest.raises(UserError, match=r"holds no folders of images.*; no table at the top of .*names.csv"):
        opened(zip_of(tmp_path / "b.zip", {"0.png": b"x", "names.csv": "id,class\n9,blue\n"}))


def test_a_row_of_a_table_in_an_archive_stays_in_it(folder, tmp_path):
    inside = {f"{number}.png": b"x" for number in range(3)}
    for outside in (folder / "blue" / "000.png", f"../{folder.name}/blue/000.png", "/etc/passwd"):
        content = "path,label\n" + "".join(f"{name},x\n" for name in [*inside, outside])
        with pytest.raises(UserError, match=r"labels.csv row 5: there is no file"):
            opened(zip_of(tmp_path / "a.zip", inside | {"labels.csv": content}))


# which members are taken

NAMES = st.sampled_from(["cat", "dog", ".hidden", "__MACOSX", "1.png", "2.JPG", "a.txt", "Thumbs.db", "x.y", "_"])


@FEW
@given(st.lists(st.lists(NAMES, min_size=1, max_size=4), max_size=8), st.sampled_from([".zip", ".tar"]))
def test_what_is_ignored_of_a_folder_is_ignored_of_its_archive(tmp_path_factory, paths, ending):
    root = tmp_path_factory.mktemp("any") / "root"
    for path in [["top.png"], *paths]:
        file = root.joinpath(*path)
        if not any(each.is_file() for each in (file, *file.parents)) and not file.is_dir():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
    tree, packed = walk(root), tree_of(pack(root, root.with_name(f"root{ending}")))
    assert packed.files["path"].tolist() == tree.files["path"].tolist()
    assert kinds(packed) == kinds(tree)


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_names_that_lead_out_are_not_taken(tmp_path, make):
    names = ["/etc/cat/1.png", "../cat/2.png", "cat/../../3.png", "C:/cat/4.png", "x" * 5000]
    tree = tree_of(make(tmp_path / "a.arc", dict.fromkeys([*names, "./cat//5.png", "6.png"], b"x")))
    assert tree.files["path"].tolist() == ["6.png", "cat/5.png"]
    assert set(kinds(tree).values()) == {"name that leads out of the archive, or is too long"}
    assert tree.read("cat/5.png") == b"x"
    assert set(kinds(tree)) == {*names}


def test_names_in_a_zip_are_utf8_or_code_page_437_and_have_slashes(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in ("caf\u00e9/1.png", "na\u00efve/2.png", "dog\\3.png"):
            file.writestr(name, b"x")
    content = (
        (tmp_path / "a.zip").read_bytes().replace("na\u00efve".encode(), b"na\x8bve!").replace(b"\x00\x08", b"\0\0")
    )
    (tmp_path / "a.zip").write_bytes(content)
    found = tree_of(tmp_path / "a.zip").files["path"].tolist()
    assert found == sorted(["caf\u00e9/1.png", "na\u00efve!/2.png", "dog/3.png"])


def test_names_in_a_tar_that_are_no_utf8_are_escaped(tmp_path):
    tree = tree_of(tar_of(tmp_path / "a.tar", {os.fsdecode(b"caf\xe9/1.png"): b"one", "2.png": b"two"}))
    assert tree.files["path"].tolist() == ["2.png", r"caf\xe9/1.png"]
    assert tree.read(r"caf\xe9/1.png") == b"one"


def test_the_last_member_of_a_name_counts(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for content in (b"old", b"new"):
            file.writestr("cat/1.png", content)
    assert tree_of(tmp_path / "a.zip").read("cat/1.png") == b"new"


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_links_are_no_files_but_hard_links_are(tmp_path):
    members = {
        "a.png": b"x",
        "b.png": link("b.png", "a.png"),
        "c.png": link("c.png", "/etc/passwd", tarfile.LNKTYPE),
        "d.png": link("d.png", "./a.png", tarfile.LNKTYPE),
        "e.png": link("e.png", "", tarfile.FIFOTYPE),
    }
    tree = tree_of(tar_of(tmp_path / "a.tar", members))
    assert tree.files["path"].tolist() == ["a.png", "d.png"]
    assert tree.read("d.png") == b"x"
    assert kinds(tree) == {"b.png": "link in an archive", "c.png": "link in an archive", "e.png": "no regular file"}
    symbolic = zipfile.ZipInfo("b.png")
    symbolic.create_system, symbolic.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(symbolic, "a.png")
        file.writestr("a.png", b"x")
    assert kinds(tree_of(tmp_path / "a.zip")) == {"b.png": "link in an archive"}


CENTRAL, FLAGS, SIZE = b"PK\x01\x02", 8, 24


def patched(path, offset, form, value):
    """A zip with one field of its first entry overwritten."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, content.index(CENTRAL) + offset, value)
    path.write_bytes(content)
    return path


def test_an_encrypted_member_is_refused(tmp_path):
    path = patched(zip_of(tmp_path / "a.zip", {"cat/1.png": b"x"}), FLAGS, "<H", 1)
    with pytest.raises(UserError, match=r"a.zip: cat/1.png is encrypted; an archive without a password is expected"):
        opened(path)


@pytest.mark.parametrize(("size", "kind"), [(4_000_000_000, "too large for a picture"), (500_000_000, BOMB)])
def test_a_member_that_claims_too_much_is_not_read(tmp_path, size, kind):
    path = patched(zip_of(tmp_path / "a.zip", {"bomb.png": b"x", "1.png": b"y"}), SIZE, "<I", size)
    assert kinds(tree_of(path)) == {"bomb.png": kind}


def test_members_that_share_their_bytes_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("0.png", os.urandom(50_000))
        first = file.filelist[0]
        for number in range(1, 10):
            again = zipfile.ZipInfo(f"{number}.png")
            for name in ("header_offset", "file_size", "compress_size", "CRC", "file_offset"):
                if hasattr(first, name):
                    setattr(again, name, getattr(first, name))
            file.filelist.append(again)
            file.NameToInfo[again.filename] = again
    with pytest.raises(UserError, match=r"a.zip is no archive that can be read"):
        opened(tmp_path / "a.zip")


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_compressed_bomb_is_stopped(tmp_path, ending, monkeypatch):
    monkeypatch.setattr(members, "ORDINARY_BYTES", 2**20)
    path = tmp_path / f"a{ending}"
    mode = ending.replace(".tar.", "w:")
    with tarfile.open(path, mode) as file:
        member = tarfile.TarInfo("1.png")
        member.size = 2**24
        file.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(UserError, match=f"is no archive that can be read: it is {BOMB}"):
        opened(path)
    assert not list((tmp_path / "workdir" / "unpacked").iterdir())


# what is damaged or changed


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tgz", ".tar.xz"])
@pytest.mark.parametrize("content", [b"", b"x" * 2000, b"PK\x03\x04", b"\x1f\x8b" * 40, b"\xfd7zXZ\0more"])
def test_what_is_no_archive_is_refused(tmp_path, ending, content):
    path = tmp_path / f"photos{ending}"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"photos{ending} is no archive that can be read: \w+"):
        opened(path)


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".zip"])
def test_an_archive_that_is_cut_short_is_refused(folder, tmp_path, ending):
    path = pack(folder, tmp_path / f"photos{ending}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="is no archive that can be read"):
        opened(path)


def test_a_damaged_header_in_a_tar_ends_no_archive(tmp_path):
    path = tar_of(tmp_path / "photos.tar", {f"{name}/{number}.png": b"x" for name in COLOURS for number in range(4)})
    content = bytearray(path.read_bytes())
    start = content.index(b"green/2.png")
    content[start + 148 : start + 156] = b"\xff" * 8  # the checksum
    path.write_bytes(content)
    with pytest.raises(UserError, match="is no header of a member"):
        opened(path)


def test_a_damaged_member_is_named(folder, tmp_path):
    path = pack(folder, tmp_path / "photos.zip", method=zipfile.ZIP_STORED)
    content = path.read_bytes()
    image = (folder / "green" / "002.png").read_bytes()
    path.write_bytes(content.replace(image, image[:-1] + b"?"))
    with pytest.raises(UserError, match=r"photos.zip/green/002.png cannot be read: damaged in the archive: Bad CRC-32"):
        plan(PreprocessConfig(data=str(path), workdir=tmp_path / "workdir"))


def test_what_is_said_of_a_damaged_member_is_short(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"1.png": os.urandom(5000)})
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, 26, 4000)  # the length of its name
    path.write_bytes(content)
    with pytest.raises(OSError, match="damaged in the archive: File name in directory") as refusal:
        tree_of(path).read("1.png")
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_an_archive_that_was_changed_is_not_read_on_by_other_processes(folder, tmp_path, ending):
    source = opened(pack(folder, tmp_path / f"photos{ending}"))
    path = source.table["path"][0]
    pack(folder, tmp_path / f"photos{ending}", top="more/")
    with pytest.raises(OSError, match="the archive was changed"):
        in_other_processes(source.read, [path])


def readable_or_refused(path):
    try:
        source = opened(path)
        source.content_digests(source.table["path"].tolist())
    except UserError as refusal:
        assert str(refusal).isprintable()
        assert len(str(refusal)) < 1500


@FEW
@given(st.binary(max_size=2000), st.sampled_from(ENDINGS))
@example(b"PK\x05\x06" + bytes(18), ".zip")
def test_any_bytes_are_an_archive_or_refused_in_a_sentence(tmp_path_factory, content, ending):
    path = tmp_path_factory.mktemp("any") / f"any{ending}"
    path.write_bytes(content)
    readable_or_refused(path)


@pytest.fixture(scope="module")
def packed(folder):
    small = folder.parent / "small"
    for seed, name in enumerate(COLOURS):
        for number in range(2):
            write_image(small / name / f"{number}.png", COLOURS[name], 10 * seed + number, size=2)
    (small / "labels.csv").write_text("path,label\n" + "".join(f"{n}/{i}.png,{n}\n" for n in COLOURS for i in range(2)))
    return {ending: pack(small, folder.parent / f"small{ending}").read_bytes() for ending in (".zip", ".tar", ".tgz")}


@settings(FEW, max_examples=200)
@given(st.sampled_from([".zip", ".tar", ".tgz"]), st.data())
def test_a_damaged_archive_is_read_or_refused_in_a_sentence(tmp_path_factory, packed, ending, data):
    content = bytearray(packed[ending])
    assume(content)
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6)):
        content[place] = value
    path = tmp_path_factory.mktemp("damaged") / f"a{ending}"
    path.write_bytes(content[: data.draw(st.just(len(content)) | places)])
    readable_or_refused(path)


# what is kept


def test_digests_of_an_unchanged_archive_are_taken_once(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "SETTLED_NANOSECONDS", -(10**12))
    source = opened(pack(folder, tmp_path / "photos.zip"))
    paths = source.table["path"].tolist()
    digests = source.content_digests(paths)
    monkeypatch.setattr(ZipMembers, "read", None)
    assert opened(tmp_path / "photos.zip").content_digests(paths) == digests


def test_one_plain_copy_of_a_compressed_archive_is_kept(folder, tmp_path):
    unpacked = tmp_path / "workdir" / "unpacked"
    unpacked.mkdir(parents=True)
    (unpacked / f"x.tar.{process.place_name()}.999999999-1_0.part").write_bytes(b"left")
    opened(pack(folder, tmp_path / "photos.tgz"))
    (first,) = unpacked.iterdir()
    stamp = first.stat()
    opened(tmp_path / "photos.tgz")
    assert first.stat() == stamp
    opened(pack(folder, tmp_path / "photos.tgz", top="more/"))
    (second,) = unpacked.iterdir()
    assert second != first
    assert sorted(path.name for path in Path(tmp_path).iterdir()) == ["photos.tgz", "workdir"]
