"""Predictors of performance: how well they predict architectures that they have not seen, and at what cost."""

from nasbench_lab.prediction.curve_predictors import (
    CurveModel,
    CurvePredictor,
    LastValue,
    LogPowerCurve,
    PowerLawCurve,
    SumOfLosses,
)
from nasbench_lab.prediction.evaluation import evaluate
from nasbench_lab.prediction.evaluation_folder import is_evaluation, load_evaluation
from nasbench_lab.prediction.evaluation_results import PredictorEvaluation, PredictorTrials
from nasbench_lab.prediction.measures import MEASURES, prediction_quality
from nasbench_lab.prediction.predictors import ModelPredictor, Predictor, ScorePredictor
from nasbench_lab.prediction.registry import list_predictors, make_predictors
from nasbench_lab.prediction.samples import ArchitectureSample
from nasbench_lab.prediction.settings import SIZES, Settings
from nasbench_lab.prediction.surrogates import fit_surrogate
from nasbench_lab.prediction.transfer import TransferPredictor

__all__ = [
    "MEASURES",
    "SIZES",
    "ArchitectureSample",
    "CurveModel",
    "CurvePredictor",
    "LastValue",
    "LogPowerCurve",
    "ModelPredictor",
    "PowerLawCurve",
    "Predictor",
    "PredictorEvaluation",
    "PredictorTrials",
    "ScorePredictor",
    "Settings",
    "SumOfLosses",
    "TransferPredictor",
    "evaluate",
    "fit_surrogate",
    "is_evaluation",
    "list_predictors",
    "load_evaluation",
    "make_predictors",
    "prediction_quality",
]
