"""Strategies that learn a policy, written again one run at a time in plain Python, with lists and the math module."""

import math

from nasbench_lab.streams import Streams


class Run:
    """One run: its uniforms, how it draws architectures, and what it evaluated."""

    def __init__(self, space, seed, run, evaluate, evaluations):
        self.space, self.streams, self.evaluate, self.left = space, Streams(seed, run, 1), evaluate, evaluations
        self.cardinalities = space.cardinalities
        self.every = math.prod(space.cardinalities) == space.size
        self.history, self.lowest = [], math.nan

    def uniform(self, n):
        return self.streams.uniform(n)[0].copy().tolist()

    def draw(self, choose, seen=None):
        """Codes and architecture; ``choose`` turns one uniform a choice into codes."""
        attempts = 16 if not self.every else 1 if seen is None else 4
        choices = len(self.cardinalities)
        uniform = self.uniform(attempts * choices + (0 if self.every else 32))
        best = None
        for attempt in range(attempts):
            codes = choose(uniform[attempt * choices : (attempt + 1) * choices])
            architecture = int(self.space.find(codes))
            if architecture >= 0 or best is None or best[1] < 0:
                best = (codes, architecture)
            if architecture >= 0 and (seen is None or architecture not in seen):
                break
        if best[1] < 0:
            near = [int(u * self.space.size) for u in uniform[attempts * choices :]]
            shared = [sum(a == b for a, b in zip(self.space.codes(n).tolist(), codes, strict=True)) for n in near]
            nearest = near[shared.index(max(shared))]
            best = (self.space.codes(nearest).tolist(), nearest)
        return best

    def picks(self, probabilities):
        """How to choose from one distribution a choice, each a list as long as the choice has values."""
        return lambda uniform: [pick(p, u) for p, u in zip(probabilities, uniform, strict=True)]

    def observe(self, architecture):
        """The value, or None when the budget is used up."""
        if not self.left:
            return None
        self.left -= 1
        self.history.append(architecture)
        return self.evaluate(architecture)

    def reward(self, value):
        """Failed trainings count as the lowest so far, NaN before the first that did not fail."""
        if not math.isnan(value):
            self.lowest = value if math.isnan(self.lowest) else min(self.lowest, value)
            return value
        return self.lowest


def pick(probabilities, uniform):
    below = 0.0
    for code, share in enumerate(probabilities):
        below += share
        if uniform < below:
            return code
    return max(code for code, share in enumerate(probabilities) if share > 0)


def softmax(logits):
    shares = [math.exp(x - max(logits)) for x in logits]
    return [share / sum(shares) for share in shares]


class Adam:
    def __init__(self, cardinalities, rate):
        self.rate, self.steps = rate, 0
        self.first = [[0.0] * n for n in cardinalities]
        self.second = [[0.0] * n for n in cardinalities]

    def ascend(self, parameters, gradient):
        self.steps += 1
        for i, row in enumerate(gradient):
            for j, slope in enumerate(row):
                self.first[i][j] = 0.9 * self.first[i][j] + 0.1 * slope
                self.second[i][j] = 0.999 * self.second[i][j] + 0.001 * slope**2
                first = self.first[i][j] / (1 - 0.9**self.steps)
                second = self.second[i][j] / (1 - 0.999**self.steps)
                parameters[i][j] += self.rate * first / (math.sqrt(second) + 1e-8)


class Average:
    def __init__(self, momentum):
        self.momentum, self.weighted, self.weight = momentum, 0.0, 0.0

    def advantage(self, reward):
        if math.isnan(reward):
            return 0.0
        self.weighted = self.momentum * self.weighted + (1 - self.momentum) * reward
        self.weight = self.momentum * self.weight + (1 - self.momentum)
        return reward - self.weighted / self.weight


def fitness(value, reward, beta):
    return value if reward == "raw" or math.isnan(value) else 1 / (1 + math.exp(-beta * value))


