"""The strategies written again, one run at a time in plain Python: what the lock-step versions must agree with.

They draw from the same streams in the documented order, and share nothing else with the package's strategies.
"""

import math

from nasbench_lab.streams import Streams


def uniforms(seed, run):
    """Endless uniforms of one run's strategy stream."""
    streams = Streams(seed, run, 1)
    while True:
        yield from streams.uniform(256)[0].copy().tolist()


def random_search(space, seed, run, evaluate, evaluations, replacement=True):
    """Without replacement two uniforms a step: the architecture, and its rank if the first was drawn before."""
    draw = uniforms(seed, run)
    history = []
    while len(history) < evaluations:
        if replacement:
            architecture = int(next(draw) * space.size)
        else:
            architecture = _fresh(space, history, next(draw), next(draw))
            if architecture is None:
                break
        evaluate(architecture)
        history.append(architecture)
    return history


def regularized_evolution(space, seed, run, evaluate, evaluations, population_size=10, sample_size=3):
    """Real et al. 2019, algorithm 1. The population is a list in which a member keeps its place."""
    draw = uniforms(seed, run)
    population, history = [], []
    while len(history) < evaluations:
        if len(population) < population_size:
            child = int(next(draw) * space.size)
            value = evaluate(child)
            population.append((child, value))
        else:
            sample = [population[int(next(draw) * population_size)] for _ in range(sample_size)]
            parent = sample[0]
            for member in sample[1:]:
                if _number(member[1]) > _number(parent[1]):
                    parent = member
            neighbors = space.neighbors(parent[0]).tolist()
            step = next(draw)
            child = neighbors[int(step * len(neighbors))] if neighbors else parent[0]
            value = evaluate(child)
            population[len(history) % population_size] = (child, value)
        history.append(child)
    return history


def local_search(space, seed, run, evaluate, evaluations, improvement="first", initial=10, restarts=True, workers=1):
    """White et al. 2021, with restarts. Three uniforms a proposal: the random architecture, twice; the neighbour."""
    draw = uniforms(seed, run)
    history, centre_value, queue, neighbors, randoms, started = [], -math.inf, [], [], [], False
    while len(history) < evaluations:
        best = _first_best(neighbors)
        if best and best[1] > centre_value and (improvement == "first" or not queue):
            centre_value, neighbors = best[1], []
            queue = _unseen_neighbors(space, best[0], history)
        if not queue and len(randoms) >= initial and (restarts or not started):
            centre, centre_value = _first_best(randoms)
            queue = _unseen_neighbors(space, centre, history)
            started, neighbors, randoms = True, [], []
        if started and not restarts and not queue:
            return history
        batch, count = [], workers if history else workers * math.ceil(initial / workers)
        for first, second, which in _triples(draw, count):
            kept = neighbors if queue else randoms
            architecture = _take(queue, which) if queue else _fresh(space, history, first, second)
            if architecture is not None:
                history.append(architecture)
                batch.append((kept, architecture))
        for kept, architecture in batch:
            kept.append((architecture, _number(evaluate(architecture))))
        if len(batch) < count:
            break
    return history[:evaluations]


def tabu_search(space, seed, run, evaluate, evaluations, improvement="best", tenure=None, workers=1):
    """Glover 1989, with what was evaluated lately as the tabu list. Uniforms as for local search."""
    draw = uniforms(seed, run)
    history, centre_value, queue, candidates = [], -math.inf, [], []

    def tabu():
        return history if tenure is None else history[max(0, len(history) - min(tenure, space.size - 1)) :]

    while len(history) < evaluations:
        best = _first_best(candidates)
        if best and (not queue or (improvement == "first" and best[1] > centre_value)):
            centre_value, candidates = best[1], []
            queue = _unseen_neighbors(space, best[0], tabu())
        batch = []
        for first, second, which in _triples(draw, workers):
            architecture = _take(queue, which) if queue else _fresh(space, tabu(), first, second)
            if architecture is not None:
                history.append(architecture)
                batch.append(architecture)
        candidates += [(architecture, _number(evaluate(architecture))) for architecture in batch]
        if len(batch) < workers:
            break
    return history[:evaluations]


