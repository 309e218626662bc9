"""A file (.tflite) for LiteRT, which was called TensorFlow Lite: phones and small devices."""

import json
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data.quiet import quiet_start
from pipeline.export.formats import Answer, Facts

if TYPE_CHECKING:
    import keras

ENDING = ".tflite"
IS_FOLDER = False
QUANTIZES = True
PACKAGES = ("ai-edge-litert",)
MODULES = ("ai_edge_litert", "tensorflow")
# In 8 bits a probability is a multiple of 1/256: of many classes, several would share the highest.
IN_FLOAT = ["SOFTMAX"]
SAMPLE_IMPORT = "from ai_edge_litert.interpreter import Interpreter"
SAMPLE = """\
interpreter = Interpreter(model_path=model)
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
interpreter.invoke()
probabilities = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
"""


def write(model: "keras.Model", path: Path, facts: Facts, calibration: np.ndarray | None) -> None:
    """Write the model: of float32, or of 8-bit weights and activations, whose ranges `calibration` gives.

    `facts` follow it in the file as facts.json in a zip archive, as TensorFlow has files that belong to a model.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder, quiet_start(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        path.write_bytes(converter.convert() if calibration is None else _quantized(converter, calibration))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("facts.json", json.dumps(facts, indent=1))


def _quantized(converter: Any, calibration: np.ndarray) -> bytes:
    import tensorflow as tf

    def images() -> Iterator[list[np.ndarray]]:
        return ([image[None]] for image in calibration)

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = images
    # Operations that have no 8-bit form stay in float32.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
    # The way that TensorFlow's guide to selective quantisation takes: a converter alone has no such option.
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=images,
        debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=IN_FLOAT),
    )
    return debugger.get_nondebug_quantized_model()


def load(path: Path, threads: int | None = None) -> Answer:
    """The file in LiteRT's interpreter."""
    with quiet_start():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    pixels = interpreter.get_input_details()[0]["index"]
    probabilities = interpreter.get_output_details()[0]["index"]

    def answer(images: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(pixels, images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(pixels, images)
        interpreter.invoke()
        return interpreter.get_tensor(probabilities)

    return answer
