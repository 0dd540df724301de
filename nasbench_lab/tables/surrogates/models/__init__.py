"""Fitted regressors as plain arrays, evaluated by NumPy alone: no pickles, and no code in a file."""
