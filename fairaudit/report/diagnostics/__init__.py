"""Reports of diagnoses: whose gradient is clipped, turned away or drowned."""
