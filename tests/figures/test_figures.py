from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from pipeline import figures
from pipeline.evaluation.measures.confusion import confusion
from pipeline.evaluation.measures.per_class import per_class
from pipeline.figures.confusion import order_by_confusion

AWKWARD = ["$", "a" * 60, "ΩΨ", "under_score", "new class", "%", "日本" * 3, "WIDE " * 60, "a\nb", "עברית", " "]


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


@pytest.mark.parametrize("classes", [2, 30, 120])
def test_the_quality_of_images_is_drawn_with_and_without_findings(classes, tmp_path):
    names = [f"{AWKWARD[number % len(AWKWARD)]}{number}" for number in range(classes)]
    counts = {"train": list(range(classes)), "val": [1] * classes, "test": [0] * classes}
    image = np.zeros((8, 8, 3), np.uint8)
    pairs = [figures.Pair(image, image, ["$a", "b" * 60, "3 of 64 bits apart"])] * 9
    sizes = np.random.default_rng(0).integers(1, 5000, (40, 2))
    drawn(figures.quality(sizes, counts, names, pairs), tmp_path)
    drawn(figures.quality(np.full((3, 2), 28), counts, names, []), tmp_path)


def test_no_mistake_at_all_is_said_in_a_line():
    labels = np.array([0, 1])
    figure = figures.mistakes(np.zeros((2, 8, 8, 3), np.uint8), labels, np.eye(2), ["a", "b"], "test")
    assert [text.get_text() for text in figure.texts] == ["test: no mistakes"]


def test_a_mistake_says_what_was_predicted_what_is_true_and_of_which_file():
    probabilities = np.array([[0.95, 0.05], [0.9, 0.1]])
    images = np.zeros((2, 8, 8, 3), np.uint8)
    figure = figures.mistakes(images, np.array([1, 0]), probabilities, ["$cat", "dog"], "test", ["x/1.png", "2.png"])
    assert figure.axes[0].get_title() == "predicted \\$cat 95%\ntrue dog\n1.png"


def table_of(names, images=3):
    recall = np.linspace(0, 1, len(names))
    table = pd.DataFrame({"class": names, "images": images, "precision": recall / 2, "recall": recall})
    return table.assign(recall_low=recall * 0.9, recall_high=recall * 0.9 + 0.1)


def figures_of(names):
    counts = np.random.default_rng(0).poisson(0.1, (len(names), len(names))) + 20 * np.eye(len(names), dtype=int)
    return {
        "confusion_matrix": figures.confusion_matrix(counts, names, "title"),
        "per_class": figures.per_class(table_of(names), "title"),
    }


@pytest.mark.parametrize("name", ["confusion_matrix", "per_class"])
@pytest.mark.parametrize("classes", [2, 21, 50, 100, 120, 600])
def test_no_text_is_cut_off_and_no_name_overlaps_the_next(name, classes):
    names = [f"{AWKWARD[number % len(AWKWARD)]}{number}" for number in range(classes)]
    figure = figures_of(names)[name]
    # One renderer for all texts: without this canvas matplotlib makes one a text.
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible() and text.axes is not None:
            box = text.get_window_extent(canvas.get_renderer())
            assert box.x0 >= -1 and box.y0 >= -1, text
            assert box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1, text
    for axes in figure.axes:
        assert_apart(axes.get_yticklabels(), canvas.get_renderer(), ("y0", "y1"))
        assert_apart(axes.get_xticklabels(), canvas.get_renderer(), ("x0", "x1"))


def assert_apart(texts, renderer, ends):
    boxes = [text.get_window_extent(renderer) for text in texts if text.get_text() and text.get_visible()]
    spans = sorted((getattr(box, ends[0]), getattr(box, ends[1])) for box in boxes)
    assert all(end <= start + 1 for (_, end), (start, _) in pairwise(spans))


def texts_of(axes):
    return [text.get_text() for text in axes.texts]


