"""How the documentation is built: Markdown pages, docstrings, and tables made of what the library holds."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import reference  # the module beside this one
from sphinx.application import Sphinx

import mesoevidence as me

project = "mesoevidence"
author = "the mesoevidence project"
version = release = me.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
default_role = "code"

autodoc_typehints = "none"  # the docstrings say types in words
autodoc_member_order = "bysource"
add_module_names = False
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "mesoevidence"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_context = {"notice": me.NOTICE, "default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"**": ["pages"]}
html_theme_options = {
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["notice"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
    "show_toc_level": 1,
}


def fill(_app: Sphinx, _name: str, text: list[str]) -> None:
    """Put what the library holds where a page says `<!-- generated: NAME -->`."""
    for name, made in reference.PARTS.items():
        mark = f"<!-- generated: {name} -->"
        if mark in text[0]:
            text[0] = text[0].replace(mark, made())


def setup(app: Sphinx) -> None:
    """Fill each page before it is read."""
    app.connect("source-read", fill)
