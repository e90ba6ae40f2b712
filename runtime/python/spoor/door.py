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
    """Publishes a Jupyter message of the running cell, at once. One that does not get through is
    left out, and the cell says so."""
    try:
        answer, _ = ask(_message(msg_type, content, metadata or {}, buffers), buffers)
    except frames.TooLarge as error:
        _left_out(
            f"{WHAT.get(msg_type, 'an output')} of {error.size >> 20} MiB was left out, over the limit of "
            f"{frames.MAX_HEADER >> 20} MiB for one. Show less of it, or write it to a file under /tmp"
        )
        return
    if not answer.get("ok", True):
        _left_out(f"{WHAT.get(msg_type, 'an output')} was left out: {answer.get('message', 'the kernel refused it')}")


WHAT = {"stream": "text", "error": "an error", "clear_output": "a clearing of the output"}


def _message(msg_type, content, metadata, buffers=()):
    return {"op": "publish", "msg_type": msg_type, "content": content, "metadata": metadata, "buffers": len(buffers)}


def _left_out(why):
    ask(_message("stream", {"name": "stderr", "text": f"spoor: {why}\n"}, {}))
