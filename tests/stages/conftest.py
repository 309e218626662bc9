import pytest
from images import SMALL, write_class_folders

from pipeline.__main__ import run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(folder, images, run id) of one small training, shared by a module's tests."""
    folder = tmp_path_factory.mktemp("trained")
    images = write_class_folders(folder / "colours")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PIPELINE_WORKDIR", str(folder / "workdir"))
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        run("train", SMALL | {"data": str(images), "epochs": "4"})
        from pipeline import tracking

        yield folder, images, tracking.newest_run("train")
