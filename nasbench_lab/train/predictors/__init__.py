"""Performance predictors that need torch. They are made by name, see `nasbench_lab.strategies.models.regressors`."""