def reinforce(space, seed, run, evaluate, evaluations, learning_rate=0.1, momentum=0.9, reward="raw", beta=1.0):
    self = Run(space, seed, run, evaluate, evaluations)
    logits = [[0.0] * n for n in space.cardinalities]
    adam, average = Adam(space.cardinalities, learning_rate), Average(momentum)
    while True:
        policy = [softmax(row) for row in logits]
        codes, architecture = self.draw(self.picks(policy))
        value = self.observe(architecture)
        if value is None:
            return self.history
        advantage = average.advantage(self.reward(fitness(value, reward, beta)))
        gradient = [
            [advantage * ((j == code) - p) for j, p in enumerate(row)] for row, code in zip(policy, codes, strict=True)
        ]
        adam.ascend(logits, gradient)


def gumbel_softmax(space, seed, run, evaluate, evaluations, learning_rate=0.1, estimator="score", temperature=1.0):
    """With real Gumbel noise: the noise of what was not drawn is cut off below what was."""
    self = Run(space, seed, run, evaluate, evaluations)
    logits = [[0.0] * n for n in space.cardinalities]
    adam, average = Adam(space.cardinalities, learning_rate), Average(0.9)
    most = max(space.cardinalities)
    while True:
        policy = [softmax(row) for row in logits]
        codes, architecture = self.draw(self.picks(policy))
        uniform = self.uniform(most * len(codes))  # value by value, and for each choice by choice
        value = self.observe(architecture)
        if value is None:
            return self.history
        advantage = average.advantage(self.reward(value))
        gradient = []
        for i, (row, code) in enumerate(zip(policy, codes, strict=True)):
            top = -math.log(-math.log(1 - uniform[code * len(codes) + i]))  # the largest log p + G is standard Gumbel
            perturbed = []
            for j, p in enumerate(row):
                free = math.log(p) - math.log(-math.log(1 - uniform[j * len(codes) + i]))
                perturbed.append(top if j == code else -math.log(math.exp(-top) + math.exp(-free)))
            if estimator == "score":
                noise = [math.exp(-(y - math.log(p))) for y, p in zip(perturbed, row, strict=True)]
                slope = [1 - len(row) * e / sum(noise) for e in noise]
            else:
                relaxed = softmax([y / temperature for y in perturbed])
                slope = [relaxed[code] * ((j == code) - z) / temperature for j, z in enumerate(relaxed)]
            gradient.append([advantage * g for g in slope])
        adam.ascend(logits, gradient)


def pbil(
    space,
    seed,
    run,
    evaluate,
    evaluations,
    population_size=10,
    learning_rate=0.1,
    mutation_probability=0.02,
    mutation_shift=0.05,
):
    self = Run(space, seed, run, evaluate, evaluations)
    policy = [[1 / n] * n for n in space.cardinalities]
    while True:
        best = None
        drawn = [self.draw(self.picks(policy)) for _ in range(population_size)]
        for codes, architecture in drawn:
            value = self.observe(architecture)
            if value is None:
                return self.history
            if not math.isnan(value) and (best is None or value > best[1]):
                best = (codes, value)
        if best is not None:
            policy = [toward(row, code, learning_rate) for row, code in zip(policy, best[0], strict=True)]
        uniform = self.uniform(2 * len(policy))
        for i, row in enumerate(policy):
            if uniform[i] < mutation_probability:
                policy[i] = toward(row, int(uniform[len(policy) + i] * len(row)), mutation_shift)


def toward(row, code, rate):
    return [(1 - rate) * p + rate * (j == code) for j, p in enumerate(row)]


def margin(cardinalities, n):
    several = max(sum(m > 1 for m in cardinalities), 2)
    return 1 / (several * (n - 1)) if n > 1 else 0.0


def bounded(row, least):
    raised = [max(p, least) for p in row]
    room = sum(p - least for p in raised)
    return [least + (p - least) * (1 - least * len(row)) / room for p in raised] if room > 0 else raised


