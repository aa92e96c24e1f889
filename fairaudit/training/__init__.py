"""Fine-tuning of the models under audit, and what may be claimed about their privacy."""
