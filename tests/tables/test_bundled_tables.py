"""The numbers of the bundled tables are those that training gives: some of their rows, trained again."""

import numpy as np
import pytest
from paths import ROOT

import nasbench_lab as nl

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.tables import bundled_tables  # noqa: E402
from nasbench_lab.train.build import read_spec  # noqa: E402
from nasbench_lab.train.build.assembly import this_platform  # noqa: E402
from nasbench_lab.train.build.worker import Worker  # noqa: E402
from nasbench_lab.train.equivalent_networks import representatives  # noqa: E402

DATA = ROOT / "data"
NAMES = [recipe.description.name for recipe in bundled_tables.recipes()]
ROWS = 3


@pytest.fixture(autouse=True)
def one_thread():
    """As the tables were trained."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", NAMES)
def test_rows_trained_again(name):
    """To the last bit on the platform that the table was trained on; elsewhere within the spread of its seeds."""
    table = nl.load(name)
    spec = read_spec(DATA / f"{name.replace('/', '-')}.toml")
    dataset = spec.load_dataset()
    assert dataset.digest() in table.description.source
    # The class of the recipe was called Recipe when these tables were trained.
    assert repr(spec.recipe).removeprefix("Training") in table.description.source
    worker = Worker(spec, table.space, dataset)
    shared = representatives(table.space)
    same_platform = this_platform() in table.description.source
    epochs = spec.trainings[0]
    positions = slice(None) if not spec.budgets else slice(0, 1)
    # Other rows in every release of torch and NumPy would be better still, but a failure must be repeatable.
    for architecture in np.random.default_rng(2026).choice(table.space.size, ROWS, replace=False):
        found = worker.train((int(shared[architecture]), epochs))
        for metric in ("train_accuracy", "valid_accuracy", "test_accuracy", "valid_loss"):
            stored = table.values(metric)[architecture, positions].T
            trained = found[metric] if not spec.budgets else found[metric][:, -1:]
            if same_platform:
                np.testing.assert_array_equal(trained.astype(np.float32), stored, err_msg=f"{metric} of {architecture}")
            else:
                spread = 4 * stored[:, -1].std(ddof=1) + 0.05 * abs(stored[:, -1]).mean()
                assert trained[:, -1].mean() == pytest.approx(stored[:, -1].mean(), abs=spread), metric


def test_every_bundled_table_has_its_specification():
    assert {path.stem for path in DATA.glob("*.toml")} >= {name.replace("/", "-") for name in NAMES}
