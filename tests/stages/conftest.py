import shutil

import matplotlib
import pytest
from images import SMALL, write_class_folders
from own_place import settle_in

from pipeline.__main__ import run

# Of a figure, these tests ask that it is drawn and logged; what it shows is tested in tests/figures.
FIGURE_DPI = 20


@pytest.fixture(scope="session", autouse=True)
def small_figures():
    """Figures are written as small files, for which there are fewer pixels to draw and to compress."""
    with matplotlib.rc_context({"savefig.dpi": FIGURE_DPI}):
        yield


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory, empty_store):
    """(folder, images, run id) of one small training."""
    folder = tmp_path_factory.mktemp("trained-once")
    images = write_class_folders(folder / "colours")
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, empty_store)
        run("train", SMALL | {"data": str(images), "epochs": "4"})
        from pipeline import tracking

        return folder, images, tracking.newest_run("train")


@pytest.fixture(scope="module")
def trained(trained_once, tmp_path_factory):
    """(folder, images, run id) of that training, in a store and a work folder of the module's own."""
    origin, images, run_id = trained_once
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, origin / "mlflow.db")
        shutil.copytree(origin / "workdir", folder / "workdir")
        yield folder, images, run_id
