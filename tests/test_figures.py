import warnings

import numpy as np
import pandas as pd
import pytest

from pipeline import figures
from pipeline.evaluation.measures.confusion import confusion
from pipeline.evaluation.measures.per_class import per_class

AWKWARD = ["$", "a" * 60, "ΩΨ", "under_score", "new class", "%", "日本" * 3]


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def drawn(figure, tmp_path):
    path = tmp_path / "figure.png"
    figure.savefig(path)
    assert path.stat().st_size > 2000


def scored(classes, images=40):
    rng = np.random.default_rng(0)
    return rng.integers(0, classes, images), rng.dirichlet(np.ones(classes), images)


@pytest.mark.parametrize("classes", [2, 7, 30, 120])
def test_figures_are_drawn_for_few_and_many_classes_with_awkward_names(classes, tmp_path):
    names = [f"{AWKWARD[number % len(AWKWARD)]}{number}" for number in range(classes)]
    labels, probabilities = scored(classes)
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3), dtype=np.uint8)
    drawn(figures.sample_sheet(images, labels, names), tmp_path)
    drawn(figures.confusion_matrix(confusion(labels, probabilities), names, "test"), tmp_path)
    drawn(figures.per_class(per_class(labels, probabilities, names), "test"), tmp_path)
    drawn(figures.mistakes(images, labels, probabilities, names, "test"), tmp_path)


def test_no_mistake_at_all_is_drawn_too(tmp_path):
    labels = np.array([0, 1])
    drawn(figures.mistakes(np.zeros((2, 8, 8, 3), np.uint8), labels, np.eye(2), ["a", "b"], "test"), tmp_path)


@pytest.mark.parametrize("epochs", [1, 3, 300])
def test_curves_of_short_and_long_trainings(epochs, tmp_path):
    history = pd.DataFrame({"epoch": np.arange(1, epochs + 1)})
    for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy"):
        history[name] = np.linspace(0.1, 0.9, epochs)
    drawn(figures.curves(history, 0.02), tmp_path)
    steps = pd.DataFrame({"step": np.arange(1, 5 * epochs + 1), "loss": np.linspace(4, 1, 5 * epochs)})
    drawn(figures.loss_by_step(steps, history.assign(test_accuracy=0.3)), tmp_path)
