"""The report of a map: where privacy raises bias, where it lowers it, and what explains it."""