def greedy_search(space, seed, run, evaluate, evaluations, initial=10):
    """Best-first search; a heap of what was seen would do too. The first architectures take two uniforms each."""
    draw = uniforms(seed, run)
    history, queue, unexpanded, told = [], [], [], 0
    firsts = [next(draw) for _ in range(initial)]
    founders = [(first, next(draw), None) for first in firsts]
    while len(history) < evaluations:
        first, second, which = founders.pop(0) if founders else (next(draw), next(draw), next(draw))
        while told >= initial and not queue and unexpanded:
            best = _first_best(unexpanded)
            unexpanded.remove(best)
            queue = _unseen_neighbors(space, best[0], history)
        architecture = _take(queue, which) if queue else _fresh(space, history, first, second)
        if architecture is None:
            break
        history.append(architecture)
        unexpanded.append((architecture, _number(evaluate(architecture))))
        told += 1
    return history


def hill_climbing(space, seed, run, evaluate, evaluations, samples=3, again=0, workers=1):
    """Mitchell et al. 1993, with means over several evaluations. One uniform a challenger."""
    draw = uniforms(seed, run)
    history, incumbent, values = [], None, []
    while len(history) < evaluations:
        challengers = [_random_neighbor(space, incumbent, next(draw)) for _ in range(max(1, workers // samples))]
        tried = [(challenger, [evaluate(challenger) for _ in range(samples)]) for challenger in challengers]
        history += [challenger for challenger in challengers for _ in range(samples)]
        if incumbent is not None:
            values = values + [evaluate(incumbent) for _ in range(again)]
            history += [incumbent] * again
        best, shown = max(tried, key=lambda pair: _mean(pair[1]))  # the first of equals
        if incumbent is None or _mean(shown) >= _mean(values):
            incumbent, values = best, shown
    return history[:evaluations]


def simulated_annealing(space, seed, run, evaluate, evaluations, temperature=1.0, cooling=0.85, initial=10):
    """Kirkpatrick et al. 1983. Uniforms for the first architectures and their acceptance; then two a step."""
    draw = uniforms(seed, run)
    history = [int(next(draw) * space.size) for _ in range(initial)][:evaluations]
    first = [(architecture, evaluate(architecture)) for architecture in history]
    if len(history) < initial:
        return history
    for _ in range(initial):
        next(draw)
    centre, value = _first_best([(architecture, _number(seen)) for architecture, seen in first])
    known = [seen for _, seen in first if not math.isnan(seen)]
    squares = [(seen - _mean(known)) * (seen - _mean(known)) for seen in known]
    deviation = math.sqrt(_mean(squares)) if known else 0.0
    for step in range(evaluations - initial):
        neighbor = _random_neighbor(space, centre, next(draw))
        history.append(neighbor)
        seen, u = _number(evaluate(neighbor)), next(draw)
        hot = temperature * cooling**step * deviation
        if seen >= value or (hot > 0 and u < math.exp((seen - value) / hot)):
            centre, value = neighbor, seen
    return history


def _number(value):
    return -math.inf if math.isnan(value) else value


def _mean(values):
    """Of those that are numbers, added one after the other (`sum` and `fmean` round differently)."""
    known, total = [value for value in values if not math.isnan(value)], 0.0
    for value in known:
        total += value
    return total / len(known) if known else -math.inf


def _first_best(pairs):
    return max(pairs, key=lambda pair: pair[1]) if pairs else None  # the first of equals


def _take(queue, uniform):
    """Remove a random entry; the last takes its place."""
    chosen = int(uniform * len(queue))
    queue[chosen], queue[-1] = queue[-1], queue[chosen]
    return queue.pop()


def _triples(draw, count):
    """Three uniforms for each of some proposals: the first of all, then the second of all, then the third."""
    drawn = [next(draw) for _ in range(3 * count)]
    return zip(drawn[:count], drawn[count : 2 * count], drawn[2 * count :], strict=True)


def _unseen_neighbors(space, architecture, seen):
    seen = set(seen)
    return [neighbor for neighbor in space.neighbors(architecture).tolist() if neighbor not in seen]


def _random_neighbor(space, architecture, uniform):
    if architecture is None:
        return int(uniform * space.size)
    neighbors = space.neighbors(architecture).tolist()
    return neighbors[int(uniform * len(neighbors))] if neighbors else architecture


def _fresh(space, seen, first, second):
    architecture = int(first * space.size)
    if architecture not in seen:
        return architecture
    left = sorted(set(range(space.size)) - set(seen))
    return left[int(second * len(left))] if left else None
