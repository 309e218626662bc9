"""What preparing pictures costs: beside OpenCV, beside libjpeg-turbo alone, at a second look, and in memory.

    python -m benchmarks.preparing --data FOLDER --output FOLDER

--data: a folder of pictures, of which 10,000 JPEG files of 500 x 375 are made. Each part leaves a JSON file in the
output folder; a part that is there is not repeated. What is compared runs in turn, several times, each time in a
process of its own; its start and its imports are not counted, those of the processes that it starts are. Where
simplejpeg is installed that stands for libjpeg-turbo, else the copy in Pillow. About 10 minutes on two cores; nothing
else should run beside it.
"""

import argparse
import itertools
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from benchmarks.decoders_alone import IMAGE_SIZE, Clock, decoded_at_half, library, with_opencv
from benchmarks.shared import part, provenance
from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.data.pool import map_on_all_cores
from pipeline.data.writing import open_or_write

SIZE, QUALITY, COUNT, CLASSES = (500, 375), 90, 10_000, 50
SMALL, COUNTS_OF_PLANS, COUNTS_OF_MEMORY = (32, 32), (10_000, 30_000, 100_000), (5_000, 100_000)
SAMPLE_SECONDS = 0.1
# glibc gives a picture's memory back to the kernel and takes it anew for the next one, unless it is told otherwise.
KEEPING = {"MALLOC_MMAP_THRESHOLD_": str(2**26), "MALLOC_TRIM_THRESHOLD_": str(2**27)}


