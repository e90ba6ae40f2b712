"""Spoor inside Python: `kql`, `tables` and what a notebook's cells need.

`spoor.guest` is the driver's entry; notebooks use the names below.
"""

__version__ = "0.1.0"

__all__ = ["KqlError", "kql", "put_table", "tables"]


def __getattr__(name):
    # pandas is imported when the first of these is wanted, not with the package.
    if name in __all__:
        from spoor import query

        return getattr(query, name)
    raise AttributeError(f"module 'spoor' has no attribute {name!r}")
