"""Evolution and multi-objective search written again, one run at a time in plain Python.

They draw from the same streams in the documented order, and share nothing else with the package's strategies.
"""

import itertools
import math

from nasbench_lab.streams import Streams


class Draw:
    """The uniforms of one run's strategy stream, one by one or in blocks."""

    def __init__(self, seed, run):
        self.streams = Streams(seed, run, 1)

    def __call__(self, n):
        return self.streams.uniform(n)[0].copy().tolist()


class BudgetUsedUpError(Exception):
    """Ends a search."""


class History:
    """Evaluates, and ends the search when the budget is used up."""

    def __init__(self, evaluate, evaluations):
        self.evaluate, self.left, self.done = evaluate, evaluations, []

    def __call__(self, architecture):
        if not self.left:
            raise BudgetUsedUpError
        self.left -= 1
        self.done.append(architecture)
        return self.evaluate(architecture)


def recorded(search):
    """Turn a search that never ends into a function that returns its architectures."""

    def oracle(space, seed, run, evaluate, evaluations, **parameters):
        history = History(lambda a: number(evaluate(a)), evaluations)
        try:
            search(space, Draw(seed, run), history, **parameters)
        except BudgetUsedUpError:
            return history.done

    return oracle


def number(value):
    if isinstance(value, tuple):
        return value
    return -math.inf if math.isnan(value) else value


def first_generation(space, draw, evaluate, size):
    architectures = [int(u * space.size) for u in draw(size)]
    return [(a, evaluate(a)) for a in architectures]


def best_first(population):
    return sorted(population, key=lambda member: -member[1])  # stable


@recorded
def genetic_algorithm(
    space,
    draw,
    evaluate,
    population_size=20,
    selection="tournament",
    tournament_size=2,
    rank_pressure=1.5,
    truncation_share=0.3,
    crossover="one-point",
    crossover_rate=0.9,
    mutation="replace",
    mutation_rate=None,
    elitism=1,
):
    population = best_first(first_generation(space, draw, evaluate, population_size))
    while True:
        children = population_size - elitism
        parents = select(population, draw, 2 * children, selection, tournament_size, rank_pressure, truncation_share)
        child = cross(space, draw, parents[:children], parents[children:], crossover, crossover_rate)
        child = mutate(space, draw, child, mutation, mutation_rate)
        population = best_first(population[:elitism] + [(a, evaluate(a)) for a in child])


@recorded
def mu_plus_lambda(space, draw, evaluate, parents=10, offspring=10, mutation="neighbor", mutation_rate=None):
    population = best_first(first_generation(space, draw, evaluate, parents))
    while True:
        drawn = [population[int(u * parents)][0] for u in draw(offspring)]
        child = mutate(space, draw, drawn, mutation, mutation_rate)
        population = best_first(population + [(a, evaluate(a)) for a in child])[:parents]


def select(population, draw, n, selection, tournament_size, rank_pressure, truncation_share):
    """Return n architectures of a population that is sorted, the best first."""
    size = len(population)
    if selection == "tournament":
        uniform = draw(n * tournament_size)
        groups = [uniform[i * tournament_size : (i + 1) * tournament_size] for i in range(n)]
        return [population[min(int(u * size) for u in group)][0] for group in groups]
    uniform = draw(n)
    if selection == "truncation":
        kept = max(1, round(truncation_share * size))
        return [population[int(u * kept)][0] for u in uniform]
    if selection == "rank":
        shares = [(rank_pressure - (2 * rank_pressure - 2) * i / max(size - 1, 1)) / size for i in range(size)]
        return [population[spin(shares, u)][0] for u in uniform]
    values = [value for _, value in population if value > -math.inf]
    shares = [value - min(values) if value > -math.inf else 0.0 for _, value in population]
    if not any(shares):
        shares = [1.0 if value == population[0][1] else 0.0 for _, value in population]
    total = 0.0
    for share in shares:
        total += share
    return [population[spin(shares, u * total)][0] for u in uniform]


