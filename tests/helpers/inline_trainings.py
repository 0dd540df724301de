"""Workers of a live search that train in the process of the test, in any order, and stop where the test wants."""

import time

from nasbench_lab.train.live_search.workers import Ended, Running


class InlineWorkers:
    """Trains what is asked for, one network at a time.

    Args:
        trainer: see `Trainer`.
        last_first: whether the request that came last is answered first.
        stop_after: number of answers after which Ctrl-C is pressed; None for never.
    """

    def __init__(self, trainer, devices=("cpu",), *, last_first=False, stop_after=None):
        self.trainer, self.last_first, self.left = trainer, last_first, stop_after
        self.waiting, self.most, self.answered = [], 0, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def running(self):
        return [Running(request, 0, 0.0) for request in self.waiting]

    def get_ready(self):
        pass

    def submit(self, request):
        self.waiting.append(request)
        self.most = max(self.most, len(self.waiting))

    def wait(self, seconds):
        if not self.waiting:
            time.sleep(min(seconds, 0.01))
            return []
        if self.left == 0:
            raise KeyboardInterrupt
        if self.left is not None:
            self.left -= 1
        request = self.waiting.pop(-1 if self.last_first else 0)
        self.answered.append(request)
        return [Ended(request, self.trainer.answer(request))]
