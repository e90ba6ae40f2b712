"""Values as KQL writes them, and names as it takes them. Needs no pandas: every turn of a session calls it."""

import datetime
import math
import re

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

LONGEST = 1 << 16  # characters of one variable's literal that KQL cells can use
MOST = 1 << 20  # characters of all of them
ELEMENTS = 10_000  # elements of a list among them


def bracketed(name):
    """A name as KQL takes any: `['a name']`."""
    return name if NAME.match(name) else f"[{_quoted(name)}]"


def literal(value):
    """`value` as a KQL literal."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f"real({'nan' if value != value else '+inf' if value > 0 else '-inf'})"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, datetime.datetime):
        if value != value:  # pandas' NaT
            return "datetime(null)"
        if value.tzinfo:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return f"datetime({value.isoformat()}Z)"
    if isinstance(value, datetime.date):
        return f"datetime({value.isoformat()}T00:00:00Z)"
    if isinstance(value, datetime.timedelta):
        seconds = value.days * 86_400 + value.seconds
        return f"{seconds * 10_000_000 + value.microseconds * 10 + getattr(value, 'nanoseconds', 0) // 100}tick"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"dynamic([{', '.join(_element(part) for part in value)}])"
    raise TypeError(
        f"a query cannot use a {type(value).__name__}: give a DataFrame, a number, a string, a bool, "
        "a datetime, a timedelta or a list of such"
    )


def variables(namespace, hidden=()):
    """The literals of those variables that a KQL cell can use by name, `{name: literal}`: plain values that are not long."""
    found = {}
    left = MOST
    for name, value in list(namespace.items()):
        if name.startswith("_") or name in hidden or not NAME.match(name) or not _is_plain(value):
            continue
        try:
            text = literal(value)
        except Exception:  # it is no literal; what it is is the cells' affair
            continue
        if len(text) <= min(left, LONGEST):
            found[name] = text
            left -= len(text)
    return found


def _is_plain(value):
    if isinstance(value, (list, tuple, set, frozenset)):
        return len(value) <= ELEMENTS
    if isinstance(value, str):
        return len(value) <= LONGEST
    return isinstance(value, (int, float, datetime.date, datetime.timedelta)) or type(value).__module__ == "numpy"


def _element(value):
    if value is None:
        return "null"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(_element(part) for part in value)}]"
    return literal(value)


def _quoted(text):
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'
