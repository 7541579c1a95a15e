"""Sphinx configuration."""

from importlib.metadata import version as installed

project = "Prognoscope"
author = "The Prognoscope developers"
version = release = installed("prognoscope")
extensions = ["myst_parser", "sphinx.ext.mathjax"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "problems.d"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Prognoscope"
