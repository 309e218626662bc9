"""What holds for every network, and what is particular to LeNet-5 and the two-layer network."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline import numpy_lenet
from pipeline.numpy_lenet.layers import AvgPool, Tanh
from pipeline.numpy_lenet.lenet5 import lenet5
from pipeline.numpy_lenet.losses import softmax
from pipeline.numpy_lenet.network import PREDICTED_AT_ONCE, Network
from pipeline.numpy_lenet.optimizers import SGD, Adam
from pipeline.numpy_lenet.two_layer import two_layer

BUILDERS = {"lenet5": lenet5, "two_layer": two_layer}
INPUT_SHAPE, CLASSES = (18, 17, 3), 5

each_network = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


def batch(n: int, dtype: str = "float32", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images, (n, 18, 17, 3), and soft targets, (n, 5)."""
    rng = np.random.default_rng(seed)
    targets = rng.random((n, CLASSES))
    return rng.random((n, *INPUT_SHAPE)).astype(dtype), (targets / targets.sum(axis=1, keepdims=True)).astype(dtype)


def train(network: Network, optimizer: SGD | Adam, steps: int, first: int = 0) -> list[float]:
    losses = []
    for step in range(first, first + steps):
        loss, _ = network.loss_and_gradients(*batch(20, seed=step))
        optimizer.update(network.parameters(), network.gradients(), 0.01)
        losses.append(loss)
    return losses


def assert_same_arrays(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)


