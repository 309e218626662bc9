import numpy as np
import pytest

from pipeline.numpy_lenet.optimizers import SGD, Adam

OPTIMIZERS = {
    "sgd": SGD,
    "momentum": lambda: SGD(momentum=0.9, weight_decay=0.01),
    "nesterov": lambda: SGD(momentum=0.9, nesterov=True),
    "adam": Adam,
    "adamw": lambda: Adam(weight_decay=0.01),
}


def quadratic_bowl() -> dict[str, np.ndarray]:
    """The gradient of half the squared length of these parameters is the parameters themselves."""
    return {"dense/kernel": np.array([[3.0, -2.0]]), "dense/bias": np.array([1.5])}


def descend(optimizer, parameters, steps: int, learning_rate: float = 0.05) -> None:
    for _ in range(steps):
        optimizer.update(parameters, {name: value.copy() for name, value in parameters.items()}, learning_rate)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_finds_the_bottom_of_a_bowl(make):
    parameters = quadratic_bowl()
    descend(make(), parameters, 400)
    assert max(np.abs(value).max() for value in parameters.values()) < 1e-3


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_goes_on_bit_for_bit_from_its_state(make):
    through, broken = quadratic_bowl(), quadratic_bowl()
    descend(make(), through, 7)

    first, second = make(), make()
    descend(first, broken, 3)
    state = first.state()
    taken = {name: value.copy() for name, value in state.items()}
    descend(first, quadratic_bowl(), 2)
    second.load_state(state)
    descend(second, broken, 4)
    for name, value in through.items():
        np.testing.assert_array_equal(broken[name], value)
    for name, value in taken.items():
        np.testing.assert_array_equal(state[name], value, err_msg="later steps changed a state that was taken")


@pytest.mark.parametrize("make", [lambda: SGD(weight_decay=0.1), lambda: Adam(weight_decay=0.1)])
def test_decay_shrinks_kernels_and_leaves_biases(make):
    parameters = quadratic_bowl()
    make().update(parameters, {name: np.zeros_like(value) for name, value in parameters.items()}, 0.5)
    np.testing.assert_allclose(parameters["dense/kernel"], [[3 * 0.95, -2 * 0.95]])
    np.testing.assert_array_equal(parameters["dense/bias"], [1.5])


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_float32_stays_whatever_the_learning_rate_is(make):
    results = []
    for learning_rate in (0.1, np.float64(0.1)):
        parameters = {name: value.astype(np.float32) for name, value in quadratic_bowl().items()}
        optimizer = make()
        descend(optimizer, parameters, 5, learning_rate)
        kept = [value for name, value in optimizer.state().items() if name != "steps"]
        results.append([*parameters.values(), *kept])
    for value, same in zip(*results, strict=True):
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, same)
