"""The tag that says which process a run is of, as a person reads it: host=… process=… started=… and so on."""

from pipeline import process
from pipeline.process import Identity

PROCESS = "process"


def process_tag() -> dict[str, str]:
    """The tag of a run of this process."""
    return {PROCESS: " ".join(f"{name}={value}" for name, value in process.myself().items() if value is not None)}


def process_in(tag: str) -> Identity:
    """The identity that a tag holds."""
    found = dict(part.split("=", 1) for part in tag.split(" "))
    started = float(found["started"]) if "started" in found else None
    return found | {"process": int(found["process"]), "started": started}
