"""What `spoor.kql(...)` does, `tables()`, and the error that shows where a query is wrong."""

import datetime
import warnings

import pandas as pd

from spoor import door, kept, sandbox, transfer
from spoor.literals import NAME, literal


class KqlError(Exception):
    """A query that Kusto would not run. Its text is the first line of what was wrong; in a cell
    it is shown as the diagnostics with their carets."""

    def __init__(self, message, ename="KqlError", traceback=()):
        super().__init__(message)
        self.ename = ename
        self.diagnostics = list(traceback)

    def _render_traceback_(self):
        return [*sandbox.place(self), *(self.diagnostics or [f"{self.ename}: {self}"])]


class PartialResultError(KqlError):
    """A workspace's result that is not all that was asked for. `frame` is what came, and `reasons` say
    what is missing; `kql(..., allow_partial=True)` gives the frame instead."""

    def __init__(self, workspaces, frame, reasons):
        what = "; ".join(reasons)
        whom = ", ".join(f"workspace '{name}'" for name in workspaces)
        super().__init__(
            f"the result of {whom} is not whole: {what}. Its rows are this error's `frame`; to take them as they "
            "are, call kql(..., allow_partial=True)",
            "PartialResultError",
        )
        self.frame = frame
        self.reasons = list(reasons)


class KqlFrame(pd.DataFrame):
    """The frame of a query that ends in `render`: it shows as the chart. What is computed from
    it is a plain DataFrame."""

    _metadata = ["_bundle"]

    @property
    def _constructor(self):
        return pd.DataFrame

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self._bundle


def run(query, values=None, keep_as=None, workspace=None, timespan=None, allow_partial=False):
    """`spoor.kql` with a name under which the result is kept as a table."""
    if not isinstance(query, str):
        raise TypeError(f"kql() takes the text of a query, not {type(query).__name__}")
    away = _away(workspace, timespan)
    kept.settle()
    lets = []
    for name, value in (values or {}).items():
        if isinstance(value, pd.Series):
            value = value.to_frame(value.name if value.name is not None else "value")
        if isinstance(value, pd.DataFrame):
            if workspace:
                raise TypeError(
                    f"the workspace '{workspace}' cannot read the DataFrame {name!r}: give a list of values, or query without a "
                    "workspace what came from there"
                )
            put_table(name, value)
        else:
            lets.append(f"let {_name(name)} = {literal(value)};")
    # On one line, so that the lines that diagnostics name are the query's own.
    text = " ".join([*lets, query])
    reply, buffers = door.ask({"op": "kql", "query": text, "as": keep_as, **away})
    if reply.get("ename") == "KeyboardInterrupt":
        raise KeyboardInterrupt(reply.get("evalue", ""))
    if not reply.get("ok"):
        raise KqlError(reply.get("evalue", "the query failed"), reply.get("ename", "KqlError"), reply.get("traceback", ()))
    frame = transfer.decode(reply["table"], buffers)
    if reply.get("render") and reply.get("bundle"):
        frame = KqlFrame(frame)
        frame._bundle = reply["bundle"]
    if reply.get("more"):
        warnings.warn(f"the query has {reply['more']} more results, which kql() leaves out: a KQL cell shows all", stacklevel=3)
    origin = reply.get("origin")
    if origin:
        frame.attrs["spoor"] = origin
        if origin.get("partial") and not allow_partial:
            if origin.get("workspace") or origin.get("workspaces"):
                asked = origin.get("workspaces") or [origin["workspace"]]
                raise PartialResultError(asked, frame, origin["partial"])
            warnings.warn(f"the query reads a partial result, of {'; '.join(origin['partial'])}", stacklevel=3)
    return frame


def _away(workspace, timespan):
    """What a request says of the workspace that is to run its query."""
    if not isinstance(workspace, str | None):
        raise TypeError(f"workspace= takes a workspace's name, not {type(workspace).__name__}")
    away = {"workspace": workspace, "timespan": None if timespan is None else iso_timespan(timespan)}
    return {name: value for name, value in away.items() if value is not None}


def iso_timespan(span):
    """A time span as the services write it, in ISO 8601: of text as it is, of a timedelta, or of a pair of times."""
    if isinstance(span, str):
        return span
    if isinstance(span, (datetime.timedelta, pd.Timedelta)):
        return pd.Timedelta(span).isoformat()
    if isinstance(span, (tuple, list)) and len(span) == 2:
        return "/".join(_iso_time(end) for end in span)
    raise TypeError("timespan= takes a timedelta, a pair of times, or text in ISO 8601, such as 'P1D'")


def _iso_time(value):
    if isinstance(value, (datetime.timedelta, pd.Timedelta)):
        return pd.Timedelta(value).isoformat()
    time = pd.Timestamp(value)
    time = time.tz_convert("UTC").tz_localize(None) if time.tzinfo else time
    return f"{time.isoformat()}Z"


def put_table(name, frame):
    """Makes `frame` a table of the session's catalogue. If it is of a partial result, queries of the table say so."""
    header, buffers = transfer.encode(frame)
    reply, _ = door.ask({"op": "put_table", "name": name, "table": header, "lacks": lacks(frame)}, buffers)
    if not reply.get("ok"):
        raise KqlError(reply.get("evalue", reply.get("message", f"the table {name} was refused")))
    kept.was_put(name, frame)


def lacks(frame):
    """What a frame lacks that came of a partial result, and whose fault it is: a list of texts."""
    origin = frame.attrs.get("spoor") or {}
    partial = origin.get("partial") or ()
    return [f"workspace '{origin['workspace']}': {why}" if "workspace" in origin else why for why in partial]


def tables():
    """The tables that KQL can read: a DataFrame of name, rows and columns."""
    reply, _ = door.ask({"op": "tables"})
    found = reply["tables"]
    # A table that no query has read yet has no known columns.
    columns = [", ".join(f"{name}: {kind}" for name, kind in table["columns"] or ()) or None for table in found]
    return pd.DataFrame(
        {
            "name": pd.Series([table["name"] for table in found], dtype="str"),
            "rows": pd.Series([table["rows"] for table in found], dtype="Int64"),
            "columns": pd.Series(columns, dtype="str"),
        }
    )


def _name(name):
    if not NAME.match(name):
        raise ValueError(f"{name!r} cannot be a name in a query")
    return name
