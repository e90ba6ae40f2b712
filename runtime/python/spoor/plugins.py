"""The functions of the session's plugins, by name: `spoor.plugins.beacons(frame, time="ts")`.

Each runs in a sandbox of its own, on the columns that it is given. `dir(spoor.plugins)` lists them, and
`help(spoor.plugins.name)` tells what one takes and gives.
"""

# Under names that no function of a plugin has.
import inspect as _inspect
import itertools as _itertools

import pandas as _pd

from spoor import door as _door
from spoor import literals as _literals
from spoor import query as _query

# A name of its own for each call: cells that call plugins do not depend on each other for that.
_calls = _itertools.count(1)


def _known():
    reply, _ = _door.ask({"op": "plugins"})
    return {function["function"]["name"]: function for function in reply["functions"]}


def __dir__():
    return sorted(_known())


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(f"module 'spoor.plugins' has no attribute {name!r}")
    known = _known()
    if name not in known:
        here = ", ".join(sorted(known)) or "none"
        raise AttributeError(f"no plugin of this session has a function {name!r}; functions here: {here}")
    return _function(known[name])


def _function(known):
    declared, plugin = known["function"], known["plugin"]
    parameters = declared.get("parameters", [])

    def call(frame=None, /, *arguments, **named):
        return _call(declared, parameters, frame, arguments, named)

    call.__name__ = call.__qualname__ = declared["name"]
    call.__doc__ = _doc(declared, plugin, parameters)
    call.__signature__ = _signature(parameters)
    return call


def _call(declared, parameters, frame, arguments, named):
    name = declared["name"]
    if len(arguments) > len(parameters):
        raise TypeError(f"{name}() takes at most {len(parameters)} arguments after the frame, not {len(arguments)}")
    given = {parameter["name"]: value for parameter, value in zip(parameters, arguments)}
    if twice := given.keys() & named.keys():
        raise TypeError(f"{name}() got two values for {sorted(twice)[0]!r}")
    given |= named
    kinds = {parameter["name"]: parameter["kind"] for parameter in parameters}
    if unknown := given.keys() - kinds.keys():
        takes = ", ".join(kinds) or "no arguments"
        raise TypeError(f"{name}() has no argument {sorted(unknown)[0]!r}; it takes {takes}")
    frame, given = _with_columns(name, frame, given, kinds)
    texts = [f"{key}={_text(kinds[key], value)}" for key, value in given.items() if value is not None]
    table = f"_plugin_input_{next(_calls)}"
    _query.put_table(table, frame)
    try:
        return _query.run(f"{table} | evaluate {name}({', '.join(texts)})")
    finally:
        _door.ask({"op": "drop_table", "name": table})


def _with_columns(name, frame, given, kinds):
    """The input as a frame, in which a column that was given as a Series is one of its own."""
    if isinstance(frame, _pd.Series):
        frame = frame.to_frame(str(frame.name) if frame.name is not None else "value")
        for key, kind in kinds.items():
            if kind == "column" and key not in given:
                given = {key: frame.columns[0], **given}
                break
    if frame is None:
        frame = _pd.DataFrame({"none": [0]})
    if not isinstance(frame, _pd.DataFrame):
        raise TypeError(f"{name}() takes a DataFrame or a Series, not {type(frame).__name__}")
    series = {key: value for key, value in given.items() if kinds[key] == "column" and isinstance(value, _pd.Series)}
    if series:
        frame = frame.assign(**{f"_{key}": value for key, value in series.items()})
        given = {**given, **{key: f"_{key}" for key in series}}
    return frame, given


def _text(kind, value):
    if kind == "column":
        if not isinstance(value, str):
            raise TypeError(f"a column is given by its name or as a Series, not as a {type(value).__name__}")
        return _literals.bracketed(value)
    return _literals.literal(value)


def _signature(parameters):
    only, either = _inspect.Parameter.POSITIONAL_ONLY, _inspect.Parameter.POSITIONAL_OR_KEYWORD
    made = [_inspect.Parameter("frame", only, default=None)]
    made += [_inspect.Parameter(p["name"], either, default=p.get("default")) for p in parameters]
    return _inspect.Signature(made)


def _doc(declared, plugin, parameters):
    lines = [f"{declared['summary']} From the plugin {plugin}."]
    if declared.get("docs"):
        lines += ["", declared["docs"]]
    if parameters:
        lines += ["", "It takes a frame and"]
        lines += [f"    {p['name']} ({p['kind']}, {_types(p['type'])}){_more(p)}" for p in parameters]
    lines += ["", "Columns of its result:"]
    lines += [f"    {c['name']} ({c['type']}){_more(c)}" for c in declared["output"]["columns"]]
    return "\n".join(lines)


def _types(types):
    return types if isinstance(types, str) else " or ".join(types)


def _more(described):
    return f": {described['docs']}" if described.get("docs") else ""
