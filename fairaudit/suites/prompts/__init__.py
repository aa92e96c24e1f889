"""Prompts that the project wrote itself, to be continued by a model."""
