"""What a run of preprocess says of a data set."""

import re

import mlflow
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.config import PreprocessConfig
from pipeline.errors import UserError
from pipeline.tracked.data import prepare


@pytest.fixture
def odd_folder(image_folder):
    """Three dark pictures of 16 bits, each with other numbers to say of it, and a GIF of two frames."""
    for number in range(3):
        values = np.full((20, 20), 3000 + number, np.uint16)
        values[0, 0] = 0
        Image.fromarray(values).save(image_folder / "red" / f"dark{number}.png")
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(image_folder / "blue" / "moving.gif", save_all=True, append_images=frames[1:])
    return image_folder


def test_what_is_odd_about_files_is_counted_and_listed_each_time(here, odd_folder, capsys):
    config = PreprocessConfig(data=str(odd_folder), workdir=here / "workdir", image_size=16)
    for _ in ("written", "found again"):
        data, run_id = prepare(config)
        (said,) = [line for line in capsys.readouterr().err.splitlines() if "odd" in line]
        assert said.startswith(
            "warning: 4 files are odd but used, see tables/notes.csv: 3 its values need … of its … bits"
        )
        assert said.endswith("; 1 holds more than one picture: the first is used")
        listed = pd.read_csv(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="tables/notes.csv"))
        assert listed["path"].tolist() == ["blue/moving.gif", *(f"red/dark{number}.png" for number in range(3))]
        assert mlflow.get_run(run_id).data.metrics["notes"] == 4
    (data.folder / "notes.parquet").unlink()
    assert data.notes().empty


def said_of(here, folder, capsys, **options):
    prepare(PreprocessConfig(data=str(folder), workdir=here / "workdir", image_size=16, **options))
    return capsys.readouterr().err


def test_names_that_look_like_series_lead_to_one_warning_that_says_what_to_type(here, image_folder, capsys):
    for path in sorted(image_folder.rglob("*.png")):
        path.rename(path.with_name(f"clip{path.stem[-3:-1]}_frame{path.stem[-1]}.png"))
    (said,) = [line for line in said_of(here, image_folder, capsys).splitlines() if "series" in line]
    pattern = re.fullmatch(r"warning: 60 images look .* --group_pattern '(.*)' keeps each series in one split", said)[1]
    with pytest.raises(UserError, match="too few to give one to test"):
        said_of(here, image_folder, capsys, group_pattern=pattern)
    assert "series" not in said_of(here, image_folder, capsys, group_pattern=r"/clip(\d\d_frame\d)")


def test_images_without_a_group_are_counted(here, image_folder, capsys):
    said = said_of(here, image_folder, capsys, group_pattern=r"([^/]+/00\d)")
    assert "warning: 30 images have no group by --group_pattern ([^/]+/00\\d): each stands alone" in said


@pytest.fixture
def doubtful_folder(image_folder):
    """A picture of one colour, a tiny one, a long one, and a class of which each image was stored anew."""
    Image.new("RGB", (24, 24), "navy").save(image_folder / "blue" / "plain.png")
    Image.open(image_folder / "blue" / "003.png").resize((5, 5)).save(image_folder / "blue" / "tiny.png")
    Image.open(image_folder / "blue" / "004.png").resize((96, 24)).crop((0, 6, 96, 18)).save(image_folder / "long.png")
    (image_folder / "long.png").rename(image_folder / "blue" / "long.png")
    for path in sorted((image_folder / "red").iterdir()):
        Image.open(path).save(path.with_name(f"copy-{path.stem}.bmp"))
    return image_folder


def test_what_is_doubtful_is_said_listed_and_described(here, doubtful_folder, capsys):
    config = PreprocessConfig(data=str(doubtful_folder), workdir=here / "workdir", image_size=16, val_fraction=0.3)
    data, run_id = prepare(config)
    said = capsys.readouterr().err
    assert re.search(
        r"warning: \d+ images have a near-duplicate .* in another split, see tables/quality.csv: kept", said
    )
    assert "warning: 1 picture of one colour, 1 tiny picture, 1 picture of an odd shape: see tables/quality.csv" in said
    listed = pd.read_csv(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="tables/quality.csv"))
    assert list(listed.columns) == ["path", "split", "class", "width", "height", "finding"]
    findings = listed.set_index("path")["finding"]
    assert findings["blue/plain.png"] == "one colour"
    assert findings["blue/tiny.png"] == "tiny: 5 x 5 pixels"
    assert findings["blue/long.png"] == "odd shape: 96 x 12 pixels"
    assert findings.str.startswith("near-duplicate of red/").sum() == 40
    run = mlflow.get_run(run_id)
    assert run.data.metrics["near_duplicates"] == 40
    assert 0 < run.data.metrics["near_duplicates_across_splits"] <= 40
    described = run.data.tags["mlflow.note.content"]
    assert "83 images of 3 classes" in described
    assert "40 images are nearly the same as another one: 0 are equal files" in described
    (data.folder / "quality.parquet").unlink()
    assert "an earlier version prepared these images" in said_of(here, doubtful_folder, capsys, val_fraction=0.3)


def test_a_clean_folder_leads_to_no_warning(here, image_folder, capsys):
    assert "warning" not in said_of(here, image_folder, capsys)
