"""What a builder tells of itself: its recipe, and how its hyperparameters are searched."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.errors import UserError
from pipeline.models.networks.contract import Network, NetworkSpec

GIVEN = ("input_shape", "classes")
HYPERPARAMETERS = ("depth", "width", "dropout", "whiten")

# (training images, the epochs that many would get; batch_size, by keyword, where that is given) -> the options that
# differ from the recipe, by name: none where the images are many, the same ones wherever they are few.
FewImages = Callable[..., dict[str, Any]]


def architecture(
    build: Callable[[NetworkSpec], Network],
    builder: Callable,
    recipe: dict[str, Any],
    search: dict[str, Any],
    few_images: FewImages | None = None,
    also_given: Sequence[str] = (),
) -> Callable[[NetworkSpec], Network]:
    """`build`, with what is known of `builder` attached to it.

    recipe: the options, by name, that the model trains well with; the defaults of the builder's hyperparameters (its
    keyword arguments depth, width, dropout and whiten) belong to it.
    search: epochs and image_size, if trials can be cheaper than the recipe and still rank configurations; and for
    depth and width the (lowest, highest) value that is worth a trial.
    few_images: what the recipe says where training images are few.
    also_given: what `build` gives the builder by keyword, beside hyperparameters.
    Raises UserError if the builder has an argument that nobody could ever set, or a hyperparameter without a default.
    """
    keywords = list(inspect.signature(builder).parameters.values())[len(GIVEN) :]
    _refuse_unknown(builder, [each.name for each in keywords], (*also_given, *HYPERPARAMETERS))
    hyperparameters = [each for each in keywords if each.name in HYPERPARAMETERS]
    _refuse_without_default(builder, hyperparameters)
    defaults = {each.name: each.default for each in hyperparameters}
    build.recipe = defaults | recipe  # type: ignore[attr-defined]
    build.search = search  # type: ignore[attr-defined]
    build.few_images = few_images  # type: ignore[attr-defined]
    build.builder = builder  # type: ignore[attr-defined]
    return build


def _refuse_unknown(builder: Callable, keywords: Sequence[str], allowed: Sequence[str]) -> None:
    for keyword in keywords:
        if keyword not in allowed:
            raise UserError(
                f"the builder {builder.__name__} has an argument {keyword}, which no option sets; "
                f"{', '.join(GIVEN + tuple(allowed))} are allowed"
            )


def _refuse_without_default(builder: Callable, hyperparameters: Sequence[inspect.Parameter]) -> None:
    for each in hyperparameters:
        if each.default is inspect.Parameter.empty:
            raise UserError(
                f"the builder {builder.__name__} has no default for {each.name}; each hyperparameter needs one"
            )
