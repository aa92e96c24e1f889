"""The documentation site: its pages are staged, what the code knows is written, Sphinx renders."""
