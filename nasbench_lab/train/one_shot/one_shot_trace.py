"""The trace of a one-shot search, with its supernets."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import final

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, Below, whole
from nasbench_lab.simulation import Trace
from nasbench_lab.train.one_shot.run_tasks import RunTask, torch_threads
from nasbench_lab.train.one_shot.search_run import SearchRun
from nasbench_lab.train.one_shot.supernets import Supernet


class TemporaryFolder:
    """A folder that is removed when nothing refers to this object any more.

    Attributes:
        path: the folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="nasbench-lab-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@final
@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class OneShotTrace(Trace):
    """The trace of a one-shot search, see `Trace.from_recommendations`; it also gives the supernets.

    What other functions return, such as `blocks` or `concatenate`, is a plain `Trace`.

    Attributes:
        tasks: one per run.
        temporary: the folder of the supernets if the user gave none; it is removed with the trace.
    """

    tasks: Sequence[RunTask] = ()
    temporary: TemporaryFolder | None = dataclasses.field(default=None, repr=False)

    def supernet(self, run: int = 0) -> Supernet:
        """Return the trained supernet of a run, ready to score.

        Args:
            run: number of the row.

        Raises:
            ParameterError: there is no such run.
        """
        return self.search_run(run).supernet.eval()

    def search_run(self, run: int = 0) -> SearchRun:
        """Return a run as it was at its end: the supernet, the state of the method, and its optimisers.

        Args:
            run: number of the row.

        Raises:
            ParameterError: there is no such run.
        """
        return self.tasks[whole("run", run, AtLeast(0), Below(self.runs))].restored()

    def scores(self, architectures: Sequence[int], run: int = 0, split: str = "valid") -> FloatArray:
        """Return the accuracy in percent of architectures with the shared weights of a run, shape (architectures,).

        Args:
            architectures: indices.
            run: number of the row.
            split: images to score on, ``"valid"`` or ``"test"``.

        Raises:
            ParameterError: there is no such run.
        """
        with torch_threads(1):
            return self.search_run(run).scores(architectures, split)
