"""Frames: a JSON header beside raw buffers, as `spoor-protocol` lays them out.

The door (`spoor.door`) calls this. The layout is that of `runtime/protocol/src/frame.rs`: all
integers are little-endian u32, and each buffer starts at a multiple of 8 bytes::

    "SPR1"  header_len  n_buffers  buffer_len[n_buffers]  header  pad  buffer 0  pad  buffer 1 ...
"""

import json
import math
import struct

MAGIC = b"SPR1"
ALIGN = 8
MAX_HEADER = 64 << 20


class FrameError(ValueError):
    """Bytes that are not a whole frame."""


class TooLarge(ValueError):
    """A header over the limit; `size` is its length in bytes."""

    def __init__(self, size):
        super().__init__(f"this hands over {size >> 20} MiB of text at once, and the limit is {MAX_HEADER >> 20} MiB: hand over less, or in parts")
        self.size = size


def encode(header, buffers=()):
    """The frame of `header` (anything JSON takes) and `buffers` (bytes-like), as bytes. Raises
    `TooLarge` for a header that the other side would not read."""
    text = _json(header)
    if len(text) > MAX_HEADER:
        raise TooLarge(len(text))
    views = [memoryview(buffer).cast("B") for buffer in buffers]
    lengths = [len(text), len(views), *map(len, views)]
    parts = [MAGIC, struct.pack(f"<{len(lengths)}I", *lengths), text]
    at = 4 + 4 * len(lengths) + len(text)
    for view in views:
        pad = -at % ALIGN
        parts += [bytes(pad), view]
        at += pad + len(view)
    return b"".join(parts)


def decode(data):
    """`(header, buffers)` of a frame; the buffers are views of `data`, not copies."""
    view = memoryview(data)
    if len(view) < 12 or view[:4] != MAGIC:
        raise FrameError("not a Spoor frame: it does not begin with SPR1")
    header_len, count = struct.unpack_from("<2I", view, 4)
    at = 12 + 4 * count
    if at + header_len > len(view):
        raise FrameError("the frame ends inside its header")
    lengths = struct.unpack_from(f"<{count}I", view, 12)
    header = json.loads(bytes(view[at : at + header_len]))
    at += header_len
    buffers = []
    for length in lengths:
        at += -at % ALIGN
        if at + length > len(view):
            raise FrameError("the frame ends inside its buffers")
        buffers.append(view[at : at + length])
        at += length
    return header, buffers


def _json(header):
    try:
        text = json.dumps(header, ensure_ascii=False, allow_nan=False, default=_plain)
    except ValueError:
        text = json.dumps(_finite(header), ensure_ascii=False, allow_nan=False, default=_plain)
    # A lone surrogate is no character; the other side reads strict UTF-8.
    return text.encode("utf-8", "replace")


def _plain(value):
    """What JSON has no form for: numpy's scalars by their value, the rest by their text."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return item()
    return str(value)


def _finite(value):
    """`value` with NaN and infinities as null, which JSON lacks."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return value
