"""Tables that compute their answers: from a model, by training, or with a function of the user."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple, NoReturn, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab import spaces
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError, MissingDataError, NasbenchLabError, ParameterError
from nasbench_lab.messages import described
from nasbench_lab.pickling import state_without_caches
from nasbench_lab.spaces import Space
from nasbench_lab.tables.any_table import MEAN_REPEAT, SECONDS_PER_EPOCH, AnyTable, Repeat
from nasbench_lab.tables.computed_checks import checked_answers
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.remembered_answers import NewAnswers, RememberedAnswers

MOST_REPEATS = 2**15 - 1
"""Number of the repeats that can be told apart where repeats are drawn from a noise model."""

Columns = dict[str, FloatArray]
"""Metric to its values, shape (n,)."""

_TRAINING, _COST = "_training", "_cost"


class Answers(NamedTuple):
    """Answers to requests; every array has the shape of the requests.

    Attributes:
        values: metric to its values, in the metric's unit; NaN where the training failed or the metric is missing.
        training: seconds of the training from its start; None without times.
        cost: seconds of the evaluation: the training and what is paid at every evaluation; None without times.
    """

    values: Columns
    training: FloatArray | None
    cost: FloatArray | None

    def each(self, function: Callable[[FloatArray], FloatArray]) -> Answers:
        """Return answers with a function applied to every array."""
        training, cost = (None if array is None else function(array) for array in self[1:])
        return Answers({name: function(array) for name, array in self.values.items()}, training, cost)


class ComputedTable(AnyTable):
    """A table that computes its answers, in batches, when they are asked for. It makes no array of all architectures.

    Everything that takes a `Table` to search takes a computed table, too: `nasbench_lab.simulate`, suites, reports.

    **A subclass must** give a description whose `kind` is ``"surrogate"``, ``"live"`` or ``"function"``, and define
    `measure`. **It may** also say:

    =======================  ==================================================================================
    `is_cheap`               whether an answer takes microseconds (the default) or a training
    `requests_at_a_time`     how many trainings of a run are asked for together, if the budget may end before (1)
    `unlimited_repeats`      whether repeats are drawn from a noise model (by default, they are those of the
                             description)
    `measure_untrained`      metrics of architectures that need no training: parameters, zero-cost scores
    `known_optimum`          the best mean of a split; by default it is not known, and there is no regret
    `value_range`            the lowest and highest possible value of a metric, for searches with limits
    =======================  ==================================================================================

    Costs and whether trainings resume are parts of the description, as for every table: the names of the metrics in
    seconds (`Description.cost`), and `Description.resumable`. Seconds are those from the start of a training, at every
    fidelity; a simulation subtracts what a resumed training has paid.

    **Cheap tables** are asked again whenever an answer is needed, also for architectures that a search did not
    evaluate, such as those that a trace reports. So `measure` must be a deterministic function of its arguments.
    **Other tables** are asked for each (architecture, epochs, repeat) once: answers are remembered as long as the
    object exists. Nothing is measured that a search does not evaluate.

    Args:
        description: the metadata.
        space: the search space; by default the one of the description.
        checksum: digest of everything that determines the answers; empty if there is none. Traces record it, and
            results with different checksums are never mixed.

    Raises:
        DataError: the description is that of a measured table, or of unlimited repeats with several names.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.spaces import ChainSpace
    >>> class Ones(ComputedTable):
    ...     def measure(self, architecture, epochs, repeat):
    ...         ones = (self.space.codes(architecture) == 1).sum(axis=1)
    ...         return {"accuracy": 5.0 * ones, "seconds": 1.0 * epochs}
    >>> space = ChainSpace("01", 20)
    >>> metrics = (
    ...     Metric("accuracy", "valid", "percent", "maximize", "5 for every choice of 1"),
    ...     Metric("seconds", "none", "s", "minimize", "1 per epoch"),
    ... )
    >>> table = Ones(
    ...     Description("ones", "ones of 20 choices", space.spec(), (1, 3), ("only",), metrics, "accuracy", None,
    ...                 cost=("seconds",), kind="function")
    ... )
    >>> table.query(2**20 - 1)
    {'accuracy': 100.0, 'seconds': 3.0}
    >>> table.lookup([0, 1, 3], fidelity=1).tolist()
    [0.0, 5.0, 10.0]
    """

    is_cheap: bool = True
    """Whether answers take microseconds, so that more may be asked than a search evaluates."""
    unlimited_repeats: bool = False
    """Whether repeats are drawn from a noise model: there are 32,767, numbered from 0. Repeat -1 is their expectation,
    and the description has one name for all."""

    requests_at_a_time: int = 1
    """How many evaluations of a run are asked for together where answers are not cheap and the budget, in seconds or in
    energy, may end before the next one. Otherwise, all of a step are."""

    def __init__(self, description: Description, *, space: Space | None = None, checksum: str = "") -> None:
        self.description = description
        self.space = spaces.make_space(description.space) if space is None else space
        self.checksum = checksum
        if self.kind == "measured":
            raise DataError(
                f"table {self.name!r} computes its answers, so its kind must be surrogate, live or function; "
                "give kind= to its description"
            )
        if self.unlimited_repeats and len(description.repeats) != 1:
            raise DataError(f"table {self.name!r} draws its repeats, so its description must have one name for them")

    @abc.abstractmethod
    def measure(self, architecture: IntArray, epochs: IntArray, repeat: IntArray) -> Mapping[str, ArrayLike]:
        """Return the answers to a batch of requests.

        Args:
            architecture: indices of architectures, in range, shape (n,), n >= 1.
            epochs: training epochs, fidelities of the table, shape (n,).
            repeat: numbers of repeats, from 0 to `repeats` - 1, shape (n,). With `unlimited_repeats`, -1 asks for the
                expected values.

        Returns:
            Metric to its values in the unit of the metric, shape (n,), for all metrics of the description except those
            that `measure_untrained` answers. NaN marks failed trainings and missing values. Seconds are never missing.
            An exception becomes a `DataError` that names the table and the first request.
        """

    def measure_untrained(self, architecture: IntArray, metrics: Sequence[str]) -> Mapping[str, ArrayLike]:
        """Return metrics that need no training, and so have the axis of architectures only.

        Where a subclass defines this, it answers all metrics without fidelities and repeats. By default, `measure`
        does, which needs a training where answers are not cheap.

        Args:
            architecture: indices of architectures, shape (n,).
            metrics: names of the metrics.

        Returns:
            Metric to its values, shape (n,).
        """
        if not self.is_cheap:
            raise MissingDataError(
                f"table {self.name!r} does not know {metrics[0]!r} without a training: its class defines no "
                "measure_untrained"
            )
        lowest = np.full(len(architecture), self.fidelities[0])
        found = self._measured(architecture, lowest, np.zeros(len(architecture), dtype=np.int64))
        return {name: found[name] for name in metrics}

    def known_optimum(self, split: str) -> float:
        """Return the best mean of the metric of a split ("valid" or "test") at the highest fidelity; NaN if unknown."""
        self.description.split_metric(split)
        return float("nan")

    def value_range(self, metric: str) -> tuple[float, float] | None:
        """Return the lowest and the highest possible value of a metric; None if unknown.

        Searches with limits show architectures that break one as worse than the lowest value. By default, percentages
        are from 0 to 100, and fractions from 0 to 1.
        """
        return self.description.metric(metric).bounds

    @property
    def repeats(self) -> int:
        """Number of repeats of an architecture: those of the description, or 32,767 if they are drawn."""
        return MOST_REPEATS if self.unlimited_repeats else len(self.description.repeats)

    def answers(self, architecture: ArrayLike, epochs: ArrayLike, repeat: ArrayLike) -> Answers:
        """Return checked answers to requests of any shape; the arguments broadcast.

        Args:
            architecture: indices of architectures.
            epochs: training epochs.
            repeat: numbers of repeats; -1 for the mean over repeats. Where the repeats are those of the description,
                the mean asks for all of them.

        Raises:
            OutOfSpaceError: an index is out of range.
            UnknownNameError: no such fidelity.
            ParameterError: no such repeat.
            DataError: `measure` failed, or its answers break its contract.
        """
        where, at, which = np.broadcast_arrays(self.space.check_index(architecture), epochs, repeat)
        shape = where.shape
        flat = [np.ascontiguousarray(each, dtype=np.int64).reshape(-1) for each in (where, at, which)]
        for number in np.unique(flat[1]).tolist():
            self.fidelity_position(number)
        if where.size and not (flat[2].min() >= MEAN_REPEAT and flat[2].max() < self.repeats):
            raise ParameterError(f"table {self.name!r} has repeats 0..{self.repeats - 1}, and -1 for the mean")
        columns = self._with_means(*flat) if where.size else self._nothing()
        values = {name: array.reshape(shape) for name, array in columns.items()}
        training, cost = values.pop(_TRAINING, None), values.pop(_COST, None)
        return Answers(values, training, cost)

    def untrained(self, architecture: ArrayLike, metrics: Sequence[str]) -> Columns:
        """Return checked metrics that need no training, in the shape of the architectures.

        Raises:
            OutOfSpaceError: an index is out of range.
            UnknownNameError: no such metric.
            ParameterError: a metric depends on the fidelity or the repeat.
            MissingDataError: it needs a training.
            DataError: `measure_untrained` failed, or its answers break its contract.
        """
        where = self.space.check_index(architecture)
        for name in metrics:
            if self.description.metric(name).axes != ("architecture",):
                raise ParameterError(f"metric {name!r} of table {self.name!r} depends on epochs or repeats")
        flat = where.reshape(-1)
        if not len(flat):
            return {name: np.empty(where.shape) for name in metrics}
        wanted = [self.description.metric(name) for name in metrics]
        found = self._asked("measure_untrained", wanted, flat, lambda: self.measure_untrained(flat, list(metrics)))
        return {name: array.reshape(where.shape) for name, array in found.items()}

    def known_means(self, architecture: ArrayLike, epochs: int, metrics: Sequence[str]) -> Columns:
        """Return the means over repeats that are known without a further training, in the shape of the architectures.

        Of a cheap table these are all. Otherwise, they are means over the repeats measured so far, NaN without any.
        """
        where = self.space.check_index(architecture)
        names = [metric.name for metric in self._measured_metrics]
        if self.is_cheap:
            columns = self.answers(where, epochs, MEAN_REPEAT).values
        else:
            rows = self._remembered.means(where.reshape(-1), epochs)
            columns = {name: rows[:, place].reshape(where.shape) for place, name in enumerate(names)}
        others = [name for name in metrics if name not in columns]
        columns |= self.untrained(where, others) if others else {}
        return {name: columns[name] for name in metrics}

    def known(self, architecture: IntArray, epochs: int, repeat: NDArray[np.integer], metric: str) -> FloatArray:
        """Return a metric of trainings without a further training, in the shape of the architectures.

        NaN where the training is neither cheap nor remembered.
        """
        if self.description.metric(metric).axes == ("architecture",) and self._answers_untrained:
            return self.untrained(architecture, [metric])[metric]
        if self.is_cheap:
            return self.answers(architecture, epochs, repeat).values[metric]
        place = [each.name for each in self._measured_metrics].index(metric)
        flat = np.broadcast_to(repeat, architecture.shape).reshape(-1)
        rows = self._remembered.known(architecture.reshape(-1), epochs, flat)
        return rows[:, place].reshape(architecture.shape)

    def _lookup(self, index: IntArray, metric: Metric, epochs: int, repeat: int | Literal["mean"]) -> FloatArray:
        if metric.axes == ("architecture",) and self._answers_untrained:
            return self.untrained(index, [metric.name])[metric.name]
        return self.answers(index, epochs, MEAN_REPEAT if repeat == "mean" else repeat).values[metric.name]

    def _query(self, index: int, epochs: int | None, repeat: Repeat) -> dict[str, float]:
        at, number = self.fidelities[self.fidelity_position(epochs)], self.check_repeat(repeat)
        found = self.answers([index], at, MEAN_REPEAT if number == "mean" else number).values
        if self._answers_untrained:
            static = [metric.name for metric in self.description.metrics if metric.name not in found]
            found |= self.untrained([index], static) if static else {}
        known = {name: float(found[name][0]) for name in self.metrics}
        return {name: value for name, value in known.items() if value == value}

    def values(self, metric: str) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays(metric)

    def mean_values(self, metric: str, epochs: int | None = None) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays(metric)

    def repeat_values(self, metric: str, epochs: int | None = None) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays(metric)

    def row(self, metric: str, architecture: int) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays(metric)

    def published_means(self, metric: str) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays(metric)

    def cost(self, epochs: int | None = None) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays()

    def training_cost(self, epochs: int | None = None) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays()

    def records(self, *arguments: Any, **options: Any) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays()

    def to_frame(self, *arguments: Any, **options: Any) -> NoReturn:
        """Raise MissingDataError: there is no array of all architectures."""
        self._refuse_arrays()

    def optimum(self, split: str) -> float:
        """Return the best mean of the metric of a split, at the highest fidelity.

        Raises:
            MissingDataError: it is not known.
        """
        value = self.known_optimum(split)
        if value != value:
            raise MissingDataError(f"the best {self.description.split_metric(split).name} of {self.name} is not known")
        return value

    def _refuse_arrays(self, metric: str | None = None) -> NoReturn:
        if metric is not None:
            self.description.metric(metric)
        listed = "; or store all (nasbench_lab.tables.tabulate)" if self.is_cheap and self.space.is_listed else ""
        raise MissingDataError(
            f"table {self.name!r} computes its answers ({self.kind}) and has no array of {self.space.size:,} "
            f"architectures; ask for some with lookup{listed}"
        )

    @property
    def _answers_untrained(self) -> bool:
        """Whether the subclass answers the metrics that need no training apart from the others."""
        return type(self).measure_untrained is not ComputedTable.measure_untrained

    @cached_property
    def _measured_metrics(self) -> tuple[Metric, ...]:
        """The metrics that `measure` must answer."""
        every = self.description.metrics
        return tuple(m for m in every if m.axes != ("architecture",)) if self._answers_untrained else every

    @cached_property
    def _remembered(self) -> RememberedAnswers:
        return RememberedAnswers([metric.name for metric in self._measured_metrics])

    def _nothing(self) -> Columns:
        names = [metric.name for metric in self._measured_metrics]
        return {name: np.empty(0) for name in (*names, *((_TRAINING, _COST) if self.has_times else ()))}

    def _with_means(self, architecture: IntArray, epochs: IntArray, repeat: IntArray) -> Columns:
        """Return answers, where repeat -1 is the mean."""
        mean = repeat == MEAN_REPEAT
        if self.unlimited_repeats or not mean.any():
            return self._single(architecture, epochs, repeat)
        # One batch for all, so that what is trained is trained together.
        count = self.repeats
        each = np.where(mean, count, 1)
        request = np.repeat(np.arange(len(repeat)), each)
        first = np.cumsum(each) - each
        numbers = np.arange(len(request)) - first[request] + np.where(mean, 0, repeat)[request]
        found = self._single(architecture[request], epochs[request], numbers)
        means = first[mean][:, None] + np.arange(count)
        columns = {}
        for name, values in found.items():
            columns[name] = values[first]
            if self._differs_by_repeat(name):
                columns[name][mean] = mean_of_repeats(values[means])
        return columns

    def _differs_by_repeat(self, name: str) -> bool:
        names = {_TRAINING: self.description.cost[:1], _COST: self.description.cost}.get(name, (name,))
        return any("repeat" in self.description.metric(each).axes for each in names)

    def _single(self, architecture: IntArray, epochs: IntArray, repeat: IntArray) -> Columns:
        """Return answers about single repeats (or expectations), with the seconds."""
        columns = self._measured(architecture, epochs, repeat)
        if not self.has_times:
            return columns
        others = [name for name in self.description.cost if name not in columns]
        seconds = {**columns, **(self.untrained(architecture, others) if others else {})}
        parts = []
        for name in self.description.cost:
            per_epoch = self.description.metric(name).unit == SECONDS_PER_EPOCH
            parts.append(seconds[name] * epochs if per_epoch else seconds[name])
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return {**columns, _TRAINING: parts[0], _COST: total}

    def _measured(self, architecture: IntArray, epochs: IntArray, repeat: IntArray) -> Columns:
        """Return the answers of `measure`; of a table that is not cheap, those that are remembered are not asked."""

        def ask(architecture: IntArray, epochs: IntArray, repeat: IntArray) -> Columns:
            return self._asked(
                "measure",
                self._measured_metrics,
                architecture,
                lambda: self.measure(architecture, epochs, repeat),
            )

        if self.is_cheap:
            return ask(architecture, epochs, repeat)
        return self._remembered.answers(architecture, epochs, repeat, ask)

    def _asked(
        self, what: str, metrics: Sequence[Metric], architecture: IntArray, ask: Callable[[], Any]
    ) -> dict[str, FloatArray]:
        """Return checked answers of a method of the subclass; its exceptions become one line."""
        try:
            given = ask()
        except NasbenchLabError:
            raise
        except Exception as error:  # whatever the code of a user raises
            requests = f"{len(architecture):,} requests, the first" if len(architecture) > 1 else "a request"
            raise DataError(
                f"{what} of table {self.name!r} failed on {requests} about architecture {architecture[0]}: "
                f"{described(error)}"
            ) from error
        return checked_answers(f"{what} of table {self.name!r}", given, metrics, architecture, self.description.cost)

    def new_answers(self) -> NewAnswers:
        """Return what was measured since the last call, to be sent to another process; nothing if answers are cheap."""
        return [] if self.is_cheap else self._remembered.new()

    def remember(self, answers: NewAnswers) -> None:
        """Remember what another process has measured."""
        self._remembered.add(answers)

    def forget(self) -> None:
        """Forget all answers, so that they are asked again."""
        self.__dict__.pop("_remembered", None)

    def __getstate__(self) -> dict[str, Any]:
        state = state_without_caches(self)
        # A copy in another process need not measure again what this one has.
        return state if self.is_cheap else {**state, "_remembered": self._remembered}

    def __repr__(self) -> str:
        repeats = "drawn repeats" if self.unlimited_repeats else f"{self.repeats} repeats"
        shape = f"{self.space.size} architectures x {len(self.fidelities)} fidelities x {repeats}"
        return f"<{type(self).__name__} {self.name} ({self.kind}): {shape}>"


def mean_of_repeats(values: FloatArray) -> FloatArray:
    """Return the means over the last axis without NaN, NaN where all are; to the last bit those of `Table`.

    >>> mean_of_repeats(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])).tolist()
    [2.0, nan]
    """
    present = ~np.isnan(values)
    known = np.ascontiguousarray(np.where(present, values, 0.0))
    with np.errstate(invalid="ignore"):
        return cast(NDArray[np.float64], known.sum(axis=-1) / present.sum(axis=-1))
