"""The guest's way out: one request to the kernel, one answer.

Everything in this package that needs the kernel calls `ask` or `publish`. Nothing else reaches
the world outside: there is no network and there are no processes.
"""

from spoor import frames

try:
    import _host
except ImportError:  # a native Python, as under unit tests: there is nobody to ask
    _host = None


class DoorError(RuntimeError):
    """The kernel refused a request, or there is none."""


def ask(header, buffers=()):
    """Sends a request; returns the answer's header (a dict) and its buffers."""
    if _host is None:
        raise DoorError("this Python does not run inside Spoor")
    try:
        answer = _host.call(frames.encode(header, buffers))
    except ConnectionRefusedError:
        raise DoorError("there is no session to ask") from None
    return frames.decode(answer)


def publish(msg_type, content, metadata=None, buffers=()):
    """Publishes a Jupyter message of the running cell, at once."""
    message = {
        "op": "publish",
        "msg_type": msg_type,
        "content": content,
        "metadata": metadata or {},
        "buffers": len(buffers),
    }
    ask(message, buffers)
