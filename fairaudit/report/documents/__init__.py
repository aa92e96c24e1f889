"""Documents from results: one file for each kind of result."""
