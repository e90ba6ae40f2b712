"""Spoor inside Python: `kql`, `tables` and what a notebook's cells need.

`spoor.guest` is the driver's entry; notebooks use the names below.
"""

__version__ = "0.1.0"

__all__ = ["KqlError", "kql", "plugins", "put_table", "tables"]


def kql(query, /, **values):
    """Runs a KQL query and returns its result as a pandas DataFrame.

    Keyword arguments are names that the query can use: a DataFrame is a table of that name, and
    a number, string, bool, datetime, timedelta or list is a `let` of that name, so text never
    has to be pasted into a query::

        kql("SecurityEvent | where Computer == host | count", host="WS-01")
        kql("watchlist | join SigninLogs on IPAddress", watchlist=frame)
    """
    from spoor import query as queries

    return queries.run(query, values=values)


def __getattr__(name):
    # pandas is imported with the first of these, or the first query, not with the package.
    if name == "plugins":
        import importlib

        return importlib.import_module("spoor.plugins")
    if name in __all__:
        from spoor import query

        return getattr(query, name)
    raise AttributeError(f"module 'spoor' has no attribute {name!r}")
