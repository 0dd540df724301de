"""Logging trainings for TensorBoard."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.errors import OutputError
from nasbench_lab.train.callbacks.callback import Callback, Status, TrainingRun
from nasbench_lab.train.callbacks.packages import package


class TensorBoard(Callback):
    """Writes event files that ``tensorboard --logdir FOLDER`` shows: one folder per training, with a readable name.

    The curves are those of the quantities of every epoch, the settings are a text. A training of the same name, for
    example one that was stopped and started again, gets a folder with a number.

    Args:
        folder: the folder of all trainings; created if needed.

    Raises:
        ParameterError: the package tensorboard is not installed (``pip install 'nasbench-lab[tensorboard]'``).
        OutputError: the folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._writer = package("torch.utils.tensorboard", "tensorboard", "TensorBoard").SummaryWriter
        self._runs: dict[str, Any] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder} for TensorBoard: {error.strerror}") from error

    def on_start(self, run: TrainingRun) -> None:
        """Make the folder of the training, and write its settings."""
        writer = self._runs[run.name] = self._writer(str(self._free_folder(run)))
        rows = [f"| {name} | {str(value).replace('|', '&#124;')} |" for name, value in run.settings().items()]
        writer.add_text("settings", "\n".join(["| setting | value |", "|---|---|", *rows]))

    def on_epoch(self, run: TrainingRun, epoch: int, values: Mapping[str, float]) -> None:
        """Write the quantities of an epoch, which TensorBoard shows while the training goes on."""
        for name, value in values.items():
            self._runs[run.name].add_scalar(name, value, epoch)
        self._runs[run.name].flush()

    def on_end(self, run: TrainingRun, metrics: Mapping[str, float], status: Status) -> None:
        """Write the metrics at the end, and close the files."""
        writer = self._runs.pop(run.name)
        for name, value in metrics.items():
            writer.add_scalar(f"end/{name}", value, run.recipe.epochs)
        writer.add_text("status", status)
        writer.close()

    def _free_folder(self, run: TrainingRun) -> Path:
        parts = [name for name in (run.group, run.name) if name]
        folder = self.folder.joinpath(*(re.sub(r"[^A-Za-z0-9._=-]+", "-", part).strip("-.") or "run" for part in parts))
        numbered = (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(2))
        return next(each for each in itertools.chain([folder], numbered) if not each.exists())
