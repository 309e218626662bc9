"""The tag that says which process a run is of, as a person reads it: host=… process=… started=… and so on."""

from pipeline import process
from pipeline.process import Identity

PROCESS = "process"


def process_tag() -> dict[str, str]:
    """The tag of a run of this process."""
    return {PROCESS: " ".join(f"{name}={value}" for name, value in process.myself().items() if value is not None)}


def process_in(tag: str) -> Identity | None:
    """The identity that a tag holds; None if somebody has changed the tag so that it holds none."""
    try:
        found = dict(part.split("=", 1) for part in tag.split(" "))
        started = float(found["started"]) if "started" in found else None
        return {"host": found["host"]} | found | {"process": int(found["process"]), "started": started}
    except (KeyError, ValueError):
        return None
