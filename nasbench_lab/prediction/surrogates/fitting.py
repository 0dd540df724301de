"""Fitting a surrogate to a partly measured table, with all checks that need nothing but the table."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nasbench_lab.analysis.table_encodings import ALL_SCORES
from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.surrogates.checks import left_out_checks, metric_check, noise_check
from nasbench_lab.prediction.surrogates.folds import folds_of, splits
from nasbench_lab.prediction.surrogates.inside import tables_inside
from nasbench_lab.prediction.surrogates.models import Models
from nasbench_lab.prediction.surrogates.noise import fitted_noise
from nasbench_lab.prediction.surrogates.replaying import STRATEGIES, replay
from nasbench_lab.prediction.surrogates.spread import Spread, spread_of
from nasbench_lab.prediction.surrogates.training_set import MeasuredColumn, TrainingSet
from nasbench_lab.prediction.surrogates.verdict import ReplayCheck, Verdict
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.spaces import Space
from nasbench_lab.spaces.encodings import JOIN
from nasbench_lab.strategies.models.regressors import RegressorLike
from nasbench_lab.tables import AnyTable, Description, Metric, Table, load
from nasbench_lab.tables.surrogates.columns import SurrogateColumn
from nasbench_lab.tables.surrogates.encoder import Encoder, as_ranks
from nasbench_lab.tables.surrogates.surrogate import Surrogate, SurrogateParts
from nasbench_lab.tables.tabulated import tabulate

FOLDS = 5
REPEATS = "drawn"
"""Name of the repeats of a surrogate."""

_PATHS, _GRAPH = ("path-without-skips", "path", "path-4", "path-3", "path-2"), "graph-features"
_MOST_PATHS = 1_000  # entries; fitting takes time in proportion
_MOST_FOR_OPTIMA = 2**17  # architectures of which all are predicted once
_MOST_FOR_SCORES = 2**22
_MOST_FAILED = 0.5  # share of the architectures that lack a score; of more, it was not computed for the space
_BEYOND = 10.0  # positive quantities are at most so many times beyond what was measured
_INSIDE_SHARE, _MOST_INSIDE = 0.25, 200  # evaluations of a replay inside the sample
_FEWEST_INSIDE = 100

Progress = Callable[[str, int, int], None]


def fit_surrogate(
    sample: Table | str | os.PathLike[str],
    model: RegressorLike | Sequence[RegressorLike] | None = None,
    encoding: str | None = None,
    *,
    scores: Table | str | None = None,
    metrics: Sequence[str] | None = None,
    fidelities: Sequence[int] | None = None,
    name: str | None = None,
    folds: int = FOLDS,
    found_by: Mapping[str, Sequence[int | str]] | None = None,
    check: bool = True,
    seed: int = 0,
    progress: Progress = lambda _what, _done, _total: None,
) -> Surrogate:
    """Fit a surrogate table to a partly measured one: it answers for every architecture of the space.

    Every metric, after every number of epochs, has models of its own. Repeats differ as those of the sample do. All
    figures of the `verdict` are about architectures whose networks the models did not see.

    Args:
        sample: a table of some architectures (see `nasbench_lab.tables.subset` and `read_columns`), or one with
            missing values; its name, or the path of its file.
        model: a regressor, see `nasbench_lab.strategies.models.regressors.list_regressors`; of several, the mean
            predicts. By default extra trees and gradient boosting. `STORABLE` lists what a file can store.
        encoding: of architectures, several joined with ``+``; by default paths (without skips where the space has
            such, and no longer ones than fit in 1,000 entries), graph features, one-hot codes where the space has no
            graph features, and all scores, if there are any.
        scores: a table with zero-cost scores of all architectures of the space, or its name; by default the sample, if
            it has them of all.
        metrics: metrics besides those of validation, test and time; by default energy, parameters, FLOPs and MACs.
        fidelities: training epochs; by default up to four with at least 20 architectures.
        name: of the surrogate; by default that of the sample and "(surrogate)".
        folds: of the cross-validation.
        found_by: strategy to the architectures that it found, by index or notation in the whole space; each strategy is
            then left out once.
        check: whether to replay searches inside the sample, if it has at least 100 architectures.
        seed: of everything that is random.
        progress: called with what is done, and the numbers of finished and of all steps.

    Returns:
        The surrogate; `write_surrogate` writes it to a file.

    Raises:
        UnknownNameError: there is no such table, model, encoding, metric or fidelity.
        ParameterError: a file cannot store the model, or an argument is out of range.
        MissingDataError: too few architectures were measured.

    >>> from nasbench_lab.tables import subset
    >>> from nasbench_lab.testing import synthetic_table
    >>> small = subset(synthetic_table("chain"), range(0, 243, 3))
    >>> found = fit_surrogate(small, "ridge", "one-hot+counts", check=False)
    >>> found.space.size, found.kind, found.verdict["architectures"]
    (243, 'surrogate', 81)
    >>> Verdict.from_plain(found.verdict).judged.kendall > 0.3
    True
    """
    table = load(sample) if isinstance(sample, str | os.PathLike) else sample
    if not isinstance(table, Table):
        raise ParameterError(f"a surrogate is fitted to measurements; {table.name!r} is a table of kind {table.kind}")
    count = whole("folds", folds, AtLeast(2))
    models = Models.of(model, whole("seed", seed, AtLeast(0)) % 2**32)
    training = TrainingSet.of(table, metrics, fidelities)
    source = _source_of_scores(table, training.space, scores)
    encoder = _encoder(training.space, encoding, source)
    vectors = encoder.vectors(training.architectures)
    fold = folds_of(training.networks, count, models.seed)
    fitted = []
    for place, column in enumerate(training.columns):
        progress("models", place, len(training.columns))
        fitted.append(_fitted(column, vectors, fold, models))
    progress("models", len(training.columns), len(training.columns))
    noise = fitted_noise(training, [each.spread for each in fitted], seed % 2**63)
    order = sorted(range(len(fitted)), key=lambda place: place != training.judged)
    verdict = Verdict(
        sample=table.name,
        architectures=len(training.rows),
        networks=len(np.unique(training.networks)),
        space=training.space.size,
        models=tuple(models.labels),
        encoding=encoder.encoding,
        folds=count,
        metrics=tuple(fitted[place].check(training.columns[place]) for place in order),
        noise=_noise_checks(training, fitted),
    )
    if found_by is not None:
        verdict = dataclasses.replace(verdict, left_out=left_out_checks(training, vectors, models, found_by))
    if check:
        inside = _replay_inside(training, fitted, vectors, noise, seed, progress)
        verdict = dataclasses.replace(verdict, replay=inside)
    known = _known(training, source)
    parts = SurrogateParts(encoder, [each.column for each in fitted], noise, known, {}, verdict.to_plain())
    description = _description(training, source, known, name, verdict)
    return with_optima(Surrogate(description, parts))


def replayed_against(
    surrogate: Surrogate,
    truth: AnyTable,
    strategies: Sequence[str] = STRATEGIES,
    *,
    seed: int = 0,
    progress: Progress = lambda _what, _done, _total: None,
) -> Surrogate:
    """Return a surrogate whose verdict has a replay against the true table of the whole space; see `replay`.

    Raises:
        ParameterError: the tables have different spaces.
    """
    if truth.space.spec() != surrogate.space.spec():
        raise ParameterError(f"the truth {truth.name!r} has another space than the surrogate")
    if surrogate.space.size <= _MOST_FOR_OPTIMA:  # stored answers are searched faster
        searched: AnyTable = tabulate(surrogate)
    else:
        searched = surrogate
    found = replay(searched, truth, strategies, seed=seed, progress=lambda done, total: progress("replay", done, total))
    verdict = dataclasses.replace(Verdict.from_plain(surrogate.verdict), replay=found)
    parts = surrogate.parts._replace(verdict=verdict.to_plain())
    return Surrogate(surrogate.description, parts, checksum=surrogate.checksum)


def with_optima(surrogate: Surrogate) -> Surrogate:
    """Return a surrogate that knows its best expected values, if its space has at most 131,072 architectures."""
    if surrogate.space.size > _MOST_FOR_OPTIMA:
        return surrogate
    every, optima = np.arange(surrogate.space.size), {}
    for split in ("valid", "test"):
        role = getattr(surrogate.description, split)
        if role is not None:
            metric = surrogate.description.metric(role)
            values = surrogate.lookup(every, metric=role)
            optima[split] = float(values.min() if metric.direction == "minimize" else values.max())
    return Surrogate(surrogate.description, surrogate.parts._replace(optima=optima))


@dataclasses.dataclass(frozen=True, eq=False)
class _Fitted:
    """A column that was fitted.

    Attributes:
        column: of the surrogate.
        predicted: out-of-fold predictions, as the models predict them, shape (n,).
        spread: of repeats.
    """

    column: SurrogateColumn
    predicted: FloatArray
    spread: Spread | None

    def check(self, measured: MeasuredColumn) -> Any:
        """Return how well it predicts."""
        return metric_check(measured, self.predicted, self.spread, is_log=self.column.is_log)


def _fitted(measured: MeasuredColumn, vectors: FloatArray, fold: Any, models: Models) -> _Fitted:
    """Fit the models of one column, and predict every architecture with models that did not see its network."""
    known = np.isfinite(measured.mean)
    is_log = measured.metric.split == "none" and bool((measured.mean[known] > 0).all())
    with np.errstate(invalid="ignore", divide="ignore"):
        target = np.log(measured.mean) if is_log else measured.mean
    predicted = np.full(len(target), np.nan)
    for learnt, held_out in splits(fold, known):
        predicted[held_out] = models.fitted(vectors[learnt], target[learnt]).predict(vectors[held_out])
    rows = np.flatnonzero(known)
    model = models.fitted(vectors[rows], target[rows])
    spread = spread_of(measured, vectors, predicted, fold, is_log=is_log, seed=models.seed)
    low, high = _bounds(measured, is_log=is_log)
    variance = None if spread is None else spread.model
    column = SurrogateColumn(measured.metric.name, measured.epochs, model, is_log, low, high, variance)
    return _Fitted(column, predicted, spread)


def _bounds(measured: MeasuredColumn, *, is_log: bool) -> tuple[float, float]:
    """Return the lowest and the highest value that a surrogate may answer."""
    known = measured.mean[np.isfinite(measured.mean)]
    if is_log:
        return float(known.min() / _BEYOND), float(known.max() * _BEYOND)
    return measured.metric.bounds or (0.0 if (known >= 0).all() else -np.inf, np.inf)


def _noise_checks(training: TrainingSet, fitted: Sequence[_Fitted]) -> tuple[Any, ...]:
    places = dict.fromkeys((training.judged, training.objective))
    return tuple(
        noise_check(training.columns[place], spread) for place in places if (spread := fitted[place].spread) is not None
    )


def _replay_inside(
    training: TrainingSet,
    fitted: Sequence[_Fitted],
    vectors: FloatArray,
    noise: Any,
    seed: int,
    progress: Progress,
) -> ReplayCheck | None:
    """Search the measured architectures, with what was measured and with out-of-fold predictions."""
    if len(training.rows) < _FEWEST_INSIDE:
        return None
    pairs = [_in_units(each, vectors) for each in fitted]
    predicted, deviation = (np.stack(each, axis=1) for each in zip(*pairs, strict=True))
    places = [place for place, each in enumerate(fitted) if each.spread is not None]
    truth, said = tables_inside(training, predicted, deviation, noise, places)
    evaluations = min(_MOST_INSIDE, int(_INSIDE_SHARE * truth.space.size))
    return replay(
        said, truth, evaluations=evaluations, seed=seed, progress=lambda done, total: progress("replay", done, total)
    )


def _in_units(each: _Fitted, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return out-of-fold predictions in units, and the deviations of repeats; NaN where there are none."""
    column = each.column
    values = np.exp(each.predicted) if column.is_log else each.predicted
    values = np.clip(values, column.low, column.high)
    if column.variance is None:
        return values, np.zeros(len(values))
    inputs = np.concatenate([vectors, np.nan_to_num(each.predicted)[:, None]], axis=1)
    deviation = np.sqrt(np.maximum(column.variance.predict(inputs), 0.0))
    return values, deviation * (values if column.is_log else 1.0)


