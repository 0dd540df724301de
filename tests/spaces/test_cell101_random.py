"""The published sampling and mutation, against brute force over all drawings and against the published procedure."""

import numpy as np
import pytest
import scipy.stats
from cell101_oracle import codes, every_drawing, pruned

from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.cell101 import OPERATIONS, Cell101Space

THREE, FOUR, FIVE, SEVEN = Cell101Space(3), Cell101Space(4), Cell101Space(5), Cell101Space()


def is_cell(matrix, labels):
    cell = pruned(matrix, labels)
    return cell is not None and sum(map(sum, cell[0])) <= 9


def drawings_of(space):
    """The codes of all drawings with all vertices that are cells."""
    return np.array([codes(space, *drawing) for drawing in every_drawing(space.vertices) if is_cell(*drawing)])


def as_numbers(drawings):
    """One number for each row of codes."""
    return drawings.astype(np.int64) @ 4 ** np.arange(drawings.shape[-1])


def agree(observed, expected):
    """Whether counts come from expected ones, rare kinds taken together."""
    rare = expected < 10
    observed, expected = (np.append(counts[~rare], counts[rare].sum()) for counts in (observed, expected))
    if expected[-1] == 0:
        assert observed[-1] == 0
        observed, expected = observed[:-1], expected[:-1]
    return scipy.stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-3


@pytest.mark.parametrize("space", [THREE, FOUR, FIVE], ids=["3", "4", "5"])
def test_drawings_are_counted_exactly(space):
    counts = np.bincount(space.index(drawings_of(space)), minlength=space.size)
    assert np.array_equal(space.drawing_counts(np.arange(space.size)), counts)
    total = counts.sum()
    every = space.sample_published((np.arange(total) + 0.5) / total)
    assert np.array_equal(np.bincount(every, minlength=space.size), counts)
    assert space.sample_published(np.array([[0.0, 1 - 2**-53]])).tolist() == [[0, space.size - 1]]


def test_all_drawings_of_seven_vertices():
    counts = SEVEN.drawing_counts(np.arange(SEVEN.size))
    assert counts.min() >= 1
    assert counts.sum() == 1_538_083 * 3**5


def test_sampled_drawings_are_all_equally_likely():
    drawings = FOUR.random_codes(np.random.default_rng(1), 20_000)
    assert drawings.dtype == np.int8
    every = np.sort(as_numbers(drawings_of(FOUR)))
    where = np.searchsorted(every, as_numbers(drawings))
    assert np.array_equal(every[where], as_numbers(drawings)), "not all of them are cells"
    observed = np.bincount(where, minlength=len(every))
    assert agree(observed, np.full(len(every), 20_000 / len(every)))


def test_both_ways_of_sampling_agree_in_the_largest_space():
    random = np.random.default_rng(2)
    probability = SEVEN.drawing_counts(np.arange(SEVEN.size)) / (1_538_083 * 3**5)
    every = SEVEN.codes(np.arange(SEVEN.size))
    kinds = every[:, :21].sum(axis=1) * 8 + (every[:, 21:] > 0).sum(axis=1)  # edges and vertices
    expected = np.bincount(kinds, probability * 30_000)
    for index in (SEVEN.index(SEVEN.random_codes(random, 30_000)), SEVEN.sample_published(random.random(30_000))):
        assert agree(np.bincount(kinds[index], minlength=len(expected)), expected)
        # Numbers of drawings, as small cells are millions of times more likely than large ones.
        order = np.argsort(probability, kind="stable")
        before = np.cumsum(probability[order])[np.argsort(order, kind="stable")]
        uniform = before[index] - random.random(len(index)) * probability[index]
        assert scipy.stats.kstest(uniform, "uniform").pvalue > 1e-3


def published_random_spec(random, vertices):
    """Draw a matrix and operations until they are a cell."""
    while True:
        matrix = np.triu(random.choice([0, 1], size=(vertices, vertices)), 1).tolist()
        labels = [-1, *random.choice([0, 1, 2], size=vertices).tolist()[1:-1], -2]
        if is_cell(matrix, labels):
            return matrix, labels


def test_sampling_agrees_with_the_published_procedure():
    random = np.random.default_rng(3)
    index = FIVE.index([codes(FIVE, *published_random_spec(random, 5)) for _ in range(3_000)])
    expected = FIVE.drawing_counts(np.arange(FIVE.size))
    assert agree(np.bincount(index, minlength=FIVE.size), expected * 3_000 / expected.sum())


