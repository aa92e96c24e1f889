"""Reports of experiments: what a recipe does to bias, over seeds: page, figures, summary."""
