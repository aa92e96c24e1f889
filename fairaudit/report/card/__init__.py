"""Model cards: what a result adds to the README of a model, and to its ``.eval_results``."""
