"""Monte-Carlo tree search written again, one run at a time in plain Python (see oracles.py)."""

import math

import numpy as np
from oracles import uniforms


def mcts(space, seed, run, evaluate, evaluations, exploration=0.05):
    """Kocsis and Szepesvari 2006, Wang et al. 2020: a dictionary of all beginnings with visits and sums of rewards.

    Every evaluation takes one uniform for the rollout, and one for every choice, used or not.
    """
    draw = uniforms(seed, run)
    rows = sorted((tuple(codes), index) for index, codes in enumerate(space.codes(np.arange(space.size)).tolist()))
    visits, total, history, rewards, origin = {}, {}, [], [], None

    def below(prefix):
        return [index for codes, index in rows if codes[: len(prefix)] == prefix]

    def branches(prefix):
        """The next values, after all those that are forced."""
        while True:
            values = sorted({codes[len(prefix)] for codes, _ in rows if codes[: len(prefix)] == prefix})
            if len(values) > 1:
                return [(*prefix, value) for value in values]
            prefix = (*prefix, values[0])

    def bound(child, parent):
        if child not in visits:
            return math.inf
        bonus = 2 * exploration * (max(rewards) - min(rewards)) * math.sqrt(2 * math.log(visits[parent]))
        return total[child] / visits[child] + bonus / math.sqrt(visits[child])

    while len(history) < min(evaluations, space.size):
        rollout, *ties = [next(draw) for _ in range(1 + len(space.cardinalities))]
        prefix = ()
        for tie in ties:
            if prefix not in visits:
                break
            open_ones = [child for child in branches(prefix) if visits.get(child, 0) < len(below(child))]
            bounds = [bound(child, prefix) for child in open_ones]
            best = [child for child, b in zip(open_ones, bounds, strict=True) if b == max(bounds)]
            prefix = best[int(tie * len(best))]
        architectures = below(prefix)
        architecture = architectures[int(rollout * len(architectures))]
        value = evaluate(architecture)
        history.append(architecture)
        if origin is None and not math.isnan(value):
            origin = value
        relative = math.nan if origin is None else value - origin
        reward = relative if not math.isnan(relative) else min(rewards, default=0.0)
        rewards.append(reward)
        codes = tuple(space.codes(architecture).tolist())
        for length in range(len(codes) + 1):
            visits[codes[:length]] = visits.get(codes[:length], 0) + 1
            total[codes[:length]] = total.get(codes[:length], 0.0) + reward
    return history