def mutation_probabilities(parent, every, space, rate):
    """Exact probabilities that the published mutation turns one drawing into each of the others."""
    edges, inner = space.vertices * (space.vertices - 1) // 2, space.vertices - 2
    differ = every != parent
    flip, replace = rate / space.vertices, min(1.0, rate / inner)
    of_edges = np.where(differ[:, :edges], flip, 1 - flip).prod(axis=1)
    of_operations = np.where(differ[:, edges:], replace / 2, 1 - replace).prod(axis=1)
    likely = of_edges * of_operations
    return likely / likely.sum()


@pytest.mark.parametrize(("space", "rate"), [(THREE, 1.0), (FOUR, 1.0), (FOUR, 0.5), (FOUR, 2.0)])
def test_mutations_have_the_published_probabilities(space, rate):
    random = np.random.default_rng(4)
    every = drawings_of(space)
    every = every[np.argsort(as_numbers(every))]
    for parent in every[random.choice(len(every), 3, replace=False)]:
        mutated = space.mutate_codes(np.tile(parent, (10_000, 1)), random, rate)
        where = np.searchsorted(as_numbers(every), as_numbers(mutated))
        assert np.array_equal(every[where], mutated)
        observed = np.bincount(where, minlength=len(every))
        assert agree(observed, mutation_probabilities(parent, every, space, rate) * 10_000)


def test_a_mutation_can_change_what_is_pruned():
    parents = SEVEN.random_codes(np.random.default_rng(5), 5_000)
    mutated = SEVEN.mutate_codes(parents, np.random.default_rng(6))
    differ = mutated != parents
    assert 2.5 < differ[:, :21].sum(axis=1).mean() < 3.5
    assert 0.9 < differ[:, 21:].sum(axis=1).mean() < 1.1
    assert SEVEN.index(mutated).shape == (5_000,)
    assert ((SEVEN.index(mutated) == SEVEN.index(parents)) & differ.any(axis=1)).any()


def test_no_mutation_without_a_rate():
    parents = SEVEN.random_codes(np.random.default_rng(7), 200)
    assert np.array_equal(SEVEN.mutate_codes(parents, np.random.default_rng(8), rate=0), parents)


def test_mutations_of_any_shape_and_of_many():
    random = np.random.default_rng(9)
    many = SEVEN.random_codes(random, 40_000)
    assert SEVEN.index(SEVEN.mutate_codes(many.reshape(8, 5_000, 26), random)).shape == (8, 5_000)
    assert SEVEN.mutate_codes(many[0], random).shape == (26,)
    assert SEVEN.mutate_codes(many[:0], random).shape == SEVEN.random_codes(random, 0).shape == (0, 26)


def test_random_numbers_come_from_the_generator_alone():
    one, same = (FIVE.random_codes(np.random.default_rng(10), 50) for _ in range(2))
    assert np.array_equal(one, same)
    one, same = (FIVE.mutate_codes(one, np.random.default_rng(11)) for _ in range(2))
    assert np.array_equal(one, same)


def test_a_small_drawing_is_mutated_as_one_with_all_vertices():
    small = SEVEN.parse("[[0,1,0],[0,0,1],[0,0,0]] ['input','maxpool3x3','output']")
    drawn = SEVEN.mutate_codes(SEVEN.codes(small), np.random.default_rng(0), rate=0)
    adjacency, operations = SEVEN.drawing(drawn.tolist())
    assert adjacency.shape == (7, 7)
    assert np.argwhere(adjacency).tolist() == [[0, 1], [1, 6]]
    assert operations == ["maxpool3x3", *[OPERATIONS[0]] * 4]
    assert SEVEN.index(drawn) == small


def test_the_space_of_two_vertices_has_one_drawing():
    two, random = Cell101Space(2), np.random.default_rng(0)
    assert two.random_codes(random, 3).tolist() == [[1]] * 3
    assert two.mutate_codes([[1], [1]], random).tolist() == [[1], [1]]
    assert two.sample_published(np.array([0.0, 0.9])).tolist() == [0, 0]


@pytest.mark.parametrize("rate", [-0.1, 7, float("nan"), float("inf")])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(ParameterError, match=r"rate must be (at least 0 and below 7|a finite number), got"):
        SEVEN.mutate_codes(SEVEN.codes(0), np.random.default_rng(0), rate)


def test_parents_that_are_no_cells_are_refused():
    with pytest.raises(OutOfSpaceError, match="does not lead to its output"):
        SEVEN.mutate_codes([0] * 21 + [1] * 5, np.random.default_rng(0))
    with pytest.raises(OutOfSpaceError, match="has 26 integer codes"):
        SEVEN.mutate_codes([0, 1], np.random.default_rng(0))
