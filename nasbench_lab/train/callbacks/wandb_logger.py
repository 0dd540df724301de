"""Logging trainings to Weights & Biases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from nasbench_lab.train.callbacks.callback import Callback, Status, TrainingRun
from nasbench_lab.train.callbacks.packages import package


class WandB(Callback):
    """Logs every training as a run of Weights & Biases, grouped by the table or validation that it belongs to.

    Args:
        project: name of the project.
        mode: ``"online"``, or ``"offline"``, which writes to ``folder`` only, for a later ``wandb sync``; by default
            what the environment variable ``WANDB_MODE`` says.
        folder: where local files are written; by default what wandb chooses.

    Raises:
        ParameterError: wandb is not installed (``pip install 'nasbench-lab[wandb]'``).
    """

    def __init__(self, project: str, *, mode: str | None = None, folder: str | os.PathLike[str] | None = None) -> None:
        self.project, self.mode, self.folder = project, mode, folder
        self._wandb = package("wandb", "wandb", "Weights & Biases")
        self._runs: dict[str, Any] = {}

    def on_start(self, run: TrainingRun) -> None:
        """Start a run with the settings as its config; several can be under way at once."""
        self._runs[run.name] = self._wandb.init(
            project=self.project,
            name=run.name,
            group=run.group or None,
            config=run.settings(),
            mode=self.mode,
            dir=self.folder and os.fspath(self.folder),
            reinit="create_new",
        )

    def on_epoch(self, run: TrainingRun, epoch: int, values: Mapping[str, float]) -> None:
        """Log the quantities of an epoch."""
        self._runs[run.name].log(dict(values), step=epoch)

    def on_end(self, run: TrainingRun, metrics: Mapping[str, float], status: Status) -> None:
        """Keep the metrics at the end as the summary ``end.<name>``, and finish the run."""
        ended = self._runs.pop(run.name)
        ended.summary.update({"status": status, **{f"end.{name}": value for name, value in metrics.items()}})
        ended.finish(exit_code=int(status != "finished"))
