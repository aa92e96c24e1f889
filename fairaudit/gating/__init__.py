"""Deciding by a policy whether a model may be released."""
