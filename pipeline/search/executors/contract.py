"""What trains trials, to the loop that hands them out."""

from dataclasses import dataclass
from typing import Protocol

from pipeline.search.outcomes import TrialOutcome
from pipeline.search.trial import TrialJob


@dataclass(frozen=True)
class Finished:
    """A job that is over. outcome: None if its worker died over it."""

    job: TrialJob
    outcome: TrialOutcome | None


class Executor(Protocol):
    """Workers that train one trial each at a time.

    A worker that dies is replaced; its job is Finished, without an outcome. One that has only been started may be
    neither idle nor busy for a while. Where the workers are, and which cores each has, is the executor's business.
    """

    def idle(self) -> int:
        """How many workers wait for a job."""

    def busy(self) -> int:
        """How many have one."""

    def give(self, job: TrialJob) -> None:
        """Have an idle worker train this trial."""

    def wait(self, seconds: float) -> list[Finished]:
        """Wait until workers finish or die, at most so long."""

    def stop(self) -> list[Finished]:
        """End all workers, whatever they do; returns their jobs, with an outcome where one had just been sent."""
