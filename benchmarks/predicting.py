"""How fast `predict` answers, beside the bare network on arrays that are ready.

    python -m benchmarks.predicting --output FOLDER

Trains the default model for one epoch on the built-in images, and has it answer for 20,000 of them: ready arrays of the
prepared size through the network alone, the same arrays as a .npy file through the stage, and JPEG files of 256 x 256
through the stage and through decoding alone. Where pictures have to be decoded, decoding and predicting share the
cores: the stage cannot be faster than the cores' time for both, which is said beside it. Each part leaves a JSON file
in the output folder; a part that is there is not repeated.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.shared import part, provenance
from pipeline import tracking
from pipeline.__main__ import run
from pipeline.config import PredictConfig
from pipeline.data.decoded import decoded
from pipeline.data.pictures import find_pictures

COUNT, SIDE, QUALITY, REPEATS = 20_000, 256, 90, 3


def main() -> None:
    """Measure what is missing, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and the files that are made")
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    output, count = arguments.output.absolute(), arguments.count
    output.mkdir(parents=True, exist_ok=True)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{output / 'mlflow.db'}"
    os.environ["PIPELINE_WORKDIR"] = str(output / "workdir")
    found = part(output / "predicting.json", lambda: _measured(output, count))
    seconds = found["seconds"]
    for name, value in seconds.items():
        print(f"{name}: {found['images'] / value:,.0f} images a second")
    bare = seconds["network on ready arrays"]
    both = bare + seconds["decoding of JPEG files"]
    print(f"stage on an array, of the bare network: {bare / seconds['stage on an array']:.2f}")
    print(
        f"stage on JPEG files, of decoding and predicting one after the other: {both / seconds['stage on files']:.2f}"
    )


def _measured(output: Path, count: int) -> dict:
    os.chdir(output)
    run("train", {"epochs": "1"})
    model = tracking.load_model(None, None)
    size = model.classifier.preprocessing.prepared_size
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)
    np.save(output / "ready.npy", images)
    files = _files(output / "files", count)
    model.classifier.probabilities(images[:500])
    seconds = {
        "network on ready arrays": _best(lambda: model.classifier.probabilities(images)),
        "stage on an array": _best(lambda: _stage(output / "ready.npy")),
        "decoding of JPEG files": _best(lambda: _decode(files, model)),
        "stage on files": _best(lambda: _stage(files)),
    }
    return {**provenance(), "images": count, "seconds": seconds}


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        said = work()
        times.append(said if isinstance(said, float) else time.perf_counter() - start)
    return min(times)


def _stage(data: Path) -> float:
    """The seconds that the stage took for its images, by its own metric: its start is not counted."""
    from pipeline.stages.predict import predict

    run_id = predict(PredictConfig(data=str(data), output=Path("answers.csv"), workdir=Path("workdir").absolute()))
    metrics = tracking.metrics_of(run_id)
    return metrics["images"] / metrics["images_per_second"]


def _decode(files: Path, model: tracking.LoggedModel) -> None:
    config = PredictConfig(data=str(files), workdir=Path("workdir").absolute())
    for _ in decoded(find_pictures(config, []), model.classifier.preprocessing, config.max_pixels):
        pass


def _files(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    generator = np.random.default_rng(1)
    for number in range(count):
        path = folder / f"{number:05d}.jpg"
        if not path.exists():
            coarse = Image.fromarray(generator.integers(0, 256, (16, 16, 3), np.uint8))
            coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, quality=QUALITY)
    return folder


if __name__ == "__main__":
    main()
