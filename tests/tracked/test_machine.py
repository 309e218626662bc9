import re

from pipeline.tracked.machine import machine, processor

CPUINFO = """processor	: 0
cpu family	: 25
model		: 17
model name	: AMD EPYC
flags		: fpu avx2 avx512f sse2 avx512_bf16

processor	: 1
model name	: AMD EPYC
"""


def test_a_processor_is_told_by_its_name_its_kind_and_what_decides_its_arithmetic():
    assert processor(CPUINFO) == "AMD EPYC (family 25, model 17, avx2, avx512f, avx512_bf16)"


def test_elsewhere_than_on_linux_it_is_told_by_what_the_system_says():
    assert processor("")
    assert processor("processor : 0\nBogoMIPS : 50.0")


def test_a_machine_has_cores_versions_and_the_variables_that_are_set(monkeypatch):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert re.search(r", \d+ cores, numpy [\d.]+, keras [\d.]+, .*OMP_NUM_THREADS=3", machine(["keras"]))
    assert "TF_NUM_INTRAOP_THREADS" not in machine(["keras"])
