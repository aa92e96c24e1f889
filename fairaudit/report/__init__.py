"""Reports from results: HTML, figures, Markdown. Nothing here computes a statistic."""
