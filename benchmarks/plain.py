"""The opponents: what one writes without lock step, as tight as plain Python gets, one run after the other."""

import math
import random
from collections import deque


def regularized_evolution(neighbors, values, evaluations, population_size, sample_size, seed):
    """One run of regularized evolution on lists; returns the best value after every evaluation.

    Args:
        neighbors: per architecture, the list of its neighbours.
        values: per architecture, the list of its measured values.
        evaluations: length of the run.
        population_size: members.
        sample_size: size of a tournament.
        seed: of the run.
    """
    generator = random.Random(seed)
    choices, choice, randrange = generator.choices, generator.choice, generator.randrange
    size = len(values)
    population, best, trajectory = deque(), -math.inf, []
    for evaluation in range(evaluations):
        if evaluation < population_size:
            child = randrange(size)
        else:
            child = choice(neighbors[max(choices(population, k=sample_size))[1]])
            population.popleft()
        value = choice(values[child])
        population.append((value, child))
        best = max(best, value)
        trajectory.append(best)
    return trajectory


def random_search(values, evaluations, seed):
    """One run of random search on a list; returns the best value after every evaluation."""
    generator = random.Random(seed)
    choice = generator.choice
    best, trajectory = -math.inf, []
    for _ in range(evaluations):
        best = max(best, choice(choice(values)))
        trajectory.append(best)
    return trajectory


def local_search(neighbors, values, evaluations, seed):
    """One run of local search (best improvement, restarts); returns the best value after every evaluation."""
    generator = random.Random(seed)
    size, visited, trajectory, best = len(values), set(), [], -math.inf
    while len(trajectory) < evaluations:
        centre = generator.randrange(size)
        if centre in visited:
            continue
        queue = [centre]
        centre_value = -math.inf
        while queue:
            generator.shuffle(queue)
            reached = (-math.inf, -1)
            for architecture in queue:
                visited.add(architecture)
                value = generator.choice(values[architecture])
                reached = max(reached, (value, architecture))
                best = max(best, value)
                trajectory.append(best)
                if len(trajectory) == evaluations:
                    return trajectory
            if reached[0] <= centre_value:
                break
            centre_value, centre = reached
            queue = [n for n in neighbors[centre] if n not in visited]
    return trajectory
