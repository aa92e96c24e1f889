"""Benchmark sentences that the project wrote itself, and the probe text for capability."""
