"""The results that KQL cells keep, once they are frames: from then on Python's name is the owner, and the table follows.

The guest calls `settle` after each cell, and a query before it asks: a name that has another frame becomes the table's new rows,
one that is deleted or holds something else takes the table away, and a KQL cell that reads it is told so. A change inside of a
frame is seen by the cell's text (`frame["a"] = 1`, `inplace=True`) or by the frame's shape, labels and types.
"""

import sys
import weakref

namespace = {}  # the session's variables; the guest puts the shell's here
_given = {}  # by name what the table is of: a weak reference and a look of the frame, or None where there is no table


def was_given(name, frame):
    """Notes that the table `name` has the rows of `frame`, which Python's `name` is."""
    _given[name] = (weakref.ref(frame), _look(frame))


def forget(name):
    """Lets the table `name` be whatever it is from now on."""
    _given.pop(name, None)


def was_put(name, frame):
    """Notes that someone made `frame` the table `name`. Where Python's `name` is another, the table no longer follows it."""
    if name not in _given:
        return
    if namespace.get(name) is frame:
        was_given(name, frame)
    else:
        forget(name)


def lacking():
    """What the kept results lack that are not whole: `{name: [text]}`."""
    if not _given:
        return {}
    from spoor import query

    found = {name: namespace.get(name) for name in _given}
    lacks = {name: query.lacks(frame) for name, frame in found.items() if _is_frame(frame)}
    return {name: whys for name, whys in lacks.items() if whys}


def settle(changed=()):
    """Has the tables follow their frames; `changed` are names whose frames the cell changed inside."""
    for name, given in list(_given.items()):
        value = namespace.get(name)
        if given is None:
            if _is_frame(value):
                _take(name, value)
        elif name in changed or value is not given[0]() or _look(value) != given[1]:
            _take(name, value)


def _take(name, value):
    if name not in namespace:
        return _drop(name, f"`{name}` was deleted in Python; run the cell that keeps it again")
    if not _is_frame(value):
        return _drop(name, f"Python's `{name}` is no table any more but of type {type(value).__name__}; run the cell that keeps it again")
    from spoor import query

    try:
        frame = value.to_frame(value.name if value.name is not None else "value") if value.ndim == 1 else value
        query.put_table(name, frame)
    except Exception as error:
        return _drop(name, f"Python's `{name}` cannot be a table of KQL's: {error}")
    was_given(name, value)


def _drop(name, why):
    from spoor import door

    if _given[name] is not None:
        door.ask({"op": "drop_table", "name": name, "why": why})
    _given[name] = None


def _is_frame(value):
    """Whether KQL can have it as a table: a frame, or a series."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series))


def _look(value):
    """What changes with most changes inside of a frame, and costs nothing to ask."""
    if not _is_frame(value):
        return None
    labels = (value.name,) if value.ndim == 1 else tuple(value.columns)
    types = (value.dtype,) if value.ndim == 1 else tuple(value.dtypes)
    return value.shape, labels, types
