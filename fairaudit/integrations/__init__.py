"""Results where users already are: trackers, the Hub, datasets, other harnesses, a Trainer.

Nothing here is imported by the rest of the package, and nothing is sent anywhere unless asked for.
"""
