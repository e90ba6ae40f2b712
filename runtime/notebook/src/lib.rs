//! Notebooks: nbformat, MIME bundles, outputs and HTML rendering.