def main() -> None:
    """Measure what is missing, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and the files that are made")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    output, repeats = arguments.output.absolute(), arguments.repeats
    speed = part(output / "speed.json", lambda: _speed(large_jpegs(arguments.data, output / "jpegs"), repeats))
    looks = part(output / "second_look.json", lambda: _second_looks(output, repeats))
    memory = part(output / "memory.json", lambda: _memory(output))
    _say(speed, looks, memory)


def _say(speed: dict, looks: dict, memory: dict) -> None:
    seconds, cpu = speed["seconds"], speed["cpu_seconds"]
    for name, rows in seconds.items():
        print(f"{name}: {_spread(rows, 2)} s for {COUNT:,} files, {_spread(cpu[name], 2)} s CPU")
    compared = {
        "opencv": "OpenCV in one process",
        "opencv_keeping": "the same, with an allocator that keeps memory",
        "scaled": f"{speed['limit']} alone on all cores",
    }
    for name, words in compared.items():
        for kind, measured in (("time", seconds), ("CPU", cpu)):
            ratios = [one / whole for one, whole in zip(measured[name], measured["preprocess"], strict=True)]
            print(f"{kind} of {words} by that of preprocess: {_spread(ratios, 2)}")
    for count, rows in looks["cpu_seconds"].items():
        print(
            f"a second look at {int(count):,} files: {_spread(looks['seconds'][count], 2)} s, {_spread(rows, 2)} s CPU"
        )
    few, many = COUNTS_OF_MEMORY
    for name in ("parent", "worker"):
        peaks = {count: memory[str(count)][name] / 2**20 for count in COUNTS_OF_MEMORY}
        growth = (peaks[many] - peaks[few]) * 2**20 / (many - few)
        print(
            f"{name}: {peaks[few]:.0f} MiB for {few:,}, {peaks[many]:.0f} MiB for {many:,}: {growth:.0f} bytes an image"
        )


def _spread(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


# What is made


def large_jpegs(data: Path, folder: Path) -> Path:
    """COUNT pictures of `data` in CLASSES folders of `folder`, as JPEG files of one size."""
    sources = sorted(path for path in data.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    chosen = list(itertools.islice(itertools.cycle(random.Random(0).sample(sources, min(COUNT, len(sources)))), COUNT))

    def make(number: int, path: Path) -> None:
        with Image.open(chosen[number]) as image:
            image.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC).save(path, quality=QUALITY)

    return _made(folder, COUNT, make)


def small_jpegs(folder: Path, count: int) -> Path:
    """`count` different small JPEG files in CLASSES folders of `folder`."""

    def make(number: int, path: Path) -> None:
        colours = np.random.default_rng(number).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(colours).resize(SMALL).save(path, quality=QUALITY)

    return _made(folder, count, make)


def _made(folder: Path, count: int, make: Callable[[int, Path], None]) -> Path:
    if not folder.is_dir():
        beside = folder.with_suffix(".part")
        shutil.rmtree(beside, ignore_errors=True)
        paths = [beside / f"class-{number % CLASSES:02d}" / f"{number:06d}.jpg" for number in range(count)]
        for path in paths[:CLASSES]:
            path.parent.mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(make, range(count), paths))
        beside.rename(folder)
        # An index takes files for settled once they are older than the clock of their file system is fine.
        time.sleep(3)
    return folder


# What is measured. Each of these runs in a process of its own.


def scaled_alone(folder: Path, work: Path) -> dict:
    """libjpeg-turbo decodes all files at the half size that `preprocess` decodes them at, on all cores."""
    paths = sorted(folder.rglob("*.jpg"))
    clock = Clock()
    for _ in map_on_all_cores(decoded_at_half, paths, len(paths), 60):
        pass
    return clock.read() | {"limit": library()}


def preprocess(folder: Path, work: Path) -> dict:
    """The data set is planned and written: no file has been seen before."""
    config = PreprocessConfig(data=str(folder), workdir=work, image_size=IMAGE_SIZE)
    clock = Clock()
    planned = plan(config)
    planning = clock.read()["seconds"]
    open_or_write(planned)
    return clock.read() | {"plan_seconds": planning}


def second_look(folder: Path, work: Path) -> dict:
    """A data set whose files have all been seen is planned again."""
    config = PreprocessConfig(data=str(folder), workdir=work, image_size=IMAGE_SIZE)
    plan(config)
    clock = Clock()
    plan(config)
    return clock.read()


def _in_a_process(
    measure: Callable[[Path, Path], dict], folder: Path, work: Path, watch: Callable | None = None, **variables: str
) -> dict:
    """What `measure` says. watch: is called over and over with the process while that runs. variables: of its shell."""
    # Not `-m`: the processes that it starts would import this file again.
    module = measure.__module__.replace("__main__", "benchmarks.preparing")
    code = (
        f"import json, sys; from pathlib import Path; from {module} import {measure.__name__} as measure;"
        "print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))"
    )
    command = [sys.executable, "-c", code, str(folder), str(work)]
    process = subprocess.Popen(
        command, env=os.environ | variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    while watch and process.poll() is None:
        watch(psutil.Process(process.pid))
        time.sleep(SAMPLE_SECONDS)
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{measure.__name__} ended with exit code {process.returncode}")
    return json.loads(said)


# The parts


def _speed(folder: Path, repeats: int) -> dict:
    measures: dict[str, tuple[Callable, dict]] = {
        "opencv": (with_opencv, {}),
        "opencv_keeping": (with_opencv, KEEPING),
        "scaled": (scaled_alone, {}),
        "preprocess": (preprocess, {}),
    }
    rows: dict[str, list[dict]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, (measure, variables) in measures.items():
            work = folder.with_name("workdir")
            rows[name].append(_in_a_process(measure, folder, work, **variables))
            print(name, rows[name][-1])
            shutil.rmtree(work, ignore_errors=True)
    return (
        provenance()
        | {
            "limit": rows["scaled"][0]["limit"],
            "plan_seconds": [row["plan_seconds"] for row in rows["preprocess"]],
        }
        | _by_kind(rows)
    )


def _second_looks(output: Path, repeats: int) -> dict:
    rows: dict[str, list[dict]] = {str(count): [] for count in COUNTS_OF_PLANS}
    for _ in range(repeats):
        for count in COUNTS_OF_PLANS:
            folder = small_jpegs(output / f"small-{count}", count)
            rows[str(count)].append(_in_a_process(second_look, folder, output / "plans"))
            print(count, rows[str(count)][-1])
    return provenance() | _by_kind(rows)


def _by_kind(rows: dict[str, list[dict]]) -> dict[str, dict[str, list[float]]]:
    return {
        kind: {name: [row[kind] for row in of_one] for name, of_one in rows.items()}
        for kind in ("seconds", "cpu_seconds")
    }


def _memory(output: Path) -> dict:
    peaks = {}
    for count in COUNTS_OF_MEMORY:
        folder, work = small_jpegs(output / f"small-{count}", count), output / "workdir"
        peaks[str(count)] = _peaks(folder, work)
        print(count, peaks[str(count)])
        shutil.rmtree(work, ignore_errors=True)
    return provenance() | peaks


def _peaks(folder: Path, work: Path) -> dict[str, int]:
    """The most memory beside mapped files, in bytes, that the process and any one that it starts had."""
    peaks = {"parent": 0, "worker": 0}

    def watch(process: psutil.Process) -> None:
        family = {"parent": [process], "worker": process.children(recursive=True)}
        for name, members in family.items():
            peaks[name] = max([peaks[name], *(_private(member) for member in members)])

    _in_a_process(preprocess, folder, work, watch)
    return peaks


def _private(process: psutil.Process) -> int:
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0
    return memory.rss - getattr(memory, "shared", 0)


if __name__ == "__main__":
    main()
