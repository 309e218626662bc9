"""What campaigns over damaged files share: each file is tried in a process that may crash, hang or print."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.shared import provenance

SLOW_SECONDS = 5.0
FILES_PER_PROCESS = 500

# A file's number -> what it is, how it is damaged, and what came of it; run in a process of its own.
Try = Callable[[int], tuple[str, str, str]]
# Changes content in place.
Damage = Callable[[bytearray, np.random.Generator], None]


def main(module: str, doc: str, try_one: Try, count: int) -> None:
    """Try the files of as many numbers as are asked for, print a table, and end with 1 if one misbehaved.

    module: the campaign's, which runs itself for a part of the numbers.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--first", type=int, default=0, help="the first file's number")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        _work(*arguments.work, try_one)
        return
    end = arguments.first + arguments.count
    starts = range(arguments.first, end, FILES_PER_PROCESS)
    with ThreadPoolExecutor(arguments.processes) as pool:
        parts = pool.map(lambda start: _examined(module, start, min(start + FILES_PER_PROCESS, end)), starts)
        found = provenance() | _report([result for part in parts for result in part])
    for name, counts in found["outcomes"].items():
        print(f"{name:10} " + "  ".join(f"{outcome} {count:5}" for outcome, count in counts.items()))
    print(f"slowest: {found['slowest_seconds']:.2f} s; misbehaved: {len(found['misbehaved'])} of {found['files']}")
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.exit(bool(found["misbehaved"]))


def damage_at_random(content: bytearray, damages: Sequence[Damage], rng: np.random.Generator) -> str:
    """Damage content in place in one or two of these ways; returns their names."""
    chosen = [damages[number] for number in rng.choice(len(damages), int(rng.integers(1, 3)))]
    for damage in chosen:
        if content:
            damage(content, rng)
    return "+".join(damage.__name__ for damage in chosen)


def _work(start: int, stop: int, try_one: Try) -> None:
    """Try the files of these numbers; prints one JSON line for each."""
    for number in range(start, stop):
        begin = time.perf_counter()
        kind, damage, outcome = try_one(number)
        seconds = round(time.perf_counter() - begin, 4)
        line = {"number": number, "kind": kind, "damage": damage, "outcome": outcome, "seconds": seconds}
        print(json.dumps(line), flush=True)


def _examined(module: str, start: int, stop: int) -> list[dict]:
    """What came of the files of these numbers, each in a process that may crash or hang."""
    results: list[dict] = []
    while start < stop:
        done, ending, printed = _in_process(module, start, stop)
        results += done
        start += len(done)
        if printed.strip() and ending == "whole":
            results[-1]["printed"] = printed
        if ending != "whole":
            print(f"file {start}: {ending}: {printed.strip()[-300:]}", file=sys.stderr)
            results.append({"number": start, "kind": "?", "damage": "?", "outcome": ending, "seconds": 0})
            start += 1
    return results


def _in_process(module: str, start: int, stop: int) -> tuple[list[dict], str, str]:
    """What a process of its own got done, how it ended (whole, crashed, hung), and what it printed beside."""
    command = [sys.executable, "-m", module, "--work", str(start), str(stop)]
    with tempfile.TemporaryDirectory() as folder:
        lines, beside = Path(folder) / "lines", Path(folder) / "beside"
        with (
            lines.open("w") as out,
            beside.open("w") as errors,
            subprocess.Popen(command, stdout=out, stderr=errors) as process,
        ):
            ending = _watched(process, lines)
        done = [json.loads(line) for line in lines.read_text().splitlines() if line.endswith("}")]
        return done, ending, beside.read_text(errors="replace")


def _watched(process: subprocess.Popen, lines: Path) -> str:
    """How a process ended that writes a line for each file; killed as hung if none comes for too long."""
    seen, since = 0, time.monotonic()
    while process.poll() is None:
        written = lines.stat().st_size
        if written > seen:
            seen, since = written, time.monotonic()
        # A process's start takes longer than a file may.
        if time.monotonic() - since > (SLOW_SECONDS if seen else 60):
            process.kill()
            return "hung"
        time.sleep(0.2)
    return "crashed" if process.returncode else "whole"


def _report(results: list[dict]) -> dict:
    """Counts of outcomes by kind of file, and whatever misbehaved."""
    outcomes = Counter((result["kind"], result["outcome"]) for result in results)
    bad = [r for r in results if r["outcome"] in ("crashed", "hung") or "printed" in r or r["seconds"] > SLOW_SECONDS]
    return {
        "files": len(results),
        "outcomes": {
            kind: {outcome: count for (of, outcome), count in sorted(outcomes.items()) if of == kind}
            for kind in dict.fromkeys(result["kind"] for result in results)
        },
        "slowest_seconds": max(result["seconds"] for result in results),
        "misbehaved": bad,
    }