def umda(space, seed, run, evaluate, evaluations, population_size=20, selected=10):
    self = Run(space, seed, run, evaluate, evaluations)
    policy = [[1 / n] * n for n in space.cardinalities]
    while True:
        members = []
        drawn = [self.draw(self.picks(policy)) for _ in range(population_size)]
        for codes, architecture in drawn:
            value = self.observe(architecture)
            if value is None:
                return self.history
            members.append((-math.inf if math.isnan(value) else value, codes))
        chosen = sorted(members, key=lambda member: -member[0])[:selected]
        chosen = [codes for value, codes in chosen if value > -math.inf]
        if chosen:
            policy = [
                bounded(
                    [sum(c[i] == j for c in chosen) / len(chosen) for j in range(n)], margin(space.cardinalities, n)
                )
                for i, n in enumerate(space.cardinalities)
            ]


def asng(space, seed, run, evaluate, evaluations, samples=2, alpha=1.5, initial_step=1.0):
    """Akimoto et al. 2019, with the Fisher information as a matrix, and its square root by eigenvalues."""
    import numpy as np

    self = Run(space, seed, run, evaluate, evaluations)
    cardinalities = space.cardinalities
    policy = [[1 / n] * n for n in cardinalities]
    free = max(sum(n - 1 for n in cardinalities), 1)
    path, gamma, caution = np.zeros(free), 0.0, 1.0
    while True:
        drawn = [self.draw(self.picks(policy)) for _ in range(samples)]
        fitness = []
        for _, architecture in drawn:
            value = self.observe(architecture)
            if value is None:
                return self.history
            fitness.append(-math.inf if math.isnan(value) else value)
        utility = ranked(fitness)
        gradient = [
            [sum(u * ((c[i] == j) - policy[i][j]) for u, (c, _) in zip(utility, drawn, strict=True)) / samples
             for j in range(n)] for i, n in enumerate(cardinalities)
        ]  # fmt: skip
        if max(abs(g) for row in gradient for g in row) < 1e-9:
            continue
        whitened = np.concatenate([whiten(np.array(p), np.array(g)) for p, g in zip(policy, gradient, strict=True)])
        norm = math.sqrt(float(whitened @ whitened))
        step = initial_step / caution
        beta = min(step / math.sqrt(free), 1.0)
        policy = [
            bounded([p + step * g / norm for p, g in zip(row, slope, strict=True)], margin(cardinalities, len(row)))
            for row, slope in zip(policy, gradient, strict=True)
        ]
        path = (1 - beta) * path + math.sqrt(beta * (2 - beta)) * whitened / norm
        gamma = (1 - beta) ** 2 * gamma + beta * (2 - beta)
        caution *= math.exp(beta * (gamma - float(path @ path) / alpha))


def ranked(fitness):
    samples, order = len(fitness), sorted(range(len(fitness)), key=lambda k: -fitness[k])
    chosen = math.ceil(samples / 4)
    by_rank = [1 / chosen] * chosen + [0.0] * (samples - 2 * chosen) + [-1 / chosen] * chosen
    if samples == 2 * chosen - 1:
        raise AssertionError("the best and the worst overlap")
    utility = {}
    for k in order:
        equals = [rank for rank, other in enumerate(order) if fitness[other] == fitness[k]]
        utility[k] = sum(by_rank[rank] for rank in equals) / len(equals)
    return [utility[k] for k in range(samples)]


def whiten(p, gradient):
    """A square root of the Fisher information of the first K - 1 probabilities, times the gradient."""
    import numpy as np

    if len(p) == 1:
        return np.zeros(0)
    inner = p[:-1]
    root = np.sqrt(inner)
    # diag(1 / sqrt p) + sqrt(p) 1' / (p_K + sqrt p_K), whose square is diag(1 / p) + 1 1' / p_K
    matrix = np.diag(1 / root) + np.outer(root, np.ones(len(inner))) / (p[-1] + math.sqrt(p[-1]))
    fisher = np.diag(1 / inner) + 1 / p[-1]
    np.testing.assert_allclose(matrix.T @ matrix, fisher, rtol=1e-9)
    return matrix @ gradient[:-1]


