"""Training: side by side as alone, the same from the same seed, resumed as uninterrupted."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench_lab.checks import domains
from nasbench_lab.errors import DataError, ParameterError, UnknownNameError

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.spaces import DartsSpace, TopologySpace  # noqa: E402
from nasbench_lab.train import hardware_costs  # noqa: E402
from nasbench_lab.train.classification_metrics import MacroScores, confusion_matrix  # noqa: E402
from nasbench_lab.train.datasets import Dataset, Split, digits  # noqa: E402
from nasbench_lab.train.devices import check_device, check_precision  # noqa: E402
from nasbench_lab.train.image_batches import ImageBatches  # noqa: E402
from nasbench_lab.train.network_copies import initialised  # noqa: E402
from nasbench_lab.train.networks import (  # noqa: E402
    cell101_network,
    layer_chain_network,
    macro_network,
    networks_of,
    size_network,
    topology_network,
)
from nasbench_lab.train.networks.blocks import AveragePool3x3, ConvBn  # noqa: E402
from nasbench_lab.train.recipes import RECIPES, TrainingRecipe, recipe  # noqa: E402
from nasbench_lab.train.training import Training  # noqa: E402

SHORT = TrainingRecipe("short", 2, 50, 0.1, average=0.5)
DIAMOND = np.array([[0, 1, 1, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]])

MIXED = [3, 1, 4, 2, 0, 3]
DARTS = DartsSpace()
DARTS_CELLS = (
    "sep3~0,dil5~1+skip~0,avg3~2+max3~1,skip~3+sep5~0,dil3~4/max3~0,skip~1+avg3~0,sep3~1+dil3~0,skip~2+sep5~1,avg3~4"
)

NETWORKS = {
    "topology": lambda copies: topology_network(MIXED, channels=4, cells=1, image_channels=1, copies=copies),
    "size": lambda copies: size_network([4, 6, 8, 8, 4], image_channels=1, copies=copies),
    "macro": lambda copies: macro_network([1, 0, 2, 1, 0, 0, 0, 2], channels=2, image_channels=1, copies=copies),
    "cell101": lambda copies: cell101_network(
        DIAMOND,
        ["conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu"],
        channels=5,
        cells=2,
        image_channels=1,
        copies=copies,
    ),
    "darts": lambda copies: networks_of(DARTS).build(
        DARTS.codes(DARTS.parse(DARTS_CELLS)).tolist(), image=(1, 9, 8), classes=10, copies=copies, channels=2, cells=3
    ),
    "layer-chain": lambda copies: layer_chain_network(
        ["conv5x5-4", "relu", "max-pool", "conv3x3-4", "tanh", "avg-pool", "dense-6", "sigmoid"],
        image=(1, 8, 8),
        copies=copies,
    ),
}


@pytest.fixture(scope="module")
def small():
    """Sixty training images in three parts, and as many to evaluate on."""
    random = np.random.default_rng(0)

    def split(images):
        labels = np.arange(images) % 3
        return Split((random.normal(size=(images, 1, 8, 8)) + labels[:, None, None, None]).astype(np.float32), labels)

    return Dataset("small", 3, split(60), split(30), split(30), parts=3)


def tiny(copies):
    return topology_network([3, 1, 4, 2, 0, 3], channels=2, cells=1, image_channels=1, classes=3, copies=copies)


def same_curves(one, other):
    assert one.failed.tolist() == other.failed.tolist()
    for name in one.values:
        if name != "seconds":
            np.testing.assert_array_equal(one.values[name], other.values[name], err_msg=name)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [True, False])
def test_copies_compute_what_each_computes_alone(name, training):
    """Scores and gradients of three copies, in double precision, against three networks alone."""
    seeds = [11, 12, 13]
    together = initialised(NETWORKS[name], seeds).double().train(training)
    images = torch.randn(6, 3, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scores = together(images.flatten(1, 2))
    assert scores.shape == (6, 3, 10)
    scores.square().sum().backward()
    for copy, seed in enumerate(seeds):
        alone = initialised(NETWORKS[name], [seed]).double().train(training)
        expected = alone(images[:, copy])
        torch.testing.assert_close(scores[:, copy], expected, rtol=1e-9, atol=1e-9)
        expected.square().sum().backward()
        for shared, own in zip(together.parameters(), alone.parameters(), strict=True):
            gradient = shared.grad.view(3, *own.shape)[copy]
            torch.testing.assert_close(gradient, own.grad, rtol=1e-7, atol=1e-8)


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    initialised(NETWORKS["topology"], [1, 2])
    assert torch.equal(torch.rand(3), expected)


def test_normalisation_folded_into_a_convolution_gives_the_same():
    block = ConvBn(3, 8, 3, stride=2).double()
    with torch.no_grad():
        block[1].running_mean.normal_()
        block[1].running_var.uniform_(0.1, 3)
        block[1].weight.normal_()
        block[1].bias.normal_()
    images = torch.randn(5, 3, 8, 8, dtype=torch.float64)
    block.eval()
    torch.testing.assert_close(block(images), block[1](block[0](images)))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (3, 5), (8, 8), (9, 9)])
def test_average_pooling_agrees_with_torch(height, width):
    images = torch.randn(4, 6, height, width, dtype=torch.float64)
    expected = torch.nn.functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    torch.testing.assert_close(AveragePool3x3()(images), expected)
    wide = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(AveragePool3x3()(wide), expected)


def test_the_same_seed_gives_the_same_curves(small):
    curves = [Training(tiny, small, SHORT, [3, 4]).finish() for _ in range(2)]
    same_curves(*curves)
    other = Training(tiny, small, SHORT, [5, 4]).finish()
    assert not np.array_equal(curves[0].values["train_loss"][0], other.values["train_loss"][0])


def test_what_is_measured_does_not_change_the_training(small):
    longer = dataclasses.replace(SHORT, epochs=3)
    every = Training(tiny, small, longer, [3, 4]).finish().values
    last = Training(tiny, small, longer, [3, 4], measured="last").finish().values
    for name in set(every) - {"seconds"}:
        np.testing.assert_array_equal(last[name][:, -1], every[name][:, -1], err_msg=name)
        assert np.isnan(last[name][:, :-1]).all() == (not name.startswith("train")), name
    assert (last["seconds"] > 0).all()


def test_side_by_side_as_alone(small):
    """A seed among others goes the way that it goes alone, up to rounding in one epoch."""
    once = dataclasses.replace(SHORT, epochs=1, learning_rate=0.01)
    together = Training(tiny, small, once, [7, 8, 9]).finish().values
    for copy, seed in enumerate([7, 8, 9]):
        alone = Training(tiny, small, once, [seed]).finish().values
        for name in ("train_loss", "valid_loss", "test_loss"):
            assert alone[name][0] == pytest.approx(together[name][copy], rel=1e-4), name


def test_training_learns(small):
    longer = TrainingRecipe("longer", 20, 5, 0.1)
    curves = Training(tiny, small, longer, [0, 1]).finish().values
    assert (curves["test_accuracy"][:, -1] > 80).all()
    assert (curves["train_loss"][:, -1] < curves["train_loss"][:, 0]).all()
    assert (curves["seconds"] > 0).all()


def test_a_cell_of_none_trains_to_chance(small):
    none = TopologySpace().codes(TopologySpace().parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")).tolist()
    build = lambda copies: topology_network(none, channels=2, cells=1, image_channels=1, classes=3, copies=copies)  # noqa: E731
    curves = Training(build, small, SHORT, [0, 1]).finish()
    assert not curves.failed.any()
    assert curves.values["test_accuracy"] == pytest.approx(100 / 3)


def test_a_training_that_diverges_is_recorded_as_failed_and_the_others_go_on(small):
    healthy = Training(tiny, small, SHORT, [1, 2])
    broken = Training(tiny, small, SHORT, [1, 2])
    with torch.no_grad():
        next(iter(broken.network.parameters()))[:2] = math.nan  # the stem of copy 0
    expected, found = healthy.finish(), broken.finish()
    assert found.failed.tolist() == [True, False]
    assert np.isnan(found.values["valid_accuracy"][0]).all()
    np.testing.assert_array_equal(found.values["valid_accuracy"][1], expected.values["valid_accuracy"][1])


@pytest.mark.parametrize("measured", ["every", "last"])
def test_training_stops_where_all_have_failed(small, measured):
    wild = dataclasses.replace(SHORT, epochs=50, learning_rate=1e30)
    curves = Training(tiny, small, wild, [1, 2], measured=measured)
    assert len(list(curves.epochs())) < 50
    assert curves.curves.failed.all()


def test_a_resumed_training_is_the_uninterrupted_one(small, tmp_path):
    longer = dataclasses.replace(SHORT, epochs=4, padding=1, flip=True)
    expected = Training(tiny, small, longer, [1, 2]).finish()
    checkpoint = tmp_path / "training.pt"
    interrupted = Training(tiny, small, longer, [1, 2])
    for epoch in interrupted.epochs():
        interrupted.save(checkpoint)
        if epoch == 2:
            break
    same_curves(Training(tiny, small, longer, [1, 2]).finish(checkpoint), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["training.pt"]


def test_a_checkpoint_that_does_not_fit_is_refused(small, tmp_path):
    checkpoint = tmp_path / "training.pt"
    Training(tiny, small, SHORT, [1]).finish(checkpoint)
    with pytest.raises(DataError, match="of another training"):
        Training(tiny, small, SHORT, [2]).finish(checkpoint)
    with pytest.raises(DataError, match="of another training"):
        Training(tiny, small, SHORT, [1], measured="last").finish(checkpoint)
    with pytest.raises(DataError, match="of another training"):
        Training(tiny, small, dataclasses.replace(SHORT, learning_rate=0.2), [1]).finish(checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(DataError, match="not a readable checkpoint"):
        Training(tiny, small, SHORT, [1]).finish(checkpoint)


def test_mixed_precision_runs_on_a_processor(small):
    curves = Training(tiny, small, SHORT, [1, 2], precision="bfloat16").finish()
    exact = Training(tiny, small, SHORT, [1, 2]).finish()
    assert not curves.failed.any()
    assert curves.values["train_loss"][:, 0] == pytest.approx(exact.values["train_loss"][:, 0], rel=0.05)
    assert not np.array_equal(curves.values["train_loss"], exact.values["train_loss"])


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_training_on_a_gpu(small):
    curves = [Training(tiny, small, SHORT, [1, 2], device="cuda", precision="bfloat16").finish() for _ in range(2)]
    same_curves(*curves)


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_seeds_that_make_no_sense_are_refused(small, seeds):
    with pytest.raises(ParameterError, match="one or more different seeds"):
        Training(tiny, small, SHORT, seeds)


class TestBatches:
    def test_an_epoch_goes_through_its_part_once(self, small):
        batches = ImageBatches(small, TrainingRecipe("b", 6, 7, 0.1), [1, 2], torch.device("cpu"))
        assert batches.steps == 3
        for epoch in range(4):
            labels = torch.cat([labels for _, labels in batches.training(epoch)])
            images = torch.cat([images for images, _ in batches.training(epoch)])
            part = small.train.images[20 * (epoch % 3) : 20 * (epoch % 3) + 20]
            mean, deviation = small.statistics()
            expected = np.sort((part - mean[0]) / deviation[0], axis=None)
            for copy in range(2):
                assert labels.shape == (20, 2)
                assert np.sort(images[:, copy].numpy(), axis=None) == pytest.approx(expected, abs=1e-6)
        assert not torch.equal(images[:, 0], images[:, 1])

    def test_a_last_batch_of_one_image_is_left_out(self, small):
        assert ImageBatches(small, TrainingRecipe("b", 1, 19, 0.1), [1], torch.device("cpu")).steps == 1
        assert ImageBatches(small, TrainingRecipe("b", 1, 18, 0.1), [1], torch.device("cpu")).steps == 2

    def test_crops_and_mirrors_are_those_of_a_plain_loop(self, small):
        augmented = TrainingRecipe("b", 1, 20, 0.1, padding=2, flip=True)
        batches = ImageBatches(small, augmented, [1, 2], torch.device("cpu"))
        images, _ = next(batches.training(0))
        mean, deviation = small.statistics()
        for copy, seed in enumerate([1, 2]):
            random = np.random.Generator(np.random.Philox(key=[seed, 0]))
            order = random.permutation(20)
            corners = random.integers(0, 5, (20, 2))
            mirrored = random.random(20) < 0.5
            for image, original, (top, left), mirror in zip(images, order, corners, mirrored, strict=True):
                padded = np.pad(small.train.images[original, 0], 2)
                crop = padded[top : top + 8, left : left + 8]
                crop = crop[:, ::-1] if mirror else crop
                assert image[copy].numpy() == pytest.approx((crop - mean[0]) / deviation[0], abs=1e-6)

    def test_pixels_of_bytes_are_scaled(self, small):
        as_bytes = Split(np.full((4, 1, 8, 8), 255, np.uint8), np.zeros(4, np.int64))
        dataset = Dataset("bytes", 1, as_bytes, as_bytes, as_bytes)
        images, _ = next(ImageBatches(dataset, SHORT, [1], torch.device("cpu")).evaluation(as_bytes))
        assert torch.equal(images, torch.zeros(4, 1, 8, 8))  # 1 less the mean 1, over the deviation of a constant


class TestRecipes:
    def test_the_cosine_schedule_is_torchs(self):
        steps = 5
        each = dataclasses.replace(recipe("nats-bench-12"), epochs=4)
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=each.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=each.epochs * steps)
        for step in range(each.epochs * steps):
            assert each.rate(step, steps) == pytest.approx(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()

    def test_warmup_rises_to_the_schedule(self):
        each = TrainingRecipe("w", 4, 10, 1.0, schedule="constant", warmup=2)
        assert [each.rate(step, 5) for step in (0, 4, 9, 10, 19)] == pytest.approx([0.1, 0.5, 1, 1, 1])

    def test_published_schedules(self):
        nats = recipe("nats-bench-200")
        assert (nats.epochs, nats.batch, nats.learning_rate, nats.weight_decay) == (200, 256, 0.1, 5e-4)
        assert (recipe("nats-bench-12").epochs, recipe("nats-bench-90").epochs) == (12, 90)
        assert (recipe("nas-bench-101").epochs, recipe("nas-bench-101").optimizer) == (108, "rmsprop")

    @pytest.mark.parametrize("name", RECIPES)
    def test_every_recipe_trains(self, name, small):
        short = dataclasses.replace(recipe(name), epochs=1, batch=10)
        assert not Training(tiny, small, short, [0]).finish().failed.any()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"epochs": 0}, "epochs must be at least 1, got 0"),
            ({"batch": 1}, "batch must be at least 2, got 1"),
            ({"learning_rate": math.nan}, "learning_rate must be a finite number, got nan"),
            ({"average": 1.0}, "average must be at least 0 and below 1, got 1.0"),
            ({"weight_decay": -1.0}, "weight_decay must be at least 0, got -1.0"),
            ({"optimizer": "adam"}, "optimizer must be 'sgd', 'rmsprop' or 'adamw', got 'adam'"),
            ({"schedule": "cosin"}, "schedule must be 'cosine', 'linear' or 'constant', got 'cosin'"),
            ({"source": None}, "source of a recipe must be a text, got None"),
        ],
    )
    def test_wrong_values_in_recipes(self, changes, message):
        with pytest.raises(ParameterError, match=message):
            dataclasses.replace(SHORT, **changes)

    def test_every_field_of_a_recipe_is_checked(self):
        for name, domain in domains(TrainingRecipe).items():
            for value in domain.bad_values():
                with pytest.raises(ParameterError, match=f"^{name} must be"):
                    dataclasses.replace(SHORT, **{name: value})

    def test_an_unknown_recipe(self):
        with pytest.raises(UnknownNameError, match="did you mean 'digits'"):
            recipe("digit")


@given(st.data(), st.integers(1, 6))
def test_class_scores_agree_with_scikit_learn(data, classes):
    from sklearn.metrics import confusion_matrix as reference_matrix
    from sklearn.metrics import precision_recall_fscore_support

    image = st.tuples(*[st.integers(0, classes - 1)] * 2)
    labels, predicted = map(list, zip(*data.draw(st.lists(image, min_size=1)), strict=True))
    every = list(range(classes))
    matrix = confusion_matrix(labels, predicted, classes)
    if len(set(labels + predicted)) > 1:  # scikit-learn warns of a single class
        assert matrix.tolist() == reference_matrix(labels, predicted, labels=every).tolist()
    found = MacroScores.from_confusion(matrix)
    *expected, _ = precision_recall_fscore_support(labels, predicted, labels=every, average="macro", zero_division=0)
    assert [found.precision, found.recall, found.f1] == pytest.approx([100 * each for each in expected])


def test_digits_differ_between_splits_and_are_the_same_every_time():
    dataset = digits()
    assert dataset.digest() == digits().digest()
    assert dataset.image == (1, 8, 8)


class TestMeasure:
    def test_costs_of_a_network(self):
        network = NETWORKS["topology"](1)
        network.train()
        costs = hardware_costs.measure_costs(network, (1, 8, 8), passes=3)
        assert costs.latency_1 > 0
        assert costs.latency_256 > 0
        assert network.training
        assert costs.energy is None or costs.energy > 0

    def test_peak_memory_is_what_is_alive_at_once(self):
        device, floats = torch.device("cpu"), 4

        def run():
            first = torch.ones(1000)  # 1,000 alive
            second = first.view(10, 100).t().reshape(-1) + 1  # a view, its copy and the sum: 3,000 alive
            del first
            return torch.cat([second, second])  # 1,000 and 2,000 alive

        assert hardware_costs.peak_memory(run, device) == 3000 * floats
        held = torch.ones(500)
        assert hardware_costs.peak_memory(lambda: held.mul_(2), device) == 0

    def test_peak_memory_of_a_network(self):
        """Two layers without shortcuts: the output of one and of the next are alive at once."""
        network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1, bias=False), torch.nn.ReLU())
        assert hardware_costs.measure_costs(network, (1, 8, 8), passes=1).peak_memory == 2 * 256 * 4 * 64 * 4

    def test_energy_is_counted_where_the_platform_tells(self, tmp_path, monkeypatch):
        package, core = tmp_path / "intel-rapl:0", tmp_path / "intel-rapl:0:0"
        for folder in (package, core):
            folder.mkdir()
            (folder / "energy_uj").write_text("1000000\n")
        monkeypatch.setattr(hardware_costs, "_RAPL", tmp_path)
        with hardware_costs.EnergyMeter(torch.device("cpu")) as meter:
            (package / "energy_uj").write_text("3500000\n")
        assert meter.joules == 2.5
        with hardware_costs.EnergyMeter(torch.device("cpu")) as meter:
            (package / "energy_uj").write_text("5\n")  # wrapped around
        assert meter.joules is None

    def test_no_energy_where_the_platform_does_not_tell(self, tmp_path, monkeypatch):
        monkeypatch.setattr(hardware_costs, "_RAPL", tmp_path)
        with hardware_costs.EnergyMeter(torch.device("cpu")) as meter:
            pass
        assert meter.joules is None


def test_devices_and_precisions_are_checked():
    assert check_device("cpu:0") == "cpu"
    with pytest.raises(ParameterError, match="unknown device 'gpu'"):
        check_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ParameterError, match="cannot use the device 'cuda'"):
            check_device("cuda")
    with pytest.raises(UnknownNameError, match="bfloat16"):
        check_precision("float16")
