import sys

import pytest

from pipeline import models
from pipeline.errors import UserError
from pipeline.models import architectures


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A function that writes a file which lies among the architectures as far as Python knows."""
    monkeypatch.setattr(architectures, "__path__", [*architectures.__path__, str(tmp_path)])
    before = set(sys.modules)

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")

    yield write
    for module in set(sys.modules) - before:
        if module.startswith(architectures.__name__):
            del sys.modules[module]


@pytest.mark.parametrize(
    "text",
    [
        "BLOCKS = 3\n",
        "def layer_blocks(input_shape, classes):\n    pass\n",
        "from pipeline.models.architectures.two_layer_numpy import two_layer_numpy\n",
    ],
)
def test_a_file_without_a_model_of_its_name_is_refused(text, write):
    write("layer_blocks", text)
    words = r"layer_blocks\.py: a function layer_blocks decorated with keras_model or numpy_model is expected"
    for ask in (models.recipe, models.ranges, models.trial_budget):
        with pytest.raises(UserError, match=words):
            ask("layer-blocks")


def test_a_file_with_a_model_of_its_name_is_a_model(write):
    write(
        "one_layer",
        "from pipeline.models.networks.numpy_network import numpy_model\n"
        "from pipeline.numpy_lenet.two_layer import two_layer\n\n"
        "@numpy_model(recipe=dict(epochs=7))\n"
        "def one_layer(input_shape, classes, *, width=12, seed=0):\n"
        "    return two_layer(input_shape, classes, depth=1, width=width, dropout=0.0, seed=seed)\n",
    )
    assert models.recipe("one-layer") == {"precision": "float32", "epochs": 7, "width": 12}
