"""A strategy for spaces whose architectures are small or large."""

import math


class Grow:
    """Evaluate the smallest architectures; then grow the best one, and step sideways where it cannot grow."""

    needs = ("neighbours",)

    def __init__(self, space, random):
        self.space, self.random = space, random
        size = space.size_of(range(space.size))
        self.waiting = random.permutation([index for index in range(space.size) if size[index] == size.min()]).tolist()
        self.seen, self.best, self.value = set(), None, -math.inf

    def ask(self):
        """Return the next architecture: a new larger neighbour of the best one, else a new one, else any."""
        if not self.waiting:
            new = [each for each in self.space.neighbors(self.best).tolist() if each not in self.seen]
            larger = [each for each in new if self.space.size_of(each) > self.space.size_of(self.best)]
            others = [each for each in range(self.space.size) if each not in self.seen]
            self.waiting = [int(self.random.choice(larger or new or others or [self.best]))]
        return self.waiting.pop()

    def tell(self, architecture, value):
        """Remember the best architecture."""
        self.seen.add(architecture)
        if self.best is None or value > self.value:
            self.best, self.value = architecture, value
