"""Tracebacks as people read them: the cell's own lines, and of packages the places alone, for their sources are not here.

The shell calls `tidy` on what IPython has formatted, and `note_source` before a magic compiles a text of its own.
"""

import linecache
import re

# The names that IPython gives to the code that these magics compile.
SOURCES = {"time": ("<timed exec>", "<timed eval>"), "timeit": ("<magic-timeit>",)}

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UNSOURCED = re.compile(r"\n[^\n]*Could not get source, probably due dynamically evaluated source code[^\n]*")
_OWN = re.compile(r"Cell In\[|File <(?:timed |magic-timeit)")
_RUNS_MAGIC = re.compile(r"get_ipython\(\)\.run_(?:cell|line)_magic\(")
_TIMED = re.compile(r"File <(?:timed \w+|magic-timeit)>:(\d+)")
_OPTIONS = re.compile(r"\A(?:\s*-(?:[nr]\s*\d+|v\s*\w+|[tcpqo]\b))*\s*")
_PLACE = re.compile(r"File [^\n]*\n?\Z")


def note_source(magic, text):
    """Has the lines of `text` shown where the code that `magic` makes of it fails."""
    for name in SOURCES.get(magic, ()):
        lines = text.splitlines(keepends=True)
        linecache.cache[name] = (len(text), None, lines, name)


def without_options(line):
    """What a line magic is given to run, without the options of `%timeit` before it."""
    return _OPTIONS.sub("", line)


def tidy(parts):
    """The parts of a traceback without IPython's own steps and without words on sources that are not there."""
    plain = [_COLOUR.sub("", part) for part in parts]
    kept = [_tidied(part) for at, part in enumerate(parts) if not _leads_to_own(plain, at)]
    return [_closed_up(part, after) for part, after in zip(kept, [*kept[1:], ""])]


def _tidied(part):
    part = _UNSOURCED.sub("", part)
    first, end, rest = part.partition("\n")
    if timed := _TIMED.match(_COLOUR.sub("", first)):
        first = f"In the code that is timed, line {timed[1]}"
    return first + end + rest


def _closed_up(part, after):
    """A place without its blank line, where another place follows."""
    places = [_PLACE.match(_COLOUR.sub("", each)) for each in (part, after)]
    return part.rstrip("\n") if all(places) else part


def _leads_to_own(plain, at):
    """Whether a part is the call of a magic, or a step of that magic's, on the way to the cell's own code."""
    if not any(_OWN.match(later) for later in plain[at + 1 :]):
        return False
    begun = [before for before in plain[: at + 1] if _RUNS_MAGIC.search(before)]
    reached = any(_OWN.match(before) and not _RUNS_MAGIC.search(before) for before in plain[: at + 1])
    return bool(begun) and not reached