def _source_of_scores(table: Table, space: Space, given: Table | str | None) -> AnyTable | None:
    """Return the table with scores of all architectures; None if there is none."""
    if given is None:
        return table if table.space.parent is None and space.size <= _MOST_FOR_SCORES else None
    found = load(given) if isinstance(given, str) else given
    if found.space.spec() != space.spec():
        raise ParameterError(f"the scores of {found.name!r} are of another space than the sample")
    return found


def _encoder(space: Space, encoding: str | None, source: AnyTable | None) -> Encoder:
    scores = {}
    if source is not None:
        for score in score_names(source.description):
            values = source.lookup(np.arange(space.size), metric=score)
            if np.isnan(values).mean() <= _MOST_FAILED:
                scores[score] = as_ranks(values)
    if encoding is None:
        one = np.zeros(1, dtype=np.int64)
        known = [part for part in _PATHS if part in space.encodings]
        paths = [part for part in known if space.encode(one, part).shape[1] <= _MOST_PATHS][:1]
        parts = [*paths, _GRAPH if _GRAPH in space.encodings else "one-hot"]
        encoding = JOIN.join([*parts, *([ALL_SCORES] if scores else [])])
    every = Encoder(space, encoding, scores)
    if every.used == tuple(scores):
        return every
    return Encoder(space, encoding, {score: scores[score] for score in every.used})


