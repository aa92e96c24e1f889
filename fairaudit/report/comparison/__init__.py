"""Reports of candidates beside one baseline: page, figures, summary, terminal."""
