"""`sys.stdout` and `sys.stderr` of a session: text goes out as Jupyter `stream` messages.

Text is sent when a line ends, so that people see it as it is written. A flood of lines is sent
in larger pieces instead: past `BURST` messages in a `WINDOW`, text waits until there are
`ENOUGH` characters, the window is over, the cell ends, sleeps or shows something else.
"""

import io
import time

from spoor import door

BURST = 25
WINDOW = 0.1  # seconds
ENOUGH = 4096  # characters


class OutStream(io.TextIOBase):
    """One of the two streams; `name` is Jupyter's, `stdout` or `stderr`."""

    encoding = "utf-8"
    errors = "replace"
    newlines = None

    def __init__(self, name):
        self.name = name
        self.other = None
        self.buffer = _Bytes(self)
        self._parts = []
        self._size = 0
        self._window = 0.0
        self._sent = 0

    def writable(self):
        return True

    def isatty(self):
        return False

    def fileno(self):
        raise io.UnsupportedOperation("a cell's output has no file descriptor")

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not text:
            return 0
        if self.other is not None and self.other._parts:
            self.other.flush()  # keep the order of the two streams
        self._parts.append(text)
        self._size += len(text)
        if self._size >= ENOUGH or (text.endswith("\n") and self._may_send()):
            self.flush()
        return len(text)

    def flush(self):
        if not self._parts:
            return
        text, self._parts, self._size = "".join(self._parts), [], 0
        self._sent += 1
        door.publish("stream", {"name": self.name, "text": text})

    def _may_send(self):
        now = time.monotonic()
        if not 0 <= now - self._window < WINDOW:
            self._window, self._sent = now, 0
        return self._sent < BURST


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`, for code that writes bytes."""

    def __init__(self, stream):
        self._stream = stream

    def writable(self):
        return True

    def write(self, data):
        self._stream.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def flush(self):
        self._stream.flush()


OUT, ERR = OutStream("stdout"), OutStream("stderr")
OUT.other, ERR.other = ERR, OUT


def flush():
    """Sends what was written and still waits."""
    OUT.flush()
    ERR.flush()
