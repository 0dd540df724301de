"""Surrogate tables: fitting models to a sample of trainings, and checking what they are good for."""

from nasbench_lab.prediction.surrogates.conversion import STORABLE, stored_model
from nasbench_lab.prediction.surrogates.fitting import fit_surrogate, replayed_against
from nasbench_lab.prediction.surrogates.found_by import read_found_by
from nasbench_lab.prediction.surrogates.replaying import replay
from nasbench_lab.prediction.surrogates.verdict import Verdict

__all__ = ["STORABLE", "Verdict", "fit_surrogate", "read_found_by", "replay", "replayed_against", "stored_model"]