def spin(shares, point):
    reached = 0.0
    for position, share in enumerate(shares):
        reached += share
        if point < reached:
            return position
    return len(shares) - 1


def cross(space, draw, one, other, kind, rate):
    codes, n = len(space.cardinalities), len(one)
    whether = [u < rate for u in draw(n)]
    draws = {"one-point": 1, "two-point": 2, "uniform": codes}[kind]
    uniform = draw(n * draws)
    children = []
    for i in range(n):
        mine = uniform[i * draws : (i + 1) * draws]
        a, b = space.codes(one[i]).tolist(), space.codes(other[i]).tolist()
        if kind == "uniform":
            child = [b[j] if mine[j] < 0.5 else a[j] for j in range(codes)]
        elif kind == "one-point":
            cut = 1 + int(mine[0] * (codes - 1))
            child = a[:cut] + b[cut:]
        else:
            first = int(mine[0] * codes)
            others = [cut for cut in range(codes + 1) if cut != first]
            low, high = sorted((first, others[int(mine[1] * (codes - 1))]))
            child = a[:low] + b[low:high] + a[high:]
        found = int(space.find(child))
        children.append(found if whether[i] and found >= 0 else one[i])
    return children


def mutate(space, draw, architectures, kind, rate):
    n = len(architectures)
    if kind == "neighbor":
        whether, which = draw(n), draw(n)
        limit = 1.0 if rate is None else rate
        return [
            neighbor(space, a, u) if w < limit else a for a, w, u in zip(architectures, whether, which, strict=True)
        ]
    codes = len(space.cardinalities)
    rate = 1 / codes if rate is None else rate
    whether, what, fallback = draw(n * codes), draw(n * codes), draw(n)
    mutants = []
    for i, architecture in enumerate(architectures):
        child = space.codes(architecture).tolist()
        for j, choices in enumerate(space.cardinalities):
            if whether[i * codes + j] < rate:
                child[j] = (child[j] + 1 + int(what[i * codes + j] * (choices - 1))) % choices
        found = int(space.find(child))
        mutants.append(found if found >= 0 else neighbor(space, architecture, fallback[i]))
    return mutants


def neighbor(space, architecture, uniform):
    neighbors = space.neighbors(architecture).tolist()
    return neighbors[int(uniform * len(neighbors))] if neighbors else architecture


@recorded
def differential_evolution(space, draw, evaluate, population_size=20, mutation_factor=0.5, crossover_rate=0.5):
    """Storn and Price 1997, DE/rand/1/bin, with the tries that invalid codes get."""
    choices = space.cardinalities
    codes = len(choices)
    tries = 1 if math.prod(choices) == space.size else 8
    architectures = [int(u * space.size) for u in draw(population_size)]
    within = draw(population_size * codes)
    population = []
    for i, architecture in enumerate(architectures):
        row = space.codes(architecture).tolist()
        vector = [(row[j] + within[i * codes + j]) / choices[j] for j in range(codes)]
        population.append((vector, evaluate(architecture)))
    while True:
        trials = [None] * population_size
        for _ in range(tries):
            who, fresh = draw(3 * population_size), draw(population_size * codes)
            whether, always = draw(population_size * codes), draw(population_size)
            for i in range(population_size):
                if trials[i]:
                    continue
                left = [p for p in range(population_size) if p != i]
                base, one, other = (population[left.pop(int(who[3 * i + j] * len(left)))][0] for j in range(3))
                vector = list(population[i][0])
                for j in range(codes):
                    if whether[i * codes + j] < crossover_rate or j == int(always[i] * codes):
                        value = base[j] + mutation_factor * (one[j] - other[j])
                        vector[j] = value if 0 <= value <= 1 else fresh[i * codes + j]
                found = int(space.find([min(int(vector[j] * choices[j]), choices[j] - 1) for j in range(codes)]))
                if found >= 0:
                    trials[i] = (vector, found)
        if tries > 1:
            for i, u in enumerate(draw(population_size)):
                if not trials[i]:
                    row = space.codes(int(u * space.size)).tolist()
                    trials[i] = ([(row[j] + 0.5) / choices[j] for j in range(codes)], int(u * space.size))
        values = [evaluate(architecture) for _, architecture in trials]
        for i, value in enumerate(values):
            if value >= population[i][1]:
                population[i] = (trials[i][0], value)


