"""How long an experiment takes on this machine: measured with a short one, corrected by those that follow."""

import dataclasses
from dataclasses import dataclass

from pipeline.config import TrainConfig
from pipeline.diagnosis.case import Case
from pipeline.diagnosis.experiment import Experiment, Outcome, Outcomes, Part

# Training images of the measurement, and batches at least.
IMAGES, BATCHES = 1500, 8
SAFE_RATE = 1e-6
# A wider network is assumed to take this power of the width longer: its matrices grow by two, the rest by less.
POWER_OF_WIDTH = 1.5
# Assumed for decoding a picture; what it takes is not part of what is measured.
SECONDS_TO_DECODE = 0.004


@dataclass(frozen=True)
class Pace:
    """seconds_an_image: of a training step. overhead: seconds of a training beside. other_network: seconds_an_image of
    the network that is compared with; None where there is none.
    """

    seconds_an_image: float
    overhead: float
    other_network: float | None = None


def measurement(config: TrainConfig, train_images: int) -> Experiment:
    """One epoch of some of the training images, at a learning rate at which nothing diverges."""
    wanted = max(IMAGES, BATCHES * config.batch_size)
    return Experiment(
        f"pace of {config.model}",
        dataclasses.replace(config, epochs=1, learning_rate=SAFE_RATE),
        Part(min(1.0, wanted / train_images)),
    )


def measured(outcome: Outcome, images: int, val_images: int) -> Pace:
    """The pace of this machine. images: the training images of the measurement."""
    # An image is answered in about a third of the time in which it is trained on.
    seconds = outcome.fit_seconds / (images + val_images / 3)
    return Pace(seconds, max(0.0, outcome.seconds - outcome.fit_seconds))


def seconds_of(experiment: Experiment, case: Case, pace: Pace) -> float:
    """What an experiment takes, as far as can be told before."""
    config, base = experiment.config, case.config
    part, all_images = experiment.part, sum(case.counts) + case.val_images
    trained = part.fraction * sum(case.counts)
    answered = float(case.val_images)
    if part.folds:
        answered = all_images / part.folds
        trained = part.fraction * (all_images - answered)
    sides = (config.image_size * config.input_scale) / (base.image_size * base.input_scale)
    widths = config.width / base.width if config.width and base.width and config.model == base.model else 1.0
    an_image = pace.seconds_an_image * sides**2 * widths**POWER_OF_WIDTH
    if config.model != base.model and pace.other_network:
        an_image = pace.other_network
    preparing = all_images * SECONDS_TO_DECODE if config.image_size != base.image_size else 0.0
    return pace.overhead + config.epochs * (trained + answered / 3) * an_image + preparing


def corrected(pace: Pace, case: Case, outcomes: Outcomes) -> Pace:
    """The pace with what the experiments took that are done."""
    done = {each: outcome for each, outcome in outcomes.items() if not outcome.failure and outcome.seconds}
    expected = sum(seconds_of(each, case, pace) for each in done)
    if not expected:
        return pace
    ratio = sum(outcome.seconds for outcome in done.values()) / expected
    other = pace.other_network * ratio if pace.other_network else None
    return Pace(pace.seconds_an_image * ratio, pace.overhead * ratio, other)
