"""The tracking server that tests start, stop and hang: the one of the benchmarks."""

from benchmarks.tracking_server import TrackingServer

__all__ = ["TrackingServer"]