@recorded
def nsga2(
    space,
    draw,
    evaluate,
    population_size=20,
    crossover="one-point",
    crossover_rate=0.9,
    mutation="replace",
    mutation_rate=None,
):
    """Deb et al. 2002. ``evaluate`` may return one value or a tuple of them."""
    population = crowded(first_generation(space, draw, evaluate, population_size))
    while True:
        uniform = draw(4 * population_size)
        pairs = zip(uniform[::2], uniform[1::2], strict=True)
        size = len(population)
        parents = [population[min(int(u * size), int(v * size))][0] for u, v in pairs]
        child = cross(space, draw, parents[:population_size], parents[population_size:], crossover, crossover_rate)
        child = mutate(space, draw, child, mutation, mutation_rate)
        population = crowded(population + [(a, evaluate(a)) for a in child])[:population_size]


def crowded(population):
    """Sort by front and crowding distance; of equals, the first seen comes first."""
    points = [value if isinstance(value, tuple) else (value,) for _, value in population]
    sorted_population, left = [], list(range(len(points)))
    while left:
        front = [i for i in left if not any(dominates(points[j], points[i]) for j in left)]
        left = [i for i in left if i not in front]
        distance = crowding([points[i] for i in front])
        order = sorted(range(len(front)), key=lambda place: -distance[place])
        sorted_population += [population[front[place]] for place in order]
    return sorted_population


def dominates(one, other):
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other


def crowding(points):
    """The crowding-distance-assignment of the paper, with the range of the front."""
    distance = [0.0] * len(points)
    for objective in range(len(points[0])):
        order = sorted(range(len(points)), key=lambda i: points[i][objective])
        low, high = points[order[0]][objective], points[order[-1]][objective]
        distance[order[0]] = distance[order[-1]] = math.inf
        for before, i, after in zip(order, order[1:], order[2:], strict=False):
            if high > low:
                distance[i] += (points[after][objective] - points[before][objective]) / (high - low)
    return distance


@recorded
def random_scalarisation(space, draw, evaluate, population_size=30, sample_size=8, scaling="rank", rho=0.05):
    """Aging evolution in which tournaments are decided by augmented Tchebycheff costs with random weights."""
    population = first_generation(space, draw, evaluate, population_size)
    population = [(a, value if isinstance(value, tuple) else (value,)) for a, value in population]
    seen, oldest = [value for _, value in population], 0
    objectives = range(len(seen[0]))

    def cost(value, j):
        if scaling == "rank":
            return sum(other[j] > value[j] for _, other in population) / population_size
        fine = [v[j] for v in seen if v[j] > -math.inf]
        if value[j] == -math.inf:
            return 2.0
        return (max(fine) - value[j]) / (max(fine) - min(fine)) if max(fine) > min(fine) else 0.0

    while True:
        uniform = draw(sample_size + len(objectives))
        sample = [population[int(u * population_size)] for u in uniform[:sample_size]]
        cuts = [0.0, *sorted(uniform[sample_size:-1]), 1.0]
        weights = [high - low for low, high in itertools.pairwise(cuts)]
        costs = []
        for _, value in sample:
            shares = [weights[j] * cost(value, j) for j in objectives]
            total = 0.0
            for share in shares:
                total += share
            costs.append(max(shares) + rho * total)
        child = neighbor(space, sample[costs.index(min(costs))][0], uniform[-1])
        value = evaluate(child)
        value = value if isinstance(value, tuple) else (value,)
        population[oldest] = (child, value)
        seen.append(value)
        oldest = (oldest + 1) % population_size
