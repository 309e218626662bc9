"""Which interrupted training a new one goes on with."""

from pipeline import process, tracking
from pipeline.config import TrainConfig
from pipeline.errors import UserError, shown
from pipeline.training import run_folder
from pipeline.training.run_folder import RunFolder


def continued(begun: RunFolder, config: TrainConfig) -> RunFolder:
    """The folder of the interrupted training that this one goes on with, its runs closed; `begun` if there is none.

    Raises UserError if `resume` names a run that cannot be continued, or not with these options.
    """
    if config.resume == "never":
        return begun
    found = _found(begun) if config.resume == "auto" else [_named(begun, config)]
    if not found:
        return begun
    for folder in found:
        for run_id in folder.runs:
            tracking.hand_over(run_id, begun.runs[-1])
    farthest, *outrun = found
    for folder in outrun:
        run_folder.remove(folder)
    return run_folder.take_over(farthest, begun)


def _found(begun: RunFolder) -> list[RunFolder]:
    """What can be gone on with; of the others it is said where they lie, and how to go on with them."""
    abandoned, others = run_folder.find_same(begun)
    for other in others:
        owner, came = other.owner, f"{len(other.epochs())} epochs"
        print(
            f"the same training lies unfinished in {shown(str(other.path))}, {came} of it, begun by process "
            f"{owner['process']} on {shown(str(owner['host']))}, which may still train it; if it is no more, "
            f"--resume {other.runs[-1]} goes on with it"
        )
    return abandoned


def _named(begun: RunFolder, config: TrainConfig) -> RunFolder:
    found = run_folder.find(config.workdir, config.resume)
    if found is None:
        raise UserError(f"--resume {config.resume}: {config.workdir} holds no unfinished training of this run")
    if not run_folder.claim(found) or (process.is_here(found.owner) and not process.is_dead(found.owner)):
        raise UserError(f"--resume {config.resume}: process {found.owner['process']} is training it")
    now = begun.options | {"data_digest": begun.data_digest}
    # One that was given minutes may be named with the epochs that its config.yaml has.
    is_counted = isinstance(begun.options["epochs"], int)
    epochs = {"epochs": found.chosen_epochs} if found.chosen_epochs and is_counted else {}
    then = found.options_beside(begun) | epochs | {"data_digest": found.data_digest or begun.data_digest}
    differing = [f"{name} was {then.get(name)}, now {now[name]}" for name in now if then.get(name) != now[name]]
    if differing:
        run_folder.let_go(found.path)
        raise UserError(f"--resume {config.resume}: it was begun with other options: {'; '.join(differing)}")
    return found
