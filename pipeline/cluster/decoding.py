"""Images decoded on the nodes of a Ray cluster, in shards that are put together to what one machine would write."""

import dataclasses
import functools
import itertools
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from pipeline.cluster import connection
from pipeline.cluster.cores import keep_to_cores
from pipeline.config import EngineConfig
from pipeline.data.filling import Filling, Found, Row
from pipeline.data.writing import FillAll, fill_here
from pipeline.errors import UserError

# A shard's pixels: small beside any object store, and some seconds of decoding.
SHARD_BYTES = 32 * 2**20
SMALLEST_SHARD, LARGEST_SHARD = 64, 4096
# A task is only decoding: where its node is lost, another one may do it again.
RETRIES = 3


def fill_all(config: EngineConfig) -> FillAll:
    """What decodes images into prepared arrays: processes of this machine, or a cluster.

    Raises UserError if the cluster cannot be used.
    """
    if config.engine != connection.RAY:
        if "ray_address" in config.given:
            raise UserError("--ray_address is an option of --engine ray")
        return fill_here
    connection.check_engine(config.ray_address)
    return functools.partial(_fill_on_cluster, config.ray_address)


def _fill_on_cluster(
    address: str | None, filling: Filling, rows: Iterator[Row], count: int
) -> Generator[tuple[Row, Found], None, None]:
    """Each row with what was found of it, when its image is in its array. The nodes have to see the same files."""
    with connection.connected(address):
        import ray
        from ray.exceptions import RayTaskError

        task = ray.remote(_decode).options(num_cpus=1, max_retries=RETRIES)
        arrays = {path.stem: np.load(path, mmap_mode="r+") for path in filling.folder.glob("*.npy")}
        shards = iter(lambda: list(itertools.islice(rows, _rows_at_once(filling.image_size))), [])
        pending: dict = {}
        while True:
            # One more than there are cores, so that none waits for its next shard.
            room = int(ray.cluster_resources().get("CPU", 1)) + 1 - len(pending)
            for shard in itertools.islice(shards, max(0, room)):
                pending[task.remote(filling, shard)] = shard
            if not pending:
                return
            (done,), _ = ray.wait(list(pending), num_returns=1)
            try:
                pixels, found = ray.get(done)
            except RayTaskError as error:
                raise error.cause from error
            shard = pending.pop(done)
            for row, image, of_row in zip(shard, pixels, found, strict=True):
                if of_row.reason is None:
                    arrays[row.split][row.position] = image
                yield row, of_row


def _rows_at_once(image_size: int) -> int:
    return int(np.clip(SHARD_BYTES // (3 * image_size**2), SMALLEST_SHARD, LARGEST_SHARD))


def _decode(filling: Filling, rows: list[Row]) -> tuple[np.ndarray, list[Found]]:
    """The images of a shard, (rows, size, size, 3) uint8, and what was found of each.

    It goes the way of one machine, in a process that may die over a file without taking the shard with it.
    """
    keep_to_cores(1)
    with tempfile.TemporaryDirectory() as folder:
        here = dataclasses.replace(filling, folder=Path(folder))
        shape = (len(rows), filling.image_size, filling.image_size, 3)
        array = np.lib.format.open_memmap(here.folder / "shard.npy", mode="w+", dtype=np.uint8, shape=shape)
        array.flush()
        numbered = [row._replace(split="shard", position=position) for position, row in enumerate(rows)]
        found: list[Found] = [Found("it was not decoded")] * len(rows)
        for row, of_row in fill_here(here, iter(numbered), len(numbered)):
            found[row.position] = of_row if isinstance(of_row, Found) else Found(of_row.reason)
        return np.array(array), found
