"""Logging trainings to MLflow."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nasbench_lab.errors import OutputError
from nasbench_lab.messages import first_line
from nasbench_lab.train.callbacks.callback import Callback, Status, TrainingRun
from nasbench_lab.train.callbacks.packages import package

_LONGEST_VALUE = 500  # characters of a parameter, which all versions of MLflow take
_STATUS = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}


class MLflow(Callback):
    """Logs every training as a run of MLflow: settings as parameters, the quantities of every epoch as metrics.

    Args:
        where: the URI of a tracking server or database, or a folder. In a folder, runs are kept in the SQLite database
            ``mlflow.db``; show them with ``mlflow server --backend-store-uri sqlite:///FOLDER/mlflow.db``.
        experiment: name of the experiment of trainings without a group; others use the name of their group.

    Raises:
        ParameterError: MLflow is not installed (``pip install 'nasbench-lab[mlflow]'``).
        OutputError: MLflow cannot use the folder or database.
    """

    def __init__(self, where: str | os.PathLike[str], experiment: str = "nasbench-lab") -> None:
        self.experiment = experiment
        self._mlflow = package("mlflow", "mlflow", "MLflow")
        self._artifacts: str | None = None
        text = os.fspath(where)
        try:
            if "://" not in text and text != "databricks":
                folder = Path(text).resolve()
                folder.mkdir(parents=True, exist_ok=True)
                text, self._artifacts = f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri()
            with _without_warnings():
                self._client = self._mlflow.MlflowClient(tracking_uri=text)
                self._client.search_experiments(max_results=1)
        except OSError as error:
            raise OutputError(f"cannot make the folder {text} for MLflow: {error.strerror}") from error
        except Exception as error:  # MLflow raises those of its databases and servers
            raise OutputError(f"MLflow cannot use {text}: {first_line(error)}") from error
        self._experiments: dict[str, str] = {}
        self._runs: dict[str, str] = {}

    def on_start(self, run: TrainingRun) -> None:
        """Start a run with the settings as parameters."""
        with _without_warnings():
            started = self._client.create_run(self._experiment_of(run), run_name=run.name, tags={"group": run.group})
            self._runs[run.name] = started.info.run_id
            entity = self._mlflow.entities.Param
            params = [entity(name, str(value)[:_LONGEST_VALUE]) for name, value in run.settings().items()]
            self._client.log_batch(started.info.run_id, params=params)

    def on_epoch(self, run: TrainingRun, epoch: int, values: Mapping[str, float]) -> None:
        """Log the quantities of an epoch as metrics at this step."""
        self._log(run, values, epoch)

    def on_end(self, run: TrainingRun, metrics: Mapping[str, float], status: Status) -> None:
        """Log the metrics at the end as ``end.<name>``, and end the run with its status."""
        self._log(run, {f"end.{name}": value for name, value in metrics.items()}, run.recipe.epochs)
        with _without_warnings():
            self._client.set_terminated(self._runs.pop(run.name), status=_STATUS[status])

    def _log(self, run: TrainingRun, values: Mapping[str, float], step: int) -> None:
        now = int(1000 * time.time())
        entity = self._mlflow.entities.Metric
        metrics = [entity(name, value, now, step) for name, value in values.items()]
        with _without_warnings():
            self._client.log_batch(self._runs[run.name], metrics=metrics)

    def _experiment_of(self, run: TrainingRun) -> str:
        name = run.group or self.experiment
        if name not in self._experiments:
            known = self._client.get_experiment_by_name(name)
            made: Any = known.experiment_id if known else self._client.create_experiment(name, self._artifacts)
            self._experiments[name] = made
        return self._experiments[name]


def _without_warnings() -> AbstractContextManager[Any]:
    """Return a block in which deprecations inside MLflow and its database are not shown."""
    return warnings.catch_warnings(action="ignore")
