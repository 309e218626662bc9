"""What a person sees in MLflow's UI and in a report, in a real browser.

PIPELINE_SCREENSHOTS=docs/images writes the pictures of the documentation there: of the built-in images, which are more
than a test needs.
"""

import io
import json
import os
import shutil
import urllib.parse
from pathlib import Path

import pytest
from images import write_class_folders
from mlflow.tracking import MlflowClient
from PIL import Image
from servers import TrackingServer

from pipeline.__main__ import run

PICTURES = os.environ.get("PIPELINE_SCREENSHOTS")
CHROMIUM = shutil.which("chromium")
VIEW = "workflowType=machine_learning"
PATIENCE_MS = 30_000
ROOT = Path(__file__).parents[2]
# MLflow opens its assistant over a quarter of the first page.
ASSISTANT_WAS_OPENED = "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1"
COLOURS = 64
# What is drawn little by little stands still after that.
STILL_MS = 2_000
TRAINING = {"model": "two-layer-numpy", "image_size": "16", "width": "32"}
SEARCH = {
    "epochs": "1",
    "trials": "2",
    "final_epochs": "1",
    "final_image_size": "16",
    "pruner": "none",
    "study": "small",
}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's package chromium is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a training and a search, and a report of them in the current folder."""
    folder = tmp_path_factory.mktemp("browser")
    started = TrackingServer(folder)
    started.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PIPELINE_WORKDIR", str(folder / "workdir"))
        patch.setenv("MLFLOW_TRACKING_URI", started.address)
        data = {} if PICTURES else {"data": str(write_class_folders(folder / "colours"))}
        run("train", TRAINING | data | {"epochs": "2"})
        run("search", TRAINING | data | SEARCH)
        run("report", {"output": str(folder / "report.html")})
        yield started
    started.kill()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser):
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(PATIENCE_MS)
    opened.add_init_script(f"localStorage.setItem('{ASSISTANT_WAS_OPENED}', 'true')")
    yield opened
    opened.close()


def see(page, address, *texts):
    """Open an address and wait until each text is to be seen."""
    page.goto("about:blank")
    page.goto(address)
    for text in texts:
        page.get_by_text(text).first.wait_for()


def picture(page, name, height=800):
    """Write a picture of the page for the documentation, if it is wanted, in few colours so that its file is small.

    height: of its upper part, which names no folder of this machine.
    """
    if PICTURES:
        page.wait_for_timeout(STILL_MS)
        shot = Image.open(io.BytesIO(page.screenshot()))
        shot = shot.convert("RGB").crop((0, 0, shot.width, height))
        shot.quantize(COLOURS).save(ROOT / PICTURES / f"{name}.png", optimize=True)


def of_stage(server, stage):
    return MlflowClient(server.address).search_runs(["0"], f"tags.stage = '{stage}'")


def test_from_the_list_of_runs_to_the_registered_model(server, page):
    runs = f"{server.address}/#/experiments/0/runs"
    (search,) = of_stage(server, "search")
    of_search, alone = of_stage(server, "train")
    see(page, f"{runs}?{VIEW}", alone.info.run_name, search.info.run_name)
    see(page, f"{runs}/{search.info.run_id}?{VIEW}", "Child runs", "trial-000", "trial-001")
    picture(page, "mlflow-study", height=620)
    compared = urllib.parse.quote(json.dumps([of_search.info.run_id, alone.info.run_id]))
    see(page, f"{server.address}/#/compare-runs?runs={compared}&experiments=%5B%220%22%5D&{VIEW}", "val_accuracy")
    page.get_by_text("Run details").first.evaluate("each => each.scrollIntoView()")
    picture(page, "mlflow-ui")
    see(page, f"{runs}?{VIEW}&compareRunsMode=CHART", "Model metrics", "best_val_accuracy")
    see(page, f"{runs}/{search.info.run_id}/artifacts/figures/slice.png?{VIEW}", "slice.png", "Path:")
    page.locator("img[src^='blob:'], img[src^='data:image/png']").first.wait_for()
    model, version = search.data.tags["registered_model"], search.data.tags["registered_version"]
    see(page, f"{server.address}/#/models/{model}/versions/{version}?{VIEW}", model, "champion")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1100])
def test_a_report_fits_its_window_and_shows_all_figures(server, browser, scheme, width):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((Path.cwd() / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.images].every(each => each.naturalWidth > 0 && each.alt)")
    assert page.locator("#search img").count() > 0
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    if width > 1000 and scheme == "light":
        picture(page, "report")
    page.close()
