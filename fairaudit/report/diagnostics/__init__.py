"""Reports of diagnoses: whose gradient is clipped or lost in noise."""