def _known(training: TrainingSet, source: AnyTable | None) -> dict[str, FloatArray]:
    """Return the metrics that need no training and are known of all architectures, which are not predicted."""
    if source is None:
        return {}
    table = source
    scores = score_names(table.description)
    static = {metric.name for metric in table.description.metrics if metric.axes == ("architecture",)}

    def of_all(names: Sequence[str], lacking: float = 0.0) -> dict[str, FloatArray]:
        """Return metrics that are finite numbers for all architectures; none of them if one is not.

        A share of the architectures may lack the first.
        """
        if not set(names) <= static:
            return {}
        every = np.arange(training.space.size)
        found = {name: np.asarray(table.lookup(every, metric=name), dtype=np.float64) for name in names}
        missing = np.isnan(found[names[0]])
        there = [np.where(missing, 0.0, found[names[0]]), *(found[name] for name in names[1:])]
        return found if missing.mean() <= lacking and all(np.isfinite(values).all() for values in there) else {}

    known: dict[str, FloatArray] = {}
    for score in scores:
        known |= of_all([score, f"{score}_seconds"], lacking=_MOST_FAILED)
    for metric in training.metrics:
        if metric.split == "none":  # never what is to be predicted
            known |= of_all([metric.name])
    return known


def _description(
    training: TrainingSet, source: AnyTable | None, known: Mapping[str, FloatArray], name: str | None, verdict: Verdict
) -> Description:
    whole = training.table.description
    metrics: dict[str, Metric] = {metric.name: metric for metric in training.metrics}
    if source is not None:
        metrics |= {each: source.description.metric(each) for each in known if each not in metrics}
    measured = f"{verdict.architectures:,} of {verdict.space:,} architectures"
    notes = (
        f"A surrogate: its numbers are predictions from the trainings of {measured}, not trainings.",
        f"On architectures that its models did not see: {verdict.judged.in_words}.",
    )
    return dataclasses.replace(
        whole,
        name=f"{whole.name} (surrogate)" if name is None else name,
        title=f"Surrogate of {measured}: {whole.title}",
        space=training.space.spec(),
        fidelities=training.fidelities,
        repeats=(REPEATS,),
        metrics=tuple(metrics.values()),
        source=f"fitted to {whole.name} ({' and '.join(verdict.models)} on {verdict.encoding}); {whole.source}",
        notes=(*notes, *whole.notes),
        kind="surrogate",
    )
