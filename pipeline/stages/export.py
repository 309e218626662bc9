"""A logged model in another format."""

from pipeline.config import ExportConfig
from pipeline.tracked.export import export_tracked


def export(config: ExportConfig) -> str:
    """Write a logged model as a file or folder that other programs read, if that answers as the model does.

    Returns the id of the run, a child of the exported one, that holds the export and what was measured of it. Raises
    UserError if there is no such model or it cannot be exported so, RefusedError if the export answers otherwise.
    """
    return export_tracked(config)
