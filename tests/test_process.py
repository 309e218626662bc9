import psutil
import pytest

from pipeline import process


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere psutil knows when a process began, whatever the clock says")
@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_process_is_not_taken_for_dead_when_the_clock_is_set(monkeypatch, seconds):
    before = process.myself()
    # Setting the clock changes when the kernel says that the machine was started.
    booted = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + seconds)
    assert not process.is_dead(before)
