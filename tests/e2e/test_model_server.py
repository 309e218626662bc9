"""A registered champion, served from an empty folder by MLflow's own server."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import psutil
import pytest
import requests
from images import SMALL, write_class_folders
from own_place import settle_in
from processes import wait_for

from pipeline.__main__ import run
from pipeline.tracking import model_address

PAGE = Path(__file__).parents[2] / "docs" / "use.md"
CHAMPION = "models:/colours@champion"
GIF_OF_A_BILLION_PIXELS = b"GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x00;"


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory, empty_store):
    """(address, folder, model): the champion behind the server; a photo.jpg lies in the server's folder."""
    folder = tmp_path_factory.mktemp("server")
    images = write_class_folders(folder / "colours")
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, empty_store)
        run("train", SMALL | {"data": str(images), "epochs": "4"})
        (trained,) = mlflow.search_runs(filter_string="tags.stage = 'train'", output_format="list")
        version = mlflow.register_model(model_address(trained.info.run_id), "colours").version
        mlflow.MlflowClient().set_registered_model_alias("colours", "champion", version)
        empty = folder / "empty"
        empty.mkdir()
        port = free_port()
        command = ["mlflow", "models", "serve", "-m", CHAMPION, "--env-manager", "local", "--port", str(port)]
        values = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        values["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with (folder / "log.txt").open("w") as log:
            process = subprocess.Popen(command, cwd=empty, env=values, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: answers(f"{address}/ping"), seconds=240)
            shutil.copy(images / "red" / "000.png", empty / "photo.jpg")
            yield address, empty, mlflow.pyfunc.load_model(CHAMPION)
        finally:
            family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
            for each in family:
                each.kill()


def free_port():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(address):
    try:
        return requests.get(address, timeout=5).ok
    except requests.ConnectionError:
        return False


def asked(address, body, content_type="application/json"):
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return requests.post(f"{address}/invocations", data=data, headers={"Content-Type": content_type}, timeout=60)


def forms_of(text, content, folder):
    pd.DataFrame({"image": [content]}).to_parquet(folder / "asked.parquet")
    return {
        "split": ({"dataframe_split": {"columns": ["image"], "data": [[text]]}},),
        "records": ({"dataframe_records": [{"image": text}]},),
        "instances": ({"instances": [text]},),
        "instances with a name": ({"instances": [{"image": text}]},),
        "inputs": ({"inputs": [text]},),
        "inputs with a name": ({"inputs": {"image": [text]}},),
        "csv": (f"image\n{text}\n", "text/csv"),
        "parquet": ((folder / "asked.parquet").read_bytes(), "application/vnd.apache.parquet"),
    }


def test_each_form_gets_the_models_answer_to_the_bit(server):
    address, folder, model = server
    content = (folder / "photo.jpg").read_bytes()
    expected = model.predict(content).to_dict("records")
    assert expected[0]["label"] == "red"
    for name, form in forms_of(base64.b64encode(content).decode(), content, folder).items():
        reply = asked(address, *form)
        assert reply.status_code == 200, (name, reply.text)
        assert reply.json()["predictions"] == expected, name


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n{} loop", "EPS is a program"),
        (b"secret words that are no picture", "its format is not known"),
        (GIF_OF_A_BILLION_PIXELS, "4,294,836,225|65,535 x 65,535 pixels are more than the 50,000,000"),
        (b"", "the file is empty"),
    ],
)
def test_a_wrong_request_is_a_400_with_a_reason_that_does_not_repeat_it(server, content, reason):
    address, folder, _ = server
    text = base64.b64encode(content).decode()
    for name, form in forms_of(text, content, folder).items():
        if name == "csv" and not content:
            continue
        reply = asked(address, *form)
        assert reply.status_code == 400, name
        assert re.search(reason, reply.json()["message"]), (name, reply.text)
        assert "Traceback" not in reply.text
        assert not text or text not in reply.text, name


def test_no_file_of_the_server_is_read_and_no_more_than_the_limit_is_answered(server):
    address, folder, _ = server
    path = str(folder / "photo.jpg")
    for body in ({"inputs": [path]}, {"inputs": path}, {"instances": [path]}, {"dataframe_records": [{"image": path}]}):
        reply = asked(address, body)
        assert reply.status_code == 400
        assert path not in reply.text
    reply = asked(address, {"inputs": ["a"] * 257})
    assert reply.status_code == 400
    assert "257 images; at most 256" in reply.json()["message"]


def test_a_raw_body_is_refused_by_mlflow(server):
    address, folder, _ = server
    assert asked(address, (folder / "photo.jpg").read_bytes(), "image/jpeg").status_code == 415


def block(language, holding):
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (text,) = [each for each in found if holding in each]
    return text


@pytest.mark.parametrize(
    ("language", "program"),
    [("bash", ["bash", "-c"]), ("python", [sys.executable, "-c"]), ("javascript", ["node", "-e"])],
)
def test_the_examples_of_the_page_get_an_answer(server, language, program):
    if not shutil.which(program[0]):
        pytest.skip(f"{program[0]} is not installed")
    address, folder, _ = server
    text = block(language, "/invocations").replace("http://127.0.0.1:5001", address)
    done = subprocess.run([*program, text], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "red" in done.stdout


def test_the_lines_of_python_on_the_page_get_an_answer(server):
    _, folder, _ = server
    text = block("python", "load_model").replace("models:/NAME@champion", CHAMPION)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "red" in done.stdout
