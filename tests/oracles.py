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


def random_search(space, seed, run, evaluate, evaluations):
    draw = uniforms(seed, run)
    history = []
    for _ in range(evaluations):
        architecture = int(next(draw) * space.size)
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


def local_search(space, seed, run, evaluate, evaluations, improvement="best"):
    """White et al. 2021, with restarts. Three uniforms a step: the neighbour, the start, the start's second try."""
    draw = uniforms(seed, run)
    visited, history = set(), []
    centre_value, best, queue, done = -math.inf, None, [], 0
    while len(history) < evaluations:
        which, first, second = next(draw), next(draw), next(draw)
        if best is not None and best[1] > centre_value and (improvement == "first" or done == len(queue)):
            centre_value = best[1]
            queue, done = [n for n in space.neighbors(best[0]).tolist() if n not in visited], 0
            best = None
        if done < len(queue):
            chosen = done + int(which * (len(queue) - done))
            queue[done], queue[chosen] = queue[chosen], queue[done]
            architecture = queue[done]
            done += 1
            value = _number(evaluate(architecture))
            visited.add(architecture)
            if value > (-math.inf if best is None else best[1]):
                best = (architecture, value)
        else:
            architecture = int(first * space.size)
            if architecture in visited:
                left = [a for a in range(space.size) if a not in visited]
                if not left:
                    return history
                architecture = left[int(second * len(left))]
            centre_value = _number(evaluate(architecture))
            visited.add(architecture)
            queue, done = [n for n in space.neighbors(architecture).tolist() if n not in visited], 0
            best = None
        history.append(architecture)
    return history


def _number(value):
    return -math.inf if math.isnan(value) else value
