"""`ResultsCount`: one training as in the official APIs, as a view of a table until it is changed."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nasbench_lab.compat.nats.epochs import check_countable, check_range, evaluation_position, position_of
from nasbench_lab.compat.nats.errors import ArgumentError, MissingResultError, shown
from nasbench_lab.compat.nats.structure import architecture_config
from nasbench_lab.compat.nats.trainings import TRAIN, Measured, Trainings, mean

_CURVES = ("train_acc1es", "train_acc5es", "train_losses", "train_times", "eval_acc1es", "eval_times", "eval_losses")


class _Row(NamedTuple):
    """The place of a training in a table."""

    trainings: Trainings
    architecture: int
    repeat: int


class ResultsCount:
    """One training of one architecture, as ``nats_bench.ResultsCount``.

    Values are read from the table when they are needed. The dictionaries (``train_losses``, ``eval_acc1es``, ...) are
    made when one of them is first accessed. From then on the object uses them instead of the table, so that changes of
    the dictionaries have the same effect as in the official API.

    Attributes:
        name: name of the data set.
        net_state_dict: None, as the tables and the "simple" archives have no weights.
        train_acc1es, train_acc5es, train_losses, train_times: values by epoch, counted from 0, in percent and seconds.
        eval_acc1es, eval_times, eval_losses: values by ``"<evaluation set>@<epoch>"``.
        eval_names: names of the evaluation sets.
        arch_config: channels, cells, notation and number of classes.
        params, flop: numbers in millions.
        seed: the seed with four digits.
        epochs: number of epochs.
        latency: list with the mean of the published measurements, in seconds per batch.
    """

    _mean: Callable[[Sequence[Any]], Any] = staticmethod(mean)
    _sum: Callable[[Sequence[Any]], Any] = staticmethod(sum)
    _row: _Row | None = None

    def __init__(
        self,
        name: str | None,
        state_dict: Any,
        train_accs: Any,
        train_losses: Any,
        params: Any,
        flop: Any,
        arch_config: Any,
        seed: Any,
        epochs: Any,
        latency: Any,
    ) -> None:
        self.name, self.net_state_dict = name, state_dict
        self.train_acc1es, self.train_losses = copy.deepcopy(train_accs), copy.deepcopy(train_losses)
        self.train_acc5es: Any = None
        self.train_times: Any = None
        self.arch_config = copy.deepcopy(arch_config)
        self.params, self.flop = params, flop
        self.seed, self.epochs, self.latency = seed, epochs, latency
        self.reset_eval()

    @classmethod
    def of(cls, trainings: Trainings, index: int, repeat: int) -> ResultsCount:
        """Return a view of one training in a table."""
        made = cls.__new__(cls)
        made._row = _Row(trainings, index, repeat)
        made.name, made.epochs = trainings.dataset, trainings.epochs  # needed by nearly all methods
        return made

    def __getattr__(self, name: str) -> Any:
        """Make an attribute of a view at its first access."""
        if self._row is not None and name in _CURVES:
            self._thaw()
        elif self._row is not None and name in _PLAIN:
            setattr(self, name, _PLAIN[name](self._row))
        if name not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self.__dict__[name]

    def get_total_epoch(self) -> int:
        """Return the number of epochs."""
        return self.epochs

    def get_latency(self) -> float:
        """Return the seconds of one batch; -1.0 if they were not measured."""
        return sum(self.latency) / len(self.latency) if self.latency is not None else -1.0

    def get_times(self) -> dict[str, Any]:
        """Return the mean and sum over epochs of the seconds of training and of each evaluation; None if unknown."""
        answer: dict[str, Any] = {}
        for name in (TRAIN, *self.eval_names):
            times = self._times(name)
            answer[f"T-{name}@epoch"] = self._mean(times) if times else None
            answer[f"T-{name}@total"] = self._sum(times) if times else None
        return answer

    def get_eval_set(self) -> list[str]:
        """Return the names of the evaluation sets."""
        return self.eval_names

    def judge_valid(self, iepoch: int) -> None:
        """Raise an error unless the training has the epoch."""
        check_range(iepoch, self.epochs)

    def get_train(self, iepoch: int | None = None) -> Measured:
        """Return iepoch, loss, accuracy (percent), cur_time and all_time (seconds) of training at an epoch.

        Args:
            iepoch: counted from 0; the last by default.

        Raises:
            ArgumentError: there is no such epoch.
        """
        if iepoch is None:
            iepoch = self.epochs - 1
        if self._row is not None:
            position = position_of(iepoch, self.epochs)
            return self._measured(self._row, TRAIN, TRAIN, position, iepoch)
        check_range(iepoch, self.epochs)
        if iepoch != iepoch:
            raise MissingResultError("NaN is not an epoch")
        times = self.train_times
        return {
            "iepoch": iepoch,
            "loss": self.train_losses[iepoch],
            "accuracy": self.train_acc1es[iepoch],
            "cur_time": None if times is None else times[iepoch],
            "all_time": None if times is None else sum([times[i] for i in range(iepoch + 1)]),
        }

    def get_eval(self, name: str, iepoch: int | None = None) -> Measured:
        """Return iepoch, loss, accuracy (percent), cur_time and all_time (seconds) of evaluation at an epoch.

        Args:
            name: ``"x-valid"`` (or ``"valid"``), ``"x-test"`` or ``"ori-test"``.
            iepoch: counted from 0; the last by default.

        Raises:
            ArgumentError: there is no such epoch.
            MissingResultError: the archive has no such evaluation at that epoch.
        """
        if iepoch is None:
            iepoch = self.epochs - 1
        check_range(iepoch, self.epochs)
        name = "x-valid" if name == "valid" else f"{name}"
        if self._row is not None:
            trainings, index, _ = self._row
            position = evaluation_position(iepoch, self.epochs)
            if position is None:
                raise trainings.missing(f"{name!r} at epoch {shown(iepoch)} (from 0)", index)
            return self._measured(self._row, name, trainings.evaluations.get(name), position, iepoch)
        key = f"{name}@{iepoch}"
        if self.eval_times and key not in self.eval_times:
            raise MissingResultError(f"this training has no seconds of evaluation {shown(key)}")
        times = [self.eval_times[f"{name}@{i}"] for i in range(iepoch + 1)] if self.eval_times else None
        if key not in self.eval_acc1es:
            raise MissingResultError(f"this training has no evaluation {shown(key)}")
        return {
            "iepoch": iepoch,
            "loss": self.eval_losses[key],
            "accuracy": self.eval_acc1es[key],
            "cur_time": times[-1] if times else None,
            "all_time": sum(times) if times else None,
        }

    def get_net_param(self, clone: bool = False) -> Any:
        """Return the weights: None, as in the "simple" archives."""
        return copy.deepcopy(self.net_state_dict) if clone else self.net_state_dict

    def get_config(self, str2structure: Callable[[str], Any] | None) -> dict[str, Any]:
        """Return the configuration from which the network can be built.

        Args:
            str2structure: turns a cell's notation into a structure; None leaves it as text.
        """
        config = self.arch_config
        if config.get("name") == "infer.shape.tiny":
            cell = config["genotype"]
            answer = {"name": "infer.shape.tiny", "channels": config["channels"]}
            answer["genotype"] = cell if str2structure is None else str2structure(cell)
        else:
            cell = config["arch_str"]
            answer = {"name": "infer.tiny", "C": config["channel"], "N": config["num_cells"]}
            answer |= {"arch_str": cell} if str2structure is None else {"genotype": str2structure(cell)}
        return answer | {"num_classes": config["class_num"]}

    def update_train_info(self, train_acc1es: Any, train_acc5es: Any, train_losses: Any, train_times: Any) -> None:
        """Replace the measurements on train."""
        self._thaw()
        self.train_acc1es, self.train_acc5es = train_acc1es, train_acc5es
        self.train_losses, self.train_times = train_losses, train_times

    def update_latency(self, latency: Sequence[float]) -> None:
        """Replace the seconds of one batch."""
        self.latency = copy.deepcopy(latency)

    def reset_pseudo_train_times(self, estimated_per_epoch_time: float) -> None:
        """Replace the seconds of every epoch of training by one number."""
        self._thaw()
        self.train_times = OrderedDict.fromkeys(range(self.epochs), estimated_per_epoch_time)

    def reset_pseudo_eval_times(self, eval_name: str, estimated_per_epoch_time: float) -> None:
        """Replace the seconds of every evaluation on one set by one number."""
        if eval_name not in self.eval_names:
            raise ArgumentError(f"invalid eval name {eval_name!r}; there are {self.eval_names}")
        self._thaw()
        for epoch in range(self.epochs):
            self.eval_times[f"{eval_name}@{epoch}"] = estimated_per_epoch_time

    def reset_eval(self) -> None:
        """Forget all evaluations."""
        self._thaw()
        self.eval_names: list[str] = []
        self.eval_acc1es: dict[str, float] = {}
        self.eval_times: dict[str, float] = {}
        self.eval_losses: dict[str, float] = {}

    def update_eval(self, accs: Mapping[str, float], losses: Mapping[str, float], times: Mapping[str, float]) -> None:
        """Add evaluations, by ``"<evaluation set>@<epoch>"``."""
        self._thaw()
        for name in sorted({key.split("@")[0] for key in accs}):
            if name in self.eval_names:
                raise ArgumentError(f"{name} has already been added")
            self.eval_names.append(name)
            for key in (f"{name}@{epoch}" for epoch in range(self.epochs)):
                self.eval_acc1es[key], self.eval_losses[key] = accs[key], losses[key]
                self.eval_times[key] = times[key]

    def state_dict(self) -> dict[str, Any]:
        """Return all attributes."""
        self._thaw()
        return {name: value for name, value in self.__dict__.items() if name != "_row"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Replace attributes."""
        self._thaw()
        self.__dict__.update(state_dict)

    @classmethod
    def create_from_state_dict(cls, state_dict: Mapping[str, Any]) -> ResultsCount:
        """Make a training from the result of `state_dict`."""
        made = cls(*[None] * 10)
        made.load_state_dict(state_dict)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).create_from_state_dict, (self.state_dict(),)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.name}, arch={self.arch_config['arch_str']}, FLOP={self.flop:.2f}M, "
            f"Param={self.params:.3f}MB, seed={self.seed}, {len(self.eval_names)} eval-sets: "
            f"[{', '.join(self.eval_names)}])"
        )

    def _measured(self, row: _Row, name: str, part: str | None, position: int, iepoch: Any) -> Measured:
        """Return measurements at the epoch ``position``, which the caller gave as ``iepoch``."""
        trainings, index, repeat = row
        if part is None or not trainings.has_part(part):
            raise trainings.missing(f"{name!r}", index)
        if type(iepoch) is not int and trainings.part_seconds(part, index, repeat):
            check_countable(iepoch)
        found = trainings.measured(part, index, repeat, position)
        if found is None:
            raise trainings.missing(f"{name!r} at epoch {position} (from 0)", index)
        found["iepoch"] = iepoch
        return found

    def _times(self, name: str) -> Sequence[float]:
        """Return the seconds of all epochs; empty if some are unknown."""
        if self._row is not None:
            trainings, index, repeat = self._row
            part = TRAIN if name == TRAIN else trainings.evaluations[name]
            return trainings.part_seconds(part, index, repeat)
        if name == TRAIN:
            return list(self.train_times.values()) if isinstance(self.train_times, dict) else ()
        keys = [f"{name}@{epoch}" for epoch in range(self.epochs)]
        return [self.eval_times[key] for key in keys] if all(key in self.eval_times for key in keys) else ()

    def _thaw(self) -> None:
        """Make all attributes, so that the object is no longer a view."""
        if self._row is None:
            return
        made = {name: make(self._row) for name, make in _PLAIN.items() if name not in self.__dict__}
        self.__dict__.update(made, **_curves(self._row, self.eval_names))
        self._row = None


