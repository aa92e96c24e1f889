"""A document laid out: as a page, as Markdown, in a terminal, in a notebook."""
