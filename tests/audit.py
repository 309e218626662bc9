"""python tests/audit.py: whether the pinned packages have known holes, as pip-audit finds them in its database.

Exit code 0: none is known. 1: some are; they are listed. 2: packages could not be looked up, so it is not known.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN = 5


def main() -> int:
    """Audit constraints.txt, print what came of it, and return the exit code."""
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", *sys.argv[1:]]
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / "constraints.txt"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"the database of known holes is out of reach, so nothing was checked: {reason}", file=sys.stderr)
        return 2
    holes = [(package, hole) for package in packages for hole in package.get("vulns", [])]
    for package, hole in holes:
        mended = ", ".join(hole["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {hole['id']}, mended in {mended}")
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        named = ", ".join(skipped[:SHOWN]) + (", ..." if len(skipped) > SHOWN else "")
        said = f"{len(skipped)} of {len(packages)} packages are not in the database of known holes"
        print(f"{said}, or it is out of reach, so nothing is known of them: {named}", file=sys.stderr)
    if holes:
        return 1
    if found := len(packages) - len(skipped):
        print(f"no known hole in {found} packages")
    return 2 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