class TestNetwork:
    @pytest.mark.parametrize(
        "options", [{}, {"dropout": 0.5}, {"activation": Tanh, "pooling": AvgPool}], ids=["plain", "dropout", "1998"]
    )
    @pytest.mark.parametrize("weighted", [False, True])
    def test_gradients_are_the_derivative_of_the_loss(self, options, weighted):
        network = lenet5(INPUT_SHAPE, CLASSES, dtype=np.float64, **options)
        images, targets = batch(18, "float64")
        weights = np.random.default_rng(2).random(len(images)) if weighted else None
        network.loss_and_gradients(images, targets, weights)
        gradients = {name: value.copy() for name, value in network.gradients().items()}

        def loss() -> float:
            network.step = 0
            return network.loss_and_gradients(images, targets, weights)[0]

        rng, step = np.random.default_rng(1), 1e-6
        for name, value in network.parameters().items():
            start, direction = value.copy(), rng.normal(size=value.shape)
            value[...] = start + step * direction
            above = loss()
            value[...] = start - step * direction
            below = loss()
            value[...] = start
            tolerance = 1e-7 * np.abs(gradients[name]).max() * value.size**0.5 + 1e-9
            assert (above - below) / (2 * step) == pytest.approx((gradients[name] * direction).sum(), abs=tolerance)

    @each_network
    @pytest.mark.parametrize("n", [0, 1, PREDICTED_AT_ONCE + 1])
    def test_predict_is_the_softmax_of_forward(self, build, n):
        network = build(INPUT_SHAPE, CLASSES, dropout=0.5)
        images, _ = batch(n)
        probabilities = network.predict(images)
        assert probabilities.shape == (n, CLASSES)
        if n:
            np.testing.assert_allclose(probabilities, softmax(network.forward(images)), rtol=1e-5)

    @each_network
    def test_same_seed_same_network(self, build):
        first, second = (build(INPUT_SHAPE, CLASSES, dropout=0.3, seed=4) for _ in range(2))
        assert train(first, SGD(momentum=0.9), 4) == train(second, SGD(momentum=0.9), 4)
        assert_same_arrays(first.state(), second.state())

    @each_network
    def test_each_step_drops_other_features(self, build):
        network = build(INPUT_SHAPE, CLASSES, dropout=0.5)
        first, again, second = (network.forward(batch(4)[0], training=True) for network.step in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert (first != second).any(axis=1).all()
        network.loss_and_gradients(*batch(4))
        assert network.step == 2

    @each_network
    def test_only_the_first_layer_that_learns_spares_the_gradient_by_its_inputs(self, build):
        learning = [layer for layer in build(INPUT_SHAPE, CLASSES).chain.values() if layer.parameters]
        assert [layer.needs_grad_inputs for layer in learning] == [False] + [True] * (len(learning) - 1)

    @pytest.mark.parametrize(
        ("network", "name", "variance"),
        [
            (lenet5((32, 32, 3), 10), "conv2/kernel", 2 / 150),
            (lenet5((32, 32, 3), 10), "dense1/kernel", 2 / 400),
            (lenet5((32, 32, 3), 10, activation=Tanh), "conv2/kernel", 2 / (150 + 400)),
            (two_layer((16, 16, 1), 10), "dense1/kernel", 2 / 256),
            (two_layer((32, 32, 3), 100), "logits/kernel", 2 / (128 + 100)),
        ],
    )
    def test_kernels_start_with_the_variance_of_their_activation(self, network, name, variance):
        assert network.parameters()[name].var() == pytest.approx(variance, rel=0.1)

    @each_network
    def test_another_seed_is_another_network(self, build):
        first, second = (build(INPUT_SHAPE, CLASSES, seed=seed).parameters() for seed in (0, 1))
        assert all((first[name] != second[name]).all() for name in first if name.endswith("kernel"))

    @each_network
    def test_training_goes_on_bit_for_bit_from_a_file(self, build, tmp_path):
        through, optimizer = build(INPUT_SHAPE, CLASSES, dropout=0.3), Adam(weight_decay=0.01)
        losses = train(through, optimizer, 6)

        first, first_optimizer = build(INPUT_SHAPE, CLASSES, dropout=0.3), Adam(weight_decay=0.01)
        train(first, first_optimizer, 3)
        first.save(tmp_path / "network.npz")
        second, second_optimizer = build(INPUT_SHAPE, CLASSES, dropout=0.3), Adam(weight_decay=0.01)
        second.load(tmp_path / "network.npz")
        second_optimizer.load_state(first_optimizer.state())
        assert train(second, second_optimizer, 3, first=3) == losses[3:]
        assert_same_arrays(second.state(), through.state())

    def test_a_file_holds_nothing_pickled(self, tmp_path):
        network = lenet5(INPUT_SHAPE, CLASSES)
        network.save(tmp_path / "weights")
        with np.load(tmp_path / "weights", allow_pickle=False) as file:
            assert_same_arrays(dict(file), network.state())

    def test_a_state_is_a_copy(self):
        network = two_layer(INPUT_SHAPE, CLASSES)
        state = network.state()
        before = {name: value.copy() for name, value in state.items()}
        train(network, SGD(), 1)
        assert_same_arrays(state, before)

    @pytest.mark.parametrize(
        ("other", "message"),
        [
            (lambda: lenet5(INPUT_SHAPE, CLASSES + 1), r"logits/bias has shape \(6,\), here \(5,\)"),
            (lambda: lenet5(INPUT_SHAPE, CLASSES, depth=3), r"dense3/bias has shape \(84,\), here None"),
        ],
    )
    def test_refuses_the_state_of_another_network(self, other, message):
        network = lenet5(INPUT_SHAPE, CLASSES)
        before = network.state()
        with pytest.raises(ValueError, match=message):
            network.load_state(other().state())
        assert_same_arrays(network.state(), before)

    @each_network
    def test_the_table_counts_all_parameters(self, build):
        network = build(INPUT_SHAPE, CLASSES)
        assert sum(row.parameters for row in network.layers()) == sum(p.size for p in network.parameters().values())
        assert network.layers()[-1].output_shape == (CLASSES,)
        assert network.forward(batch(2)[0]).shape == (2, CLASSES)

    def test_logits_are_the_callers(self):
        network = two_layer(INPUT_SHAPE, CLASSES)
        logits = network.forward(batch(2)[0])
        before = logits.copy()
        network.forward(batch(2, seed=1)[0])
        np.testing.assert_array_equal(logits, before)

    def test_needs_numpy_alone(self):
        allowed = sys.stdlib_module_names | {"numpy"}
        for path in Path(numpy_lenet.__path__[0]).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) else []
                for name in names:
                    assert name.split(".")[0] in allowed or name.startswith(numpy_lenet.__name__), f"{path}: {name}"