def test_a_class_without_a_hit_and_one_without_an_image_say_so():
    table = table_of(["missed", "absent", "found"], [3, 0, 5]).assign(recall=[0, 0, 1])
    axes = figures.per_class(table, "t").axes[0]
    assert texts_of(axes) == ["no images", "0%, 0 of 3 images"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["absent (n=0)", "missed (n=3)", "found (n=5)"]


def test_of_many_classes_the_best_and_the_worst_are_drawn():
    figure = figures.per_class(table_of([f"{number:04}" for number in range(1000)], [0] * 10 + [3] * 990), "t")
    drawn_names = [label.get_text()[:4] for label in figure.axes[0].get_yticklabels()]
    assert drawn_names == [f"{number:04}" for number in (*range(10, 35), *range(975, 1000))]
    assert "… 940 classes between, recall 4% to 97% …" in texts_of(figure.axes[0])
    assert "10 classes without images" in figure.get_suptitle()


def test_a_small_confusion_matrix_has_its_numbers_but_no_zeros():
    axes = figures.confusion_matrix(np.array([[12345, 0], [2, 3]]), ["a", "b"], "t").axes[0]
    assert texts_of(axes) == ["12,345", "2", "3"]


def test_of_many_classes_the_pairs_that_are_confused_most_are_listed():
    counts = 5 * np.eye(200, dtype=int)
    counts[150, 3], counts[7, 80] = 4, 2
    names = [f"class {number}" for number in range(200)]
    pairs = figures.confusion_matrix(counts, names, "t").axes[1]
    assert texts_of(pairs) == ["4 of 9", "2 of 7"]
    assert [label.get_text() for label in pairs.get_yticklabels()] == ["class 150", "class 7"]
    assert [label.get_text() for label in pairs.child_axes[0].get_yticklabels()] == ["class 3", "class 80"]


def test_classes_that_are_confused_stand_together_in_an_overview():
    counts = 5 * np.eye(200, dtype=int)
    counts[150, 3] = counts[3, 150] = 4
    order = list(order_by_confusion(counts / counts.sum(axis=1, keepdims=True)))
    assert sorted(order) == list(range(200))
    assert abs(order.index(3) - order.index(150)) == 1


def test_a_spike_of_the_loss_is_said_and_does_not_press_the_rest_into_a_line():
    epochs = np.arange(1, 21)
    losses = 3 * np.exp(-epochs / 8) + 0.8
    history = pd.DataFrame({"epoch": epochs, "train_loss": losses, "val_loss": losses, "train_accuracy": 0.5})
    history["val_accuracy"] = np.where(epochs == 7, 0.6, 0.4)
    (_, loss_axes), spiked = figures.curves(history, 0.02, 7).axes, history.copy()
    assert "above the axis" not in loss_axes.get_title()
    spiked.loc[1, "val_loss"] = 85.3
    accuracy_axes, loss_axes = figures.curves(spiked, 0.02, 7).axes
    assert loss_axes.get_ylim()[1] < 5
    assert loss_axes.get_title().endswith("above the axis: 85.3 in epoch 2")
    (best,) = (line for line in accuracy_axes.lines if line.get_label() == "best epoch")
    assert (best.get_xdata()[0], best.get_ydata()[0]) == (7, 0.6)


def test_a_sheet_of_samples_says_how_many_images_each_class_has():
    sheet = figures.sample_sheet(np.zeros((5, 8, 8, 3), np.uint8), np.array([0, 0, 0, 1, 1]), ["cat", "dog"])
    assert [label.get_text() for label in sheet.axes[0].get_yticklabels()] == ["cat (n=3)", "dog (n=2)"]


@pytest.mark.parametrize(("first", "second"), [(1, 0), (0, 7), (12, 12), (7, 3)])
def test_images_of_one_model_alone_stand_in_rows_of_their_own(first, second):
    table = pd.DataFrame({"right": ["first"] * first + ["second"] * second})
    table = table.assign(predicted_first="$cat", predicted_second="dog", probability_first=0.8, probability_second=0.5)
    figure = figures.differing(np.zeros((first + second, 8, 8, 3), np.uint8), table, "val")
    figure.draw_without_rendering()
    shown = [bool(axes.get_images()) for axes in figure.axes]
    assert sum(shown) == first + second
    of_first = figure.axes[: -(-first // 6) * 6]
    assert sum(bool(axes.get_images()) for axes in of_first) == first
    drawn_axes = next(axes for axes in figure.axes if axes.get_images())
    assert drawn_axes.get_title().endswith("is right\nfirst: \\$cat 80%\nsecond: dog 50%")


def changed(classes):
    change = np.linspace(1, -1, classes)
    names = [f"class {number}" for number in range(classes)]
    p = 1 - np.abs(change)
    columns = {"class": names, "images": 9, "first_accuracy": (1 - change) / 2, "second_accuracy": (1 + change) / 2}
    return pd.DataFrame(columns | {"change": change, "p": p, "p_adjusted": p})


@pytest.mark.parametrize("classes", [2, 10, 50, 1000])
def test_the_classes_that_moved_are_drawn_from_the_greatest_gain_to_the_greatest_loss(classes):
    figure = figures.class_changes(changed(classes), ("one", "another"), "val")
    figure.draw_without_rendering()
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert len(names) == min(classes, 40)
    assert names[0] == "class 0 (n=9)"
    assert names[-1] == f"class {classes - 1} (n=9)"
    assert ("that did so most clearly" in figure.axes[0].get_title()) == (classes > 40)


@pytest.mark.parametrize("epochs", [1, 3, 300])
def test_curves_of_short_and_long_trainings(epochs, tmp_path):
    history = pd.DataFrame({"epoch": np.arange(1, epochs + 1)})
    for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy"):
        history[name] = np.linspace(0.1, 0.9, epochs)
    drawn(figures.curves(history, 0.02, 1), tmp_path)
    steps = pd.DataFrame({"step": np.arange(1, 5 * epochs + 1), "loss": np.linspace(4, 1, 5 * epochs)})
    drawn(figures.loss_by_step(steps, history.assign(test_accuracy=0.3)), tmp_path)
