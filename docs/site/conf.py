"""Sphinx reads this from the staged folder; `docs.site.build` calls it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from fairaudit import __version__  # noqa: E402

project = "fairaudit"
copyright = "the fairaudit team, Apache-2.0"
version = release = __version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
nitpicky = False
suppress_warnings: list[str] = []

myst_enable_extensions = ["attrs_block", "colon_fence"]
myst_heading_anchors = 4
numpydoc_show_class_members = False
autosummary_generate = False
# References of pages and docstrings alike are checked: an unknown section is a warning.
numpydoc_validation_checks = {"GL06", "GL07", "PR01", "PR02"}
# Fields of result types are documented as attributes; no user makes one.
numpydoc_validation_exclude = {r"^fairaudit\.[A-Z]\w+(\.model_post_init)?$"}
numpydoc_xref_param_type = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"

html_theme = "furo"
html_title = f"fairaudit {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
# Nothing is fetched when a page is read: fonts are the system's, the search index lies beside.
html_theme_options = {
    "light_css_variables": {"font-stack": "system-ui, sans-serif"},
    "dark_css_variables": {"font-stack": "system-ui, sans-serif"},
    "top_of_page_buttons": [],
}
