"""Probe sentences that the project wrote itself, one file per axis."""