def ppo(space, seed, run, evaluate, evaluations, batch_size=10, epochs=4, clip=0.2, entropy=0.01, learning_rate=0.1):
    self = Run(space, seed, run, evaluate, evaluations)
    logits = [[0.0] * n for n in space.cardinalities]
    adam = Adam(space.cardinalities, learning_rate)
    while True:
        old = [softmax(row) for row in logits]
        drawn = [self.draw(self.picks(old)) for _ in range(batch_size)]
        rewards = []
        for _, architecture in drawn:
            value = self.observe(architecture)
            if value is None:
                return self.history
            rewards.append(self.reward(value))
        known = [r for r in rewards if not math.isnan(r)]
        mean = sum(known) / max(len(known), 1)
        deviation = math.sqrt(sum((r - mean) ** 2 for r in known) / max(len(known), 1))
        advantages = [0.0 if math.isnan(r) else (r - mean) / (deviation + 1e-8) for r in rewards]
        for _ in range(epochs):
            policy = [softmax(row) for row in logits]
            gradient = []
            for i, row in enumerate(policy):
                negative = sum(p * math.log(p) for p in row)
                slope = [-entropy * p * (math.log(p) - negative) for p in row]
                for (codes, _), advantage in zip(drawn, advantages, strict=True):
                    ratio = row[codes[i]] / old[i][codes[i]]
                    if min(max(ratio, 1 - clip), 1 + clip) * advantage < ratio * advantage:
                        continue
                    for j, p in enumerate(row):
                        slope[j] += advantage * ratio * ((j == codes[i]) - p) / batch_size
                gradient.append(slope)
            adam.ascend(logits, gradient)


def q_learning(space, seed, run, evaluate, evaluations, learning_rate=1.0, replay=4, schedule=0.02):
    """Baker et al. 2017, with Q in a dictionary and one update after the other."""
    self = Run(space, seed, run, evaluate, evaluations)
    worth, memory, seen, origin = {}, [], set(), math.nan
    lengths = [(1.0, 1500), (0.9, 100), (0.8, 100), (0.7, 100), *((e, 150) for e in (0.6, 0.5, 0.4, 0.3, 0.2, 0.1))]

    def q(i, before, value):
        return worth.get((i, before, value), 0.0)

    def choose(uniform):
        codes = []
        for i, n in enumerate(space.cardinalities):
            before = codes[-1] if codes else 0
            values = [q(i, before, j) for j in range(n)]
            if uniform[i] < epsilon:
                candidates, u = list(range(n)), uniform[i] / epsilon
            else:
                candidates = [j for j in range(n) if values[j] == max(values)]
                u = (uniform[i] - epsilon) / (1 - epsilon)
            codes.append(candidates[int(u * len(candidates))])
        return codes

    while True:
        end, epsilon = 0.0, 0.1
        for share, length in lengths:
            end += length * schedule
            if len(memory) < end - 1e-9:
                epsilon = share
                break
        codes, architecture = self.draw(choose, seen)
        value = self.observe(architecture)
        if value is None:
            return self.history
        seen.add(architecture)
        reward = self.reward(value)
        origin = reward if math.isnan(origin) else origin
        memory.append((codes, 0.0 if math.isnan(reward - origin) else reward - origin))
        for u in self.uniform(replay):
            past, gain = memory[int(u * len(memory))]
            for i in reversed(range(len(past))):
                before = past[i - 1] if i else 0
                target = gain
                if i < len(past) - 1:
                    target = max(q(i + 1, past[i], j) for j in range(space.cardinalities[i + 1]))
                worth[i, before, past[i]] = q(i, before, past[i]) + learning_rate * (target - q(i, before, past[i]))


