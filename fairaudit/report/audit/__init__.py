"""Reports of one audited model: page, figures, summary, terminal."""
