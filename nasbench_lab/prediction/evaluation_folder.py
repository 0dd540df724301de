"""The folder of an evaluation: its settings, and finished trials of every predictor.

Processes may be killed at any time; running the same evaluation again does what is missing. Layout::

    evaluation.json          settings, and the predictors so far
    trials/<digest>/<first>-<last>.json    trials of one predictor, named by the digest of its label

Both kinds of files are written atomically and end with a seal, so that any damage is noticed. Predictors and trials can
be added to a folder; tables, sizes, test sets and seeds are the same for all of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import filelock
import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError, OutputError
from nasbench_lab.files import as_output_error, is_working
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import read_plain
from nasbench_lab.prediction.evaluation_results import PredictorEvaluation, PredictorTrials
from nasbench_lab.prediction.predictors import Predictor
from nasbench_lab.prediction.settings import Settings
from nasbench_lab.prediction.trial_runs import COLUMNS, TrialTask
from nasbench_lab.suites.sealed_json import sealed, unsealed, write_file

EVALUATION = "evaluation.json"
"""Name of the file with the settings."""
FORMAT = "nasbench-lab predictors"
FORMAT_VERSION = 1
TRIALS, LOCK = "trials", ".lock"


@dataclasses.dataclass(frozen=True)
class StoredPredictor:
    """What is stored of a predictor, besides its trials."""

    label: str
    name: str
    encoding: str
    needs_labels: bool
    settings: str

    @classmethod
    def of(cls, predictor: Predictor) -> StoredPredictor:
        """Return what is stored of a predictor."""
        return cls(predictor.label, predictor.name, predictor.encoding, predictor.needs_labels, predictor.settings)


@final
class EvaluationFolder:
    """The folder of an evaluation.

    Args:
        path: the folder.
        settings: of the evaluation.
        unit: of labels.
        networks: number of different networks of the table.
        predictors: so far.
    """

    def __init__(
        self, path: Path, settings: Settings, unit: str, networks: int, predictors: tuple[StoredPredictor, ...]
    ) -> None:
        self.path, self.settings, self.unit, self.networks = path, settings, unit, networks
        self.predictors = predictors

    @classmethod
    def open(cls, path: Path) -> EvaluationFolder:
        """Open the folder of an evaluation that has begun.

        Raises:
            DataError: it is no such folder, is damaged, or was written by a newer version.
        """
        file = path / EVALUATION
        try:
            content = unsealed(read_plain(file))
        except FileNotFoundError:
            raise DataError(f"{path} has no evaluation of predictors ({EVALUATION})") from None
        except (OSError, ValueError, DataError) as error:
            raise DataError(f"{file} cannot be read: {first_line(error)}") from error
        if content.get("format") != FORMAT:
            raise DataError(f"{file} is not an evaluation of predictors")
        if content.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"{file} has format version {content.get('format_version')!r}; this version reads {FORMAT_VERSION}"
            )
        try:
            predictors = tuple(StoredPredictor(**each) for each in content["predictors"])
            return cls(path, Settings.of_plain(content["settings"]), content["unit"], content["networks"], predictors)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{file} is damaged: {type(error).__name__} {first_line(error)}") from error

    @classmethod
    def begin(cls, path: Path, settings: Settings, unit: str, networks: int) -> EvaluationFolder:
        """Start in a new or empty folder, or continue.

        Raises:
            OutputError: the folder has other files, or an evaluation with other settings.
        """
        if (path / EVALUATION).exists():
            folder = cls.open(path)
            folder._check_same(settings)
            return folder
        with as_output_error(path):
            path.mkdir(parents=True, exist_ok=True)
            others = sorted(each.name for each in path.iterdir() if not is_working(each) and each.name != LOCK)
        if others:
            raise OutputError(f"{path} is not empty, and has no evaluation ({EVALUATION}); choose another folder")
        return cls(path, settings, unit, networks, ())

    def _check_same(self, settings: Settings) -> None:
        for field in dataclasses.fields(Settings):
            mine, other = getattr(self.settings, field.name), getattr(settings, field.name)
            if mine != other:
                raise OutputError(
                    f"{self.path} has an evaluation with another {field.name} ({_words(mine)}, not {_words(other)}); "
                    "choose another folder"
                )

    def add(self, predictors: list[Predictor]) -> None:
        """Add predictors to the list, which is stored.

        Raises:
            OutputError: the folder has a predictor with the same label and other settings.
        """
        known = {each.label: each for each in self.predictors}
        for each in map(StoredPredictor.of, predictors):
            if known.setdefault(each.label, each) != each:
                raise OutputError(
                    f"{self.path} has another predictor {each.label!r} ({known[each.label].settings}); choose another "
                    "folder or another name"
                )
        self.predictors = tuple(known.values())
        write_file(self.path / EVALUATION, sealed(self._plain()))

    def _plain(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "settings": self.settings.plain(),
            "unit": self.unit,
            "networks": self.networks,
            "predictors": [dataclasses.asdict(each) for each in self.predictors],
        }

    def store(self, task: TrialTask, values: FloatArray) -> None:
        """Store finished trials."""
        folder = self.path / TRIALS / _digest(task.predictor.label)
        with as_output_error(folder):
            folder.mkdir(parents=True, exist_ok=True)
        data = {
            "predictor": task.predictor.label,
            "trials": list(task.trials),
            "columns": {name: values[place].tolist() for place, name in enumerate(COLUMNS)},
        }
        name = f"{task.trials[0]:06d}-{task.trials[-1]:06d}.json"
        write_file(folder / name, sealed(data))

    def trials(self, label: str) -> dict[int, FloatArray]:
        """Return finished trials of a predictor by number, each of shape (columns, sizes); without damaged files."""
        found: dict[int, FloatArray] = {}
        for file in sorted((self.path / TRIALS / _digest(label)).glob("[0-9]*.json")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, DataError):
                content = unsealed(read_plain(file))
                values = np.array([content["columns"][name] for name in COLUMNS], dtype=np.float64)
                wanted = (len(COLUMNS), len(content["trials"]), len(self.settings.sizes))
                if content["predictor"] == label and values.shape == wanted:
                    found.update({int(number): values[:, place] for place, number in enumerate(content["trials"])})
        return found

    def results(self) -> PredictorEvaluation:
        """Return all finished trials.

        Raises:
            DataError: no trial is finished.
        """
        parts = []
        for each in self.predictors:
            trials = self.trials(each.label)
            if trials:
                numbers = sorted(trials)
                values = np.stack([trials[number] for number in numbers], axis=1)
                sizes = np.array(self.settings.sizes)
                parts.append(
                    PredictorTrials(
                        each.label, each.name, each.encoding, each.needs_labels, np.array(numbers), sizes, values
                    )
                )
        if not parts:
            raise DataError(f"{self.path} has no finished trials")
        return PredictorEvaluation(self.settings, self.unit, self.networks, tuple(parts))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing into the folder.

        Raises:
            OutputError: another process does.
        """
        lock = filelock.FileLock(self.path / LOCK)
        try:
            with lock.acquire(timeout=0):
                yield
        except filelock.Timeout:
            raise OutputError(f"another process evaluates predictors in {self.path}; wait for its end") from None


def load_evaluation(path: str | Path) -> PredictorEvaluation:
    """Return the finished trials in the folder of an evaluation.

    Raises:
        DataError: it is no such folder, is damaged, or no trial is finished.
    """
    return EvaluationFolder.open(Path(path)).results()


def is_evaluation(path: Path) -> bool:
    """Return whether a folder has an evaluation of predictors."""
    return (path / EVALUATION).is_file()


def _digest(label: str) -> str:
    return hashlib.sha256(label.encode()).hexdigest()[:16]


def _words(value: Any) -> str:
    return json.dumps(value, default=str)