def adversarial_search(
    space,
    seed,
    run,
    evaluate,
    evaluations,
    beta=1.0,
    candidates=16,
    pairs=16,
    searcher_rate=0.02,
    evaluator_rate=0.1,
):
    self = Run(space, seed, run, evaluate, evaluations)
    logits, weights = ([[0.0] * n for n in space.cardinalities] for _ in range(2))
    searcher, evaluator = Adam(space.cardinalities, searcher_rate), Adam(space.cardinalities, evaluator_rate)
    best, past, seen = None, [], set()

    def rate(codes):
        return sum(row[code] for row, code in zip(weights, codes, strict=True))

    while True:
        policy = [softmax(row) for row in logits]
        drawn = [self.draw(self.picks(policy)) for _ in range(candidates)]
        new = [c for c in drawn if c[1] not in seen] or drawn
        counter = max(new, key=lambda c: round(rate(c[0]), 9))
        value = self.observe(counter[1])
        if value is None:
            return self.history
        seen.add(counter[1])
        value = -math.inf if math.isnan(value) else value
        past.append((counter[0], value))
        uniform = self.uniform(2 * (pairs - 1)) if pairs > 1 else []
        games = [(best, past[-1])] if best else []
        games += [
            (past[int(u * len(past))], past[int(v * len(past))])
            for u, v in zip(uniform[0::2], uniform[1::2], strict=True)
        ]
        slope = [[0.0] * n for n in space.cardinalities]
        for one, other in games:
            winner, loser = (one, other) if one[1] > other[1] else (other, one)
            if winner[1] == loser[1]:
                continue
            lost = 1 / (1 + math.exp(beta * (rate(winner[0]) - rate(loser[0]))))
            for row, code, less in zip(slope, winner[0], loser[0], strict=True):
                row[code] += beta * lost / pairs
                row[less] -= beta * lost / pairs
        evaluator.ascend(weights, slope)
        losses = [math.log1p(math.exp(beta * (rate(c) - rate(best[0])))) if best else 0.0 for c, _ in drawn]
        mean = sum(losses) / candidates
        gradient = [
            [
                sum((x - mean) * ((c[i] == j) - p) for x, (c, _) in zip(losses, drawn, strict=True)) / candidates
                for j, p in enumerate(row)
            ]
            for i, row in enumerate(policy)
        ]
        searcher.ascend(logits, gradient)
        if value > (best[1] if best else -math.inf):
            best = past[-1]


def recurrent_controller(
    space, seed, run, evaluate, evaluations, learning_rate=0.01, units=35, layers=2, batch_size=8, momentum=0.9
):
    """With PyTorch's LSTM cells and its gradients."""
    import torch

    self = Run(space, seed, run, evaluate, evaluations)
    cardinalities = space.cardinalities
    total = sum(cardinalities)
    sizes = [8 * units**2] * layers + [4 * units] * layers + [total * units] * 2 + [total]
    parts = [
        (0.08 * (2 * part - 1)).requires_grad_()
        for part in torch.tensor(self.uniform(sum(sizes)), dtype=torch.float64).split(sizes)
    ]
    adam, average = torch.optim.Adam(parts, lr=learning_rate), Average(momentum)

    def log_shares(codes, choice, memory):
        """Log-probabilities of a choice after those before; ``memory`` is changed."""
        embedding, output = (part.reshape(total, units) for part in parts[2 * layers : 2 * layers + 2])
        first = sum(cardinalities[:choice])
        x = embedding[first - cardinalities[choice - 1] + codes[-1]] if choice else torch.zeros(units).double()
        for layer in range(layers):
            h, c = memory[layer]
            z = parts[layer].reshape(4 * units, 2 * units) @ torch.cat([x, h]) + parts[layers + layer]
            i, f, o, candidate = z.split(units)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(candidate)
            x = torch.sigmoid(o) * torch.tanh(c)
            memory[layer] = (x, c)
        values = slice(first, first + cardinalities[choice])
        return torch.log_softmax(output[values] @ x + parts[-1][values], dim=0)

    def blank():
        return [(torch.zeros(units).double(), torch.zeros(units).double()) for _ in range(layers)]

    def write(uniform):
        codes, memory = [], blank()
        with torch.no_grad():
            for choice, u in enumerate(uniform):
                codes.append(pick(log_shares(codes, choice, memory).exp().tolist(), u))
        return codes

    while True:
        drawn = [self.draw(write) for _ in range(batch_size)]
        advantages = []
        for _, architecture in drawn:
            value = self.observe(architecture)
            if value is None:
                return self.history
            advantages.append(average.advantage(self.reward(value)))
        objective = torch.zeros(()).double()
        for (codes, _), advantage in zip(drawn, advantages, strict=True):
            memory = blank()
            for choice, code in enumerate(codes):
                objective = objective + advantage / batch_size * log_shares(codes[:choice], choice, memory)[code]
        adam.zero_grad()
        (-objective).backward()
        adam.step()
