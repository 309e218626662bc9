"""A file (.onnx) for ONNX Runtime and other programs that read ONNX."""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.quiet import quiet_start
from pipeline.export.formats import Answer, Facts

if TYPE_CHECKING:
    import keras

ENDING = ".onnx"
IS_FOLDER = False
QUANTIZES = False
PACKAGES = ("onnxruntime",)
MODULES = ("onnx", "onnxruntime", "tf2onnx")
# Read by ONNX Runtime 1.12 (2022) and later.
OPSET = 17
SAMPLE_IMPORT = "import onnxruntime"
SAMPLE = """\
session = onnxruntime.InferenceSession(model)
probabilities = session.run(["probabilities"], {"pixels": images})[0][0]
"""


def write(model: "keras.Model", path: Path, facts: Facts, calibration: np.ndarray | None) -> None:
    """Write the model, with `facts` as its metadata, each in JSON."""
    import onnx

    # Keras exports no model that was never called.
    model(np.zeros((1, *model.input_shape[1:]), np.uint8))
    with quiet_start(), warnings.catch_warnings():
        # tf2onnx asks NumPy for a name that is gone.
        warnings.simplefilter("ignore", FutureWarning)
        model.export(path, format="onnx", opset_version=OPSET, verbose=False)
    made = onnx.load(path)
    _name_outputs(made.graph)
    onnx.helper.set_model_props(made, {name: json.dumps(value) for name, value in facts.items()})
    onnx.checker.check_model(made)
    onnx.save(made, path)


def load(path: Path, threads: int | None = None) -> Answer:
    """The file in ONNX Runtime, on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if threads:
        options.intra_op_num_threads = options.inter_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["probabilities"], {"pixels": images})[0]


def _name_outputs(graph) -> None:
    """Call the output and the first axis what they are: tf2onnx numbers them."""
    before = graph.output[0].name
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = ["probabilities" if name == before else name for name in names]
    graph.output[0].name = "probabilities"
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
