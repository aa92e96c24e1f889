"""Intervals, tests and power as pure functions of arrays: numpy, scipy and statsmodels only."""
