"""Spoor inside Python: `kql`, `tables` and what a notebook's cells need.

`spoor.guest` is the driver's entry; notebooks use the names below.
"""

__version__ = "0.1.0"

__all__ = ["KqlError", "PartialResultError", "kql", "plugins", "put_table", "tables"]


def kql(query, /, *, workspace=None, timespan=None, allow_partial=False, **values):
    """Runs a KQL query and returns its result as a pandas DataFrame.

    Keyword arguments are names that the query can use: a DataFrame is a table of that name, and
    a number, string, bool, datetime, timedelta or list is a `let` of that name, so text never
    has to be pasted into a query::

        kql("SecurityEvent | where Computer == host | count", host="WS-01")
        kql("watchlist | join SigninLogs on IPAddress", watchlist=frame)

    `workspace` names one of the configuration's, which then runs the query; `timespan` is the time that it
    looks at, as a timedelta, a pair of times, or text in ISO 8601::

        kql("SecurityAlert | count", workspace="sentinel", timespan=timedelta(days=1))

    A result that the workspace says is not whole is a `PartialResultError`, unless `allow_partial` is true.
    """
    from spoor import query as queries

    return queries.run(query, values=values, workspace=workspace, timespan=timespan, allow_partial=allow_partial)


def __getattr__(name):
    # pandas is imported with the first of these, or the first query, not with the package.
    if name == "plugins":
        import importlib

        return importlib.import_module("spoor.plugins")
    if name in __all__:
        from spoor import query

        return getattr(query, name)
    raise AttributeError(f"module 'spoor' has no attribute {name!r}")
