"""Experiments: train every arm, audit each, compare, and say what holds for the recipe."""