@pytest.mark.parametrize(
    ("build", "optimizer", "learning_rate"),
    [(lenet5, SGD(momentum=0.9), 0.02), (lenet5, Adam(), 0.002), (two_layer, SGD(momentum=0.9, nesterov=True), 0.01)],
)
def test_learns_where_a_bright_square_is(build, optimizer, learning_rate):
    rng = np.random.default_rng(0)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.integers(0, 4, n)
        images = rng.random((n, 16, 16, 1), dtype=np.float32)
        for image, label in zip(images, labels, strict=True):
            y, x = 8 * (label // 2) + 1, 8 * (label % 2) + 1
            image[y : y + 6, x : x + 6] += 0.5
        return images - 0.5, labels

    network = build((16, 16, 1), 4)
    for _ in range(80):
        images, labels = draw(32)
        network.loss_and_gradients(images, np.eye(4, dtype=np.float32)[labels])
        optimizer.update(network.parameters(), network.gradients(), learning_rate)
    images, labels = draw(200)
    assert (network.predict(images).argmax(axis=1) == labels).mean() > 0.95


class TestLeNet5:
    def test_shapes_and_counts_are_the_papers(self):
        shapes = {row.name: (row.output_shape, row.parameters) for row in lenet5((32, 32, 1), 10).layers()}
        assert shapes["conv1"] == ((28, 28, 6), 156)
        assert shapes["pool1"] == ((14, 14, 6), 0)
        assert shapes["conv2"] == ((10, 10, 16), 2416)
        assert shapes["pool2"] == ((5, 5, 16), 0)
        assert shapes["dense1"] == ((120,), 48120)
        assert shapes["dense2"] == ((84,), 10164)
        assert shapes["logits"] == ((10,), 850)

    def test_depth_adds_dense_layers(self):
        names = [
            [row.name for row in lenet5((32, 32, 3), 10, depth=depth).layers() if row.kind == "Dense"]
            for depth in (1, 4)
        ]
        assert names == [["dense1", "logits"], ["dense1", "dense2", "dense3", "dense4", "logits"]]

    def test_width_scales_everything(self):
        shapes = {row.name: row.output_shape for row in lenet5((32, 32, 3), 10, width=12).layers()}
        assert [shapes[name][-1] for name in ("conv1", "conv2", "dense1", "dense2", "logits")] == [12, 32, 240, 168, 10]

    def test_dropout_stands_before_the_last_layer(self):
        assert [row.kind for row in lenet5((32, 32, 3), 10, dropout=0.2).layers()][-2:] == ["Dropout", "Dense"]

    @pytest.mark.parametrize(("input_shape", "classes"), [((16, 16, 1), 1), ((16, 40, 2), 2), ((33, 17, 3), 7)])
    def test_takes_odd_shapes(self, input_shape, classes):
        network = lenet5(input_shape, classes, width=1)
        images = np.random.default_rng(0).random((3, *input_shape), dtype=np.float32)
        loss, logits = network.loss_and_gradients(images, np.full((3, classes), 1 / classes, np.float32))
        assert logits.shape == (3, classes)
        assert np.isfinite(loss)

    @pytest.mark.parametrize(
        ("input_shape", "options", "message"),
        [
            ((15, 32, 3), {}, "15x32.*16"),
            ((32, 32, 3), {"depth": 0}, "depth is 0.*1 to 4"),
            ((32, 32, 3), {"depth": 5}, "depth is 5.*1 to 4"),
            ((32, 32, 3), {"width": 0}, "width is 0.*at least 1"),
            ((32, 32, 3), {"dropout": 1.0}, r"rate is 1\.0.*less than 1"),
        ],
    )
    def test_refuses_what_it_cannot_build(self, input_shape, options, message):
        with pytest.raises(ValueError, match=message):
            lenet5(input_shape, 10, **options)


class TestTwoLayer:
    def test_depth_and_width(self):
        rows = two_layer((4, 4, 3), 10, depth=2, width=7, dropout=0.1).layers()
        assert [(row.kind, row.output_shape) for row in rows] == [
            ("Flatten", (48,)),
            ("Dense", (7,)),
            ("ReLU", (7,)),
            ("Dense", (7,)),
            ("ReLU", (7,)),
            ("Dropout", (7,)),
            ("Dense", (10,)),
        ]

    @pytest.mark.parametrize(
        ("options", "message"), [({"depth": 0}, "depth is 0.*1 to 8"), ({"width": 0}, "width is 0.*at least 1")]
    )
    def test_refuses_what_it_cannot_build(self, options, message):
        with pytest.raises(ValueError, match=message):
            two_layer((4, 4, 3), 10, **options)
