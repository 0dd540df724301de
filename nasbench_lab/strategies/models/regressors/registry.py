"""Regressors by name, as a class or as an object.

Another package adds a named regressor with an entry point in its ``pyproject.toml``, which names a class or a function
without required arguments::

    [project.entry-points."nasbench_lab.regressors"]
    my-regressor = "my_package.my_module:MyRegressor"
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.global_random import kept_random_state
from nasbench_lab.messages import described, shortened, stands_for, unknown
from nasbench_lab.plugins import added_names, load_entry_point, warn_of_ignored
from nasbench_lab.strategies.base import shown
from nasbench_lab.strategies.lookup import import_path, parse_parameters, split_path
from nasbench_lab.strategies.models.regressors.built_in import BUILT_IN, RegressorFacts

GROUP = "nasbench_lab.regressors"

_SEED = "random_state"
_MOST_SEED = 2**32


@runtime_checkable
class Regressor(Protocol):
    """What scikit-learn calls a regressor."""

    def fit(self, X: Any, y: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """Learn from vectors, shape (n, length), and their values, shape (n,)."""

    def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """Return the predicted values of vectors, shape (n,)."""


RegressorLike = str | Regressor | Callable[[], Regressor]
"""A name (with parameters as ``name:key=value,...``), ``package.module:Class``, a class, a function or an object."""


def list_regressors() -> list[str]:
    """Return the names of all regressors, sorted. Some need packages that may not be installed.

    >>> "random-forest" in list_regressors()
    True
    """
    return sorted([*BUILT_IN, *added_names(GROUP, BUILT_IN)])


def regressor_facts(model: RegressorLike) -> RegressorFacts:
    """Return what is known of a regressor before it is made; the attributes of the class for one without a name.

    Raises:
        UnknownNameError: no regressor has that name.

    >>> regressor_facts("ridge").scaled, regressor_facts("pairwise-ranker:steps=5").ranks_only
    (True, True)
    """
    if isinstance(model, str) and not split_path(model, list_regressors())[0]:
        name = _full_name(model.partition(":")[0])
        return BUILT_IN.get(name, RegressorFacts(name))
    encoding = getattr(model, "encoding", None)
    return RegressorFacts(
        regressor_label(model),
        encoding=encoding if isinstance(encoding, str) else None,
        ranks_only=getattr(model, "ranks_only", False) is True,
    )


def regressor_label(model: RegressorLike) -> str:
    """Return a regressor as text in one line, for legends and files.

    >>> regressor_label("random-forest:n_estimators=9")
    'random-forest:n_estimators=9'
    """
    if isinstance(model, str):
        return model
    name = getattr(model, "__qualname__", None)
    return name if isinstance(name, str) else " ".join(shown(model).split())


def make_regressor(model: RegressorLike, parameters: Mapping[str, Any] | None = None, *, seed: int = 0) -> Regressor:
    """Return a regressor that is not fitted, with its random numbers determined by a seed.

    Args:
        model: a name of `list_regressors`, a name with parameters such as ``"random-forest:max_depth=3"``,
            ``"package.module:Class"``, a class or a function that returns a regressor, or a regressor, which is copied.
        parameters: of the class, besides those in the text.
        seed: sets every parameter named ``random_state`` that was not given; of an object, those that are None.

    Raises:
        UnknownNameError: no regressor has that name, or it has no such parameter.
        ParameterError: a package is not installed, a parameter is given twice, or it is no regressor.

    >>> make_regressor("random-forest:n_estimators=9", seed=7).get_params()["random_state"]
    7
    """
    seed = whole("seed", seed, AtLeast(0)) % _MOST_SEED
    given = dict(parameters or {})
    if isinstance(model, str):
        facts, make, more = _class_of(model)
        if twice := sorted(set(given) & set(more)):
            raise ParameterError(f"parameter {twice[0]!r} of model {model!r} is given twice")
        given = {**facts.defaults, **more, **given}
        return _constructed(regressor_label(model), make, given, seed, facts.scaled)
    if callable(model) and not isinstance(model, Regressor | type):
        return _constructed(regressor_label(model), model, given, seed)
    if isinstance(model, type):
        return _constructed(model.__qualname__, model, given, seed)
    if given:
        raise ParameterError(f"give parameters ({', '.join(given)}) to the regressor, or name it")
    return _seeded(_checked(copy.deepcopy(model), model), seed, only_none=True)


def fit_regressor(regressor: Regressor, vectors: NDArray[Any], values: FloatArray, label: str = "") -> Regressor:
    """Fit a regressor, and return it; any error becomes one line.

    Args:
        regressor: not fitted yet.
        vectors: shape (n, length).
        values: shape (n,), finite.
        label: what errors call it; by default its text.

    Raises:
        ParameterError: the regressor raised an error, for example because a parameter has a bad value.

    >>> fitted = fit_regressor(make_regressor("ridge"), np.eye(3), np.array([1.0, 2.0, 4.0]))
    >>> predict_values(fitted, np.eye(3)).round(2).tolist()
    [1.24, 2.06, 3.7]
    """
    try:
        regressor.fit(vectors, values)
    except NasbenchLabError:
        raise
    except Exception as error:  # a regressor of another package may raise anything
        raise ParameterError(
            f"{label or regressor_label(regressor)} cannot be fitted to {len(values)} architectures: {described(error)}"
        ) from error
    return regressor


def predict_values(regressor: Regressor, vectors: NDArray[Any], label: str = "") -> FloatArray:
    """Return the predictions of a fitted regressor, shape (n, length) to (n,).

    Args:
        regressor: fitted.
        vectors: shape (n, length).
        label: what errors call it; by default its text.

    Raises:
        ParameterError: the regressor raised an error, or returned something else than one number per vector.
    """
    try:
        predicted = np.asarray(regressor.predict(vectors), dtype=np.float64)
    except Exception as error:  # see above
        raise ParameterError(f"{label or regressor_label(regressor)} cannot predict: {described(error)}") from error
    if predicted.shape not in ((len(vectors),), (len(vectors), 1)):
        raise ParameterError(
            f"{label or regressor_label(regressor)} must predict one number per architecture, shape ({len(vectors)},), "
            f"not {predicted.shape}"
        )
    return predicted.reshape(-1)


def _full_name(name: str) -> str:
    known = list_regressors()
    if name in known:
        return name
    meant = stands_for(name, known)
    if len(meant) != 1:
        raise unknown("model", name, known)
    return meant[0]


def _class_of(text: str) -> tuple[RegressorFacts, Callable[..., Any], dict[str, Any]]:
    """Return what is known of a regressor given by text, its class, and the parameters in the text."""
    place, rest = split_path(text, list_regressors())
    if place:
        more = parse_parameters(text, rest, "model") if rest else {}
        return RegressorFacts(place), import_path(place), more
    name, colon, rest = text.partition(":")
    name = _full_name(name)
    more = parse_parameters(text, rest, "model") if colon else {}
    if name not in BUILT_IN:
        return RegressorFacts(name), load_entry_point(GROUP, name), more
    warn_of_ignored(GROUP, name)
    facts = BUILT_IN[name]
    try:
        with kept_random_state():
            return facts, import_path(facts.place), more
    except ParameterError as error:
        if isinstance(error.__cause__, ModuleNotFoundError) and facts.package:
            missing = error.__cause__.name
            raise ParameterError(f"model {name!r} needs {missing}: pip install '{facts.package}'") from error
        raise


def _constructed(
    label: str, make: Callable[..., Any], parameters: Mapping[str, Any], seed: int, scaled: bool = False
) -> Regressor:
    """Call a class or function, and set the seeds that were not given."""
    known: Mapping[str, inspect.Parameter] = {}
    with contextlib.suppress(TypeError, ValueError):  # a callable without a signature
        known = inspect.signature(make).parameters
    if known and not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        for name in parameters:
            if name not in known:
                raise unknown(f"parameter of model {shortened(label)}", name, known)
    try:
        made = make(**parameters)
    except Exception as error:  # the class may raise anything
        raise ParameterError(f"cannot make model {shortened(label)}: {described(error)}") from error
    regressor = _seeded(_checked(made, make), seed, only_none=False, given=parameters)
    return _standardised(regressor) if scaled else regressor


def _checked(made: Any, given: Any) -> Regressor:
    if not isinstance(made, Regressor) or isinstance(made, type):
        raise ParameterError(f"a model must have fit and predict, as scikit-learn's regressors, got {shortened(given)}")
    return made


def _seeded(regressor: Regressor, seed: int, *, only_none: bool, given: Mapping[str, Any] | None = None) -> Regressor:
    """Set the parameters of a regressor, and of those inside it, that are named ``random_state``."""
    get, change = getattr(regressor, "get_params", None), getattr(regressor, "set_params", None)
    if not callable(get) or not callable(change):
        return regressor
    current = get(deep=True)
    names = [name for name in sorted(current) if name == _SEED or name.endswith(f"__{_SEED}")]
    chosen = [name for name in names if name not in (given or {}) and (current[name] is None or not only_none)]
    if chosen:
        change(**dict.fromkeys(chosen, seed))
    return regressor


def _standardised(regressor: Regressor) -> Regressor:
    """Scale inputs and targets to mean 0 and variance 1 for a regressor, and predictions back."""
    with kept_random_state():
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer, StandardScaler

    double = FunctionTransformer(np.float64)  # encodings have single precision
    pipeline = make_pipeline(double, StandardScaler(), regressor)
    scaled = TransformedTargetRegressor(pipeline, transformer=StandardScaler())
    return _checked(scaled, regressor)
