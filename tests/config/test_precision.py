import pytest

from pipeline import config


@pytest.mark.parametrize(
    ("cpuinfo", "precision"),
    [
        ("vendor_id : AuthenticAMD\nflags : avx512f avx512_bf16\n", "bfloat16"),
        ("vendor_id : GenuineIntel\nflags : avx512f avx512_bf16 amx_bf16 amx_tile\n", "bfloat16"),
        ("vendor_id : GenuineIntel\nflags : avx512f avx512_bf16\n", "float32"),
        ("vendor_id : AuthenticAMD\nflags : avx2\n", "float32"),
    ],
)
def test_arithmetic_is_what_the_processor_is_fast_at(cpuinfo, precision):
    assert config.faster_precision(cpuinfo) == precision
