import os
import subprocess
import sys

import pytest

CODE = """
import os, sys
from pipeline.cluster.cores import keep_to_cores
keep_to_cores(float(sys.argv[1]))
print(*sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system knows no affinity")


def worker(folder, count):
    environment = os.environ | {"TMPDIR": str(folder)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = subprocess.Popen([sys.executable, "-c", CODE, str(count)], env=environment, **pipes)
    return started, [int(core) for core in started.stdout.readline().split()]


def test_workers_of_a_machine_have_cores_of_their_own_until_they_end(tmp_path):
    cores = sorted(os.sched_getaffinity(0))
    first, of_first = worker(tmp_path, 1)
    second, of_second = worker(tmp_path, 1)
    sharing, of_sharing = worker(tmp_path, 0.5)
    assert of_first == cores[:1]
    assert of_second == (cores[1:2] or cores)
    assert of_sharing == cores
    for each in (first, second, sharing):
        each.kill()
        each.communicate()
    after, of_after = worker(tmp_path, 1)
    assert of_after == of_first
    after.kill()
    after.communicate()
