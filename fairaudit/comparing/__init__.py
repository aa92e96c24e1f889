"""Two audits side by side: which of their scores are about the same thing, and how they differ."""
