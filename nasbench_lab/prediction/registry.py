"""Predictors by name: models of `nasbench_lab.strategies.models.regressors`, and those that read curves and scores.

Another package adds a predictor with an entry point in its ``pyproject.toml``, which names a `Predictor`::

    [project.entry-points."nasbench_lab.predictors"]
    my-predictor = "my_package.my_module:MyPredictor"
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from nasbench_lab.checks import require
from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.messages import described, shortened, stands_for, unknown
from nasbench_lab.plugins import added_names, describe, load_entry_point, warn_of_ignored
from nasbench_lab.prediction.curve_predictors import CURVE_PREDICTORS
from nasbench_lab.prediction.predictors import ModelPredictor, NamedPredictor, Predictor, ScorePredictor
from nasbench_lab.prediction.transfer import TransferPredictor, TransferWay
from nasbench_lab.strategies.base import field_names
from nasbench_lab.strategies.lookup import import_path, parse_parameters, split_path
from nasbench_lab.strategies.models.regressors import list_regressors, regressor_facts

GROUP = "nasbench_lab.predictors"

BUILT_IN: Mapping[str, type[Predictor]] = {**CURVE_PREDICTORS, "zero-cost": ScorePredictor}
"""The predictors that are no models on encodings, by name."""


def list_predictors() -> list[str]:
    """Return the names of all predictors, sorted.

    >>> {"random-forest", "last-value"} <= set(list_predictors())
    True
    """
    return sorted([*list_regressors(), *BUILT_IN, *_added()])


def predictor_class(name: str) -> type[Predictor] | None:
    """Return the class of a predictor; None for a model on an encoding.

    Raises:
        UnknownNameError: no predictor has that name.
        ParameterError: an installed package registered something else.
    """
    known = list_predictors()
    if name not in known:
        meant = stands_for(name, known)
        if len(meant) != 1:
            raise unknown("predictor", name, known)
        name = meant[0]
    if name in BUILT_IN:
        warn_of_ignored(GROUP, name)
        return BUILT_IN[name]
    if name not in _added():
        return None
    kind = load_entry_point(GROUP, name)
    if not isinstance(kind, type) or not issubclass(kind, Predictor):
        raise ParameterError(f"{describe(GROUP, name)} is no class derived from nasbench_lab.prediction.Predictor")
    return kind


def make_predictors(
    predictors: Any,
    encodings: str | Sequence[str] = "one-hot",
    transfer: TransferWay | Sequence[TransferWay] | None = None,
) -> list[Predictor]:
    """Return predictors from names, regressors and objects; every model with every encoding.

    Args:
        predictors: one of them, several, or a mapping of names to them.
        encodings: of models.
        transfer: how models learn from another table, for a further predictor each; None for none.

    Raises:
        UnknownNameError: no predictor has that name.
        ParameterError: something is no predictor, two have the same label, or there are none.

    >>> [each.label for each in make_predictors(["ridge", "last-value:epochs=12"], ["path", "counts"])]
    ['ridge (path)', 'ridge (counts)', 'last-value:epochs=12']
    """
    named = dict(predictors) if isinstance(predictors, Mapping) else None
    listed = list(predictors) if isinstance(predictors, list | tuple) else [predictors]
    texts = [encodings] if isinstance(encodings, str) else list(encodings)
    require(bool(texts), "encodings must name at least one encoding")
    found: list[Predictor] = []
    for name, each in named.items() if named is not None else ((("", each)) for each in listed):
        found += _made(each, texts, str(name))
    ways = [] if transfer is None else [transfer] if isinstance(transfer, str) else list(transfer)
    found += [TransferPredictor(each, how) for each in found if isinstance(each, ModelPredictor) for how in ways]
    require(bool(found), "predictors must name at least one predictor")
    labels = [each.label for each in found]
    for label in labels:
        require(labels.count(label) == 1, f"two predictors are called {label!r}; name them: {{'my name': model, ...}}")
    return found


def _made(given: Any, encodings: Sequence[str], name: str) -> list[Predictor]:
    """Return the predictors of one entry: a model is one per encoding."""
    predictor = given
    if isinstance(given, type) and issubclass(given, Predictor):
        predictor = _constructed(given.__name__, given, {})
    if isinstance(given, str):
        predictor = _of_text(given)
    if isinstance(predictor, Predictor):
        return [_checked(NamedPredictor(predictor, name) if name else predictor)]
    if not isinstance(given, str) and not (hasattr(given, "fit") and hasattr(given, "predict")):
        raise ParameterError(
            f"a predictor is a name, a regressor with fit and predict, or a Predictor, got {shortened(given)}"
        )
    only = regressor_facts(given).encoding
    return [ModelPredictor(given, encoding, name) for encoding in ([only] if only else encodings)]


def _of_text(text: str) -> Predictor | None:
    """Return the predictor that a text names; None for a model on an encoding."""
    place, rest = split_path(text, list_predictors())
    if place:
        kind, parameters = import_path(place), parse_parameters(text, rest, "predictor") if rest else {}
        if not isinstance(kind, type) or not issubclass(kind, Predictor):
            return None
        return _constructed(text, kind, parameters)
    name, colon, rest = text.partition(":")
    parameters = parse_parameters(text, rest, "predictor") if colon else {}
    found = predictor_class(name)
    if found is None:
        return None
    for parameter in parameters:
        if parameter not in field_names(found):
            raise unknown(f"parameter of predictor {name!r}", parameter, field_names(found))
    return _constructed(text, found, parameters)


def _constructed(text: str, kind: type[Predictor], parameters: Mapping[str, Any]) -> Predictor:
    try:
        return kind(**parameters)
    except NasbenchLabError:
        raise
    except Exception as error:  # a class of the user may raise anything
        raise ParameterError(f"cannot make predictor {shortened(text)}: {described(error)}") from error


def _checked(predictor: Predictor) -> Predictor:
    """Return a predictor that has a label and takes what `Predictor.predict` is given."""
    kind = type(predictor).__name__
    label = getattr(predictor, "label", None)
    if not isinstance(label, str) or not label:
        raise ParameterError(f"predictor {kind} has no label; give its class one: label = 'my predictor'")
    try:
        inspect.signature(predictor.predict).bind(None, None, None)
    except TypeError as error:
        raise ParameterError(f"predict of {kind} must take train, test and random_state: {error}") from None
    return predictor


def _added() -> list[str]:
    return added_names(GROUP, {*BUILT_IN, *list_regressors()})
