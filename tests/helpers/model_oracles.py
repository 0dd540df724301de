"""Model-based strategies written again, one run at a time in plain Python (see oracles.py)."""

import math

import numpy as np
from oracles import uniforms


def tpe(
    space,
    seed,
    run,
    evaluate,
    evaluations,
    initial=10,
    gamma=0.1,
    most_good=25,
    candidates=24,
    prior_weight=1.0,
    remembered=25,
    revisit=False,
):
    """Bergstra et al. 2011, section 4. A random architecture takes two uniforms, whether it is needed or not.

    Those of the first architectures are drawn together: the first of all, then the second of all.
    """
    draw = uniforms(seed, run)
    history, values = [], []
    everything = [tuple(codes) for codes in space.codes(np.arange(space.size)).tolist()]

    firsts = [next(draw) for _ in range(initial)]
    founders = [(first, first if revisit else next(draw)) for first in firsts]

    def random_one():
        first, second = founders.pop(0) if founders else (next(draw), next(draw))
        if revisit or int(first * space.size) not in history:
            return int(first * space.size)
        left = [a for a in range(space.size) if a not in history]
        return left[int(second * len(left))] if left else None

    def probabilities(group):
        """Of every code, the probabilities of its values."""
        n = len(group)
        old = max(n - remembered, 0)
        weights = [*np.linspace(1 / max(n, 1), 1, old), *[1.0] * (n - old)]
        tables = [[prior_weight] * cardinality for cardinality in space.cardinalities]
        for architecture, weight in zip(group, weights, strict=True):
            for code, value in enumerate(everything[architecture]):
                tables[code][value] += weight
        return [[count / math.fsum(table) for count in table] for table in tables]

    while len(history) < evaluations:
        if len(history) < initial:
            chosen = random_one()
        else:
            count = min(math.ceil(gamma * len(history)), most_good)
            numbers = [-math.inf if math.isnan(value) else value for value in values]
            best = sorted(range(len(history)), key=lambda i: -numbers[i])[:count]
            l = probabilities([history[i] for i in sorted(best)])  # noqa: E741
            g = probabilities([history[i] for i in range(len(history)) if i not in best])
            chosen, best_score = None, None
            for _ in range(candidates):
                codes = []
                for table in l:
                    u = next(draw)
                    below = np.cumsum(table).tolist()
                    codes.append(next((i for i, p in enumerate(below[:-1]) if u < p), len(table) - 1))
                score = np.float32(sum(math.log(l[i][c]) - math.log(g[i][c]) for i, c in enumerate(codes)))
                architecture = int(space.find(codes))  # other codes can describe the same architecture
                if architecture < 0 or (architecture in history and not revisit):
                    continue
                if best_score is None or score > best_score:
                    chosen, best_score = architecture, score
            other = random_one()
            if chosen is None:
                chosen = other
        if chosen is None:
            return history
        history.append(chosen)
        values.append(evaluate(chosen))
    return history


def best_split(codes, value, examples, cardinalities, uniform, least, considered):
    """The code and the value of the split that lowers the squared error of a node most; None where there is none."""
    if len(examples) < least:
        return None

    def error(group):
        return math.fsum((value[e] - np.mean(value[group])) ** 2 for e in group)

    found, best = None, 1e-6
    for code in range(len(cardinalities)):
        if sorted(uniform).index(uniform[code]) >= considered:
            continue
        for split in range(cardinalities[code]):
            inside = [e for e in examples if codes[e][code] == split]
            outside = [e for e in examples if codes[e][code] != split]
            if inside and outside and error(examples) - error(inside) - error(outside) > best + 1e-9:
                found, best = (code, split), error(examples) - error(inside) - error(outside)
    return found