def _config(row: _Row) -> dict[str, Any]:
    return architecture_config(row.trainings.space, row.architecture, row.trainings.dataset)


def _params(row: _Row) -> Any:
    # The table has the official mean over trainings, which can differ in the last bit; counts are exact in millions.
    return np.float64(_rounded(row, "parameters"))


def _flop(row: _Row) -> float:
    return _rounded(row, "flops")


def _rounded(row: _Row, metric: str) -> float:
    value = row.trainings.once(metric, row.architecture, row.repeat)
    return float("nan") if value is None else round(value, 6)


def _latency(row: _Row) -> list[Any] | None:
    seconds = row.trainings.once("latency", row.architecture, row.repeat)
    return None if seconds is None else [np.float64(seconds)]


def _seed(row: _Row) -> str:
    seed = row.trainings.seeds[row.repeat]
    return seed if isinstance(seed, str) else f"{seed:04d}"


_PLAIN: dict[str, Callable[[_Row], Any]] = {
    "net_state_dict": lambda _row: None,
    "arch_config": _config,
    "params": _params,
    "flop": _flop,
    "seed": _seed,
    "latency": _latency,
    "eval_names": lambda row: row.trainings.evaluated_sets(row.architecture, row.repeat),
}


def _curves(row: _Row, eval_names: Sequence[str]) -> dict[str, Any]:
    """Return the dictionaries of a training as in the official archives."""
    trainings, index, repeat = row
    last = trainings.epochs - 1
    curves: dict[str, Any] = {"eval_acc1es": {}, "eval_losses": {}, "eval_times": {}}
    for name, metric in (("train_acc1es", "accuracy"), ("train_losses", "loss"), ("train_acc5es", "top5_accuracy")):
        curve = trainings.curve(f"train_{metric}", index, repeat)
        known = curve is not None and curve[last] == curve[last]
        curves[name] = {epoch: value for epoch, value in enumerate(curve or ()) if value == value} if known else None
    times = trainings.part_seconds(TRAIN, index, repeat)
    curves["train_times"] = OrderedDict(enumerate(times)) if times else None
    for name in eval_names:
        part = trainings.evaluations[name]
        times = trainings.part_seconds(part, index, repeat)
        curves["eval_times"] |= {f"{name}@{epoch}": each for epoch, each in enumerate(times)}
        for key, what in (("eval_acc1es", "accuracy"), ("eval_losses", "loss")):
            every = trainings.curve(f"{part}_{what}", index, repeat) or ()
            curves[key] |= {f"{name}@{epoch}": value for epoch, value in enumerate(every) if value == value}
    return curves
