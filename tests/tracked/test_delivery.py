import json
from types import SimpleNamespace

from pipeline.tracked.delivery import Delivery, keep, pack, unpack
from pipeline.tracked.fitting import SavedNetwork
from pipeline.training.run_folder import path_of


def test_what_mlflow_has_not_got_of_a_run_moves_to_another_work_folder(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    folder = path_of(there, "a-run")
    folder.mkdir(parents=True)
    (folder / "history.jsonl").write_text("{}\n")
    (folder / "network.npz").write_bytes(b"weights")
    network = SavedNetwork(str(folder / "network.npz"), {"class_names": ["a", "b"]}, ["numpy"])
    keep(Delivery("a study", {"best_val_accuracy": 0.5}, network), there, SimpleNamespace(id="a-run"))
    unpack(pack(there, "a-run"), here, "a-run")
    assert pack(there, "a-run") is None  # nobody logs it a second time
    moved = path_of(here, "a-run")
    kept = json.loads((moved / "undelivered.json").read_text())
    assert (kept["study"], kept["metrics"]) == ("a study", {"best_val_accuracy": 0.5})
    assert kept["network"]["file"] == str(moved / "network.npz")
    assert (moved / "network.npz").read_bytes() == b"weights"
    assert (moved / "history.jsonl").read_text() == "{}\n"
