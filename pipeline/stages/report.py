"""Runs as a page for people."""

from pipeline.config import ReportConfig
from pipeline.report.writing import report_tracked


def report(config: ReportConfig) -> str:
    """Write one HTML page about an experiment or some of its runs, and log it.

    Returns the id of the run that holds it. Raises UserError if there is no such run, or if the page cannot be written.
    """
    return report_tracked(config)
