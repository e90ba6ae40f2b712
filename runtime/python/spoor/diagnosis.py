"""What is wrong with a cell's Python, without running it: what Python's own compiler refuses or warns of."""

import ast
import warnings

MOST = 100_000  # code points of a source that is looked at while somebody types


def of(code, transform):
    """`[{start, end, severity, message, fixes}]` of a cell whose magics `transform` turns into Python. Places are code points."""
    if len(code) > MOST:
        return []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", SyntaxWarning)
        text = transform(code)
        try:
            compile(text, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except SyntaxError as error:
            return [_diagnostic("error", error.msg, _place(code, text, error))]
        except (ValueError, RecursionError, MemoryError) as error:
            return [_diagnostic("error", str(error) or type(error).__name__, (0, len(code)))]
    lines = _Lines(code)
    return [_diagnostic("warning", str(one.message), lines.whole(one.lineno)) for one in told if one.filename == "<cell>"]


def _diagnostic(severity, message, place):
    start, end = place
    return {"start": start, "end": end, "severity": severity, "message": message, "fixes": []}


class _Lines:
    def __init__(self, text):
        self.lines = text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def text(self, number):
        """A line, counted from 1, without its end; empty where there is none."""
        return self.lines[number - 1].rstrip("\r\n") if 0 < number <= len(self.lines) else ""

    def start(self, number):
        return self.starts[min(max(number, 1) - 1, len(self.lines))]

    def whole(self, number):
        """Where a line's text is, without what it is indented by."""
        text = self.text(number)
        start = self.start(number)
        return start + len(text) - len(text.lstrip()), start + len(text)


def _place(code, text, error):
    """Where in `code` an error of the Python that came of it is: its words, or the line where a magic stands there."""
    lines, python = _Lines(code), _Lines(text)
    line = error.lineno or 1
    if error.offset is None or not lines.text(line).endswith(python.text(line)):
        return lines.whole(line)
    at = lambda number, offset: lines.start(number) + len(lines.text(number)) - len(python.text(number)) + max(offset, 1) - 1
    start = at(line, error.offset)
    last = error.end_lineno or line
    end = at(last, error.end_offset) if error.end_offset and lines.text(last).endswith(python.text(last)) else start
    # What ends too soon is told of where it ends: something must be there to be underlined.
    start = min(start, len(code) - 1) if code else 0
    return max(start, 0), min(max(end, start + 1), len(code))
