"""What decides the last digits of a training beside its options and its data."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

# Which kernels the arithmetic libraries choose.
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
# How many threads share a sum, and in which library's order.
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
)


def machine(packages: Sequence[str]) -> str:
    """This machine in a line: its processor, the cores of this process, and the versions of NumPy and `packages`.

    Such as "AMD EPYC (family 25, model 17, avx2, avx512f), 2 cores, numpy 2.4.1, keras 3.15.1, tensorflow 2.21.0";
    environment variables that change the number of threads or the library are named where they are set.
    """
    versions = [f"{package} {importlib.metadata.version(package)}" for package in ("numpy", *packages)]
    variables = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    return ", ".join([_processor(), f"{_cores()} cores", *versions, *variables])


def _cores() -> int:
    # TensorFlow and OpenBLAS take as many threads as cores that the process may run on.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    return processor(path.read_text(encoding="utf-8") if path.exists() else "")


def processor(cpuinfo: str) -> str:
    """The first processor of Linux's /proc/cpuinfo: its name, and what tells it from others of that name."""
    facts = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", cpuinfo.partition("\n\n")[0], re.MULTILINE))
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    kind = [f"{name.removeprefix('cpu ')} {facts[name]}" for name in ("cpu family", "model") if name in facts]
    flags = facts.get("flags", "").split()
    return f"{facts['model name']} ({', '.join(kind + [flag for flag in FLAGS if flag in flags])})"
