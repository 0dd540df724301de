"""The contract of a one-shot method: what it does with the shared weights, and which architecture it recommends."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import check_fields
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import Space
from nasbench_lab.strategies.base import label_of, parameters_of
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Supernet, make_supernet, supernet_class

State = TypeVar("State")


class Method(abc.ABC, Generic[State]):
    """A search method that trains one supernet.

    A subclass is a frozen dataclass in a file of its own; its fields are the parameters, with the published defaults.
    Everything that changes during a search lives in the state that `start` returns: an object whose attributes have a
    ``state_dict`` (modules, optimisers), or are tensors, numbers, texts, or lists and dictionaries of these. The search
    stores them in its checkpoints.

    A method draws random numbers from `SearchContext.random` and its relatives only. Then a search is determined by its
    seed, and one that was killed and resumed equals one that was not.

    A method never sees test images, nor the table.
    """

    name: ClassVar[str]
    """Name in the registry, e.g. ``"darts"``."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other common names. Error messages suggest the method for them."""
    reference: ClassVar[str] = ""
    """The publication."""
    family: ClassVar[str] = ""
    """``"sampled paths"``, ``"controller"``, ``"differentiable"`` or ``"channel masks"``."""
    version: ClassVar[int] = 1
    """Raised whenever the searches of the method change on purpose."""
    epochs: ClassVar[int] = 50
    """The default number of training epochs."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What the supernet must have, see `Supernet.features`, e.g. ``"widths"``."""

    def __post_init__(self) -> None:
        """Check the parameters: first each one against its annotation, then how they fit together."""
        check_fields(self)
        self.check()

    def check(self) -> None:
        """Raise a ParameterError if parameters do not fit together; each one was checked before."""

    def build(self, space: Space, **options: Any) -> Supernet:
        """Return the supernet; ``options`` are those of `make_supernet`.

        Raises:
            ParameterError: the space has no supernet that the method can search.
        """
        present = supernet_class(space).features
        for each in self.needs:
            if each not in present:
                raise ParameterError(f"method {self.name!r} needs a supernet with {each}, which {space.name} lacks")
        return make_supernet(space, **options)

    @abc.abstractmethod
    def start(self, search: SearchContext) -> State:
        """Return the state before the first step."""

    @abc.abstractmethod
    def step(self, search: SearchContext, state: State, train: Batch) -> None:
        """Do what belongs to one batch of training images: at least one update of the shared weights.

        `SearchContext.update_weights` updates them; `SearchContext.valid_batch` returns validation images.
        """

    def end_epoch(self, search: SearchContext, state: State) -> None:
        """Do what belongs to the end of an epoch, e.g. train a controller."""

    def finish(self, search: SearchContext, state: State) -> None:
        """Do what follows after the last epoch, e.g. search among the architectures with the trained weights."""

    @abc.abstractmethod
    def recommend(self, search: SearchContext, state: State) -> int | None:
        """Return the architecture that the method names now; None if it has none yet.

        It is called after every epoch, and after `finish`. It must not change the state.
        """

    def score(self, search: SearchContext, state: State, architectures: Sequence[int], split: str) -> FloatArray:
        """Return the accuracy in percent of architectures with the shared weights, shape (architectures,)."""
        return search.supernet_scores(architectures, split)

    def passes(self, space: Space) -> float:
        """Return about how many passes of one path a step takes. Only estimates of the running time depend on it.

        By default, differentiable methods compute all options of a decision, for the weights and for the architecture.
        """
        return 2.0 * max(space.cardinalities) if self.family == "differentiable" else 1.0

    @property
    def scored(self) -> int:
        """About how many architectures are scored after the training. Only estimates of the running time need it."""
        return 0

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters and their values."""
        return parameters_of(self)

    @property
    def label(self) -> str:
        """The name, and the parameters that differ from their defaults, e.g. for legends."""
        return label_of(self, self.parameters)
