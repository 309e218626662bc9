"""`keras:NAME`, a data set that Keras downloads: mnist, fashion_mnist, cifar10 or cifar100.

Its training and test images are its own; validation images are taken from those for training. The classes of cifar100
are its 100 fine ones. The arrays are copied into the work folder once; Keras is not asked again.
"""

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.config import PreprocessConfig, in_library, name_in_library
from pipeline.data.array_sets import Pair, source_of_pairs
from pipeline.data.library import patient
from pipeline.data.quiet import quiet_start
from pipeline.data.source import Source
from pipeline.data.unpacked import unpacked
from pipeline.errors import UserError, first_line, shown
from pipeline.paths import path_of

LIBRARY = "keras"
ARRAYS = (("x_train", "y_train"), ("x_test", "y_test"))


@dataclass(frozen=True)
class KerasData:
    """A data set of keras.datasets.

    class_names: label -> name. download: the file that Keras downloads it to, below its folder `datasets`; a folder if
    there are several, which are called as where they come from. mirrorable: whether a mirrored image keeps its class.
    """

    class_names: list[str]
    download: str
    mirrorable: bool = True


CIFAR100 = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""
CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
FASHION = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]

DATA_SETS = {
    "mnist": KerasData(list("0123456789"), "mnist.npz", mirrorable=False),
    "fashion_mnist": KerasData(FASHION, "fashion-mnist/"),
    "cifar10": KerasData(CIFAR10, "cifar-10-batches-py-target_archive"),
    "cifar100": KerasData(CIFAR100.split(), "cifar-100-python-target_archive"),
}


def accepts(data: str) -> bool:
    """Whether `data` is a name for Keras."""
    return in_library(data, LIBRARY)


def open_source(config: PreprocessConfig) -> Source:
    """The images of keras.datasets that `config.data` names.

    Raises UserError if there are none of this name, or if Keras can neither find nor download them.
    """
    name = name_in_library(config.data)
    if name not in DATA_SETS:
        raise UserError(f"--data {shown(config.data)}: Keras has {', '.join(DATA_SETS)} (of its image data sets)")
    # Keras knows the digests of what it downloads: a name has one state.
    folder = unpacked(config.workdir, f"{LIBRARY}:{name}", (), functools.partial(_save, name))
    pairs = {
        images.removeprefix("x_"): Pair(
            folder / f"{images}.npy", folder / f"{labels}.npy", f"{config.data} {images}", f"{config.data} {labels}"
        )
        for images, labels in ARRAYS
    }
    data = DATA_SETS[name]
    return source_of_pairs(pairs, data.class_names, config, mirrorable=data.mirrorable)


def _save(name: str, folder: Path) -> None:
    """Write what Keras loads into `folder`, one file an array."""
    with quiet_start():
        from keras import datasets
    try:
        with patient():
            loaded = getattr(datasets, name).load_data()
    # Keras raises plain exceptions where it cannot download, and those of the archive where that is damaged.
    except Exception as error:
        raise UserError(_not_loaded(name, error)) from error
    for pair, arrays in zip(ARRAYS, loaded, strict=True):
        for key, array in zip(pair, arrays, strict=True):
            np.save(folder / f"{key}.npy", array)


def _not_loaded(name: str, error: Exception) -> str:
    target = path_of(os.environ.get("KERAS_HOME", "~/.keras")) / "datasets" / DATA_SETS[name].download
    failed = re.search(r"URL fetch failure on (\S+): (.*)", str(error))
    if failed is None:
        return f"--data {LIBRARY}:{name}: Keras cannot load it: {first_line(error)}; it lies at {shown(str(target))}"
    origin, reason = failed.groups()
    if DATA_SETS[name].download.endswith("/"):
        target /= origin.rpartition("/")[2]
    return (
        f"--data {LIBRARY}:{name}: Keras cannot download it ({reason.removeprefix('None -- ')}): fetch {origin} where "
        f"there is a network and save it as {shown(str(target))}"
    )
