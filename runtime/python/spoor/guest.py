"""The driver's entry into Python: `turn` serves one request of the kernel.

The kernel runs `TURN` in the guest; what there is to do, and what comes of it, crosses the door
(`{"op": "next"}` and `{"op": "done"}`). `warm` and `freeze` are called at set-up, when the image
is made: see `runtime/python/build`.
"""

import gc
import os
import signal
import sys

from spoor import door, frames, kept, literals, names, sandbox, streams

shell = None
_asleep = False  # whether this is the image's state, not yet a session's
_interrupted = False  # whether an interrupt came in this turn, but not in the cell's own code


def turn():
    """Asks for the next request, serves it, and reports the outcome."""
    global _asleep, _interrupted
    if _asleep:
        _asleep = False
        _wake()
    try:
        _serve()
    finally:
        _interrupted = False


def _serve():
    request, _ = door.ask({"op": "next"})
    serve = SERVERS.get(request.get("op"))
    if serve is None:
        _done({"status": "error", "ename": "NotImplementedError", "evalue": f"no request {request.get('op')!r}", "traceback": []})
        return
    try:
        content, extra = serve(request)
    except BaseException as error:  # whatever it was, the kernel waits for an answer
        content, extra = _broken(error), {}
    _done(content, **extra)


def _done(content, **extra):
    try:
        door.ask({"op": "done", "content": content, **extra})
    except frames.TooLarge as error:
        kept = {key: content[key] for key in ("status", "execution_count") if key in content}
        if kept.get("status") == "error":
            kept |= {"ename": str(content.get("ename"))[:100], "evalue": "the error's text is too large to hand over", "traceback": []}
        door.publish("stream", {"name": "stderr", "text": f"spoor: a reply was cut short: {error}\n"})
        door.ask({"op": "done", "content": kept})


def _broken(error):
    """The reply for an error outside of a cell's own code."""
    import traceback

    lines = traceback.format_exception(error)
    content = {"ename": type(error).__name__, "evalue": str(error), "traceback": lines}
    door.publish("error", content)
    return {"status": "error", "execution_count": getattr(shell, "execution_count", 0), **content}


def _execute(request):
    shell.execution_count = request.get("execution_count") or shell.execution_count
    silent = bool(request.get("silent"))
    store = bool(request.get("store_history", not silent))
    code = request["code"]
    shell.allow_stdin = bool(request.get("allow_stdin"))
    shell.last_error = None
    _bind(request.get("bind") or ())
    _tell_of_partial(code)
    count = shell.execution_count
    result = _run(code, silent, store, request.get("cell_id"))
    content = {"execution_count": count, "payload": shell.payload_manager.read_payload(), "user_expressions": {}}
    shell.payload_manager.clear_payload()
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        content["status"] = "ok"
    else:
        shown = shell.last_error or {"ename": type(error).__name__, "evalue": str(error), "traceback": []}
        content = {"status": "error", **shown, **content}
    return content, _after(code)


def _run(code, silent, store, cell_id):
    """Runs the cell; only meanwhile does an interrupt raise `KeyboardInterrupt`. One that came on the
    way here is raised now."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            if _interrupted:
                raise KeyboardInterrupt
            return shell.run_cell(code, store_history=store, silent=silent, cell_id=cell_id)
        finally:
            signal.signal(signal.SIGINT, _note)
    except KeyboardInterrupt as error:
        # It came between the cell's own code and the end of its run.
        shell.showtraceback((KeyboardInterrupt, error, None))
        from IPython.core.interactiveshell import ExecutionResult

        result = ExecutionResult(None)
        result.error_in_exec = error
        return result
    finally:
        streams.flush()


def _note(_signal, _frame):
    """An interrupt outside of a cell's own code: it is meant for the cell that is about to run, and after
    it for nothing."""
    global _interrupted
    _interrupted = True


def _bind(results):
    """Gives the cell the kept results of KQL cells, as frames."""
    for name in results:
        from spoor import query

        kept.forget(name)
        shell.user_ns[name] = frame = query.run(literals.bracketed(name), allow_partial=True)
        kept.was_given(name, frame)


def _tell_of_partial(code):
    """Says on the cell which of the frames that it reads are partial results, lest a count be taken for the whole."""
    lacking = kept.lacking()
    if not lacking:
        return
    reads, _ = names.of(code, shell.transform_cell)
    for name in sorted(set(reads) & set(lacking)):
        streams.ERR.write(f"spoor: {name} is a partial result of {'; '.join(lacking[name])}\n")


def _after(code):
    """What the kernel is told after a cell: its names, and the values that KQL cells can use. Kept results follow their frames."""
    reads, writes = names.of(code, shell.transform_cell)
    kept.settle(writes)
    values = literals.variables(shell.user_ns, shell.user_ns_hidden)
    return {"names": {"reads": reads, "writes": writes}, "values": values}


def _complete(request):
    from IPython.core.completer import provisionalcompleter, rectify_completions

    code, cursor = request["code"], request["cursor_pos"]
    with provisionalcompleter():
        found = list(rectify_completions(code, shell.Completer.completions(code, cursor)))
    start = found[0].start if found else cursor
    end = found[0].end if found else cursor
    kinds = [{"start": c.start, "end": c.end, "text": c.text, "type": c.type or "", "signature": c.signature} for c in found]
    content = {
        "status": "ok",
        "matches": [c.text for c in found],
        "cursor_start": start,
        "cursor_end": end,
        "metadata": {"_jupyter_types_experimental": kinds},
    }
    return content, {}


def _inspect(request):
    from IPython.utils.tokenutil import token_at_cursor

    name = token_at_cursor(request["code"], request["cursor_pos"])
    content = {"status": "ok", "found": False, "data": {}, "metadata": {}}
    try:
        bundle = shell.object_inspect_mime(name, detail_level=request.get("detail_level", 0))
    except KeyError:
        return content, {}
    content["data"].update(bundle)
    content["found"] = True
    return content, {}


def _is_complete(request):
    status, indent = shell.input_transformer_manager.check_complete(request["code"])
    content = {"status": status}
    if status == "incomplete":
        content["indent"] = " " * (indent or 0)
    return content, {}


def _diagnose(request):
    from spoor import diagnosis

    return {"status": "ok", "diagnostics": diagnosis.of(request["code"], shell.transform_cell)}, {}


SERVERS = {"execute": _execute, "complete": _complete, "inspect": _inspect, "is_complete": _is_complete, "diagnose": _diagnose}


def warm(pandas):
    """Imports what every session needs and makes the shell. The image is made after this; it has
    pandas in it if `pandas` is true."""
    global shell
    os.chdir("/tmp")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    sys.argv = ["spoor"]
    signal.signal(signal.SIGINT, _note)
    sandbox.install()

    import spoor
    from spoor import magics
    from spoor import shell as shells

    shell = shells.make()
    magics.register(shell)
    kept.namespace = shell.user_ns
    _rehearse((FRAMES if pandas else []) + REHEARSAL, "frame" if pandas else "os")
    own = {"kql": spoor.kql, "spoor": spoor}
    shell.user_ns.update(own)
    shell.user_ns_hidden.update(own)


FRAMES = [
    "import numpy, pandas as pd, spoor.query\nframe = pd.DataFrame({'a': [1, 2], 'b': ['x', None], 'c': pd.to_datetime(['2024-01-01'] * 2, utc=True)})\nframe",
    "frame.groupby('b').agg(n=('a', 'sum')).sort_values('n')",
    "frame?",
]
REHEARSAL = [
    "import os",
    "def f(x):\n    return 1 / x\nf(0)",
    "1 +",
    "unknown",
    "%time 1",
    "%%time\n1",
    "from IPython.display import HTML, Markdown\ndisplay(HTML('<b>'), Markdown('*'))",
    "os?",
    "!ls",
    "import time; time.sleep(0.001)",
    "await __import__('asyncio').sleep(0)",
]


def _rehearse(cells, name):
    """Runs `cells`, of every kind, once, and asks about the `name` that they leave, so that what
    IPython imports late is in the image too."""
    real = door.ask
    door.ask = lambda header, buffers=(): ({"ok": True}, [])
    sys.stdout, sys.stderr, before = streams.OUT, streams.ERR, (sys.stdout, sys.stderr)
    try:
        for code in cells:
            _execute({"code": code, "execution_count": 1})
        _complete({"code": f"{name}.g", "cursor_pos": len(name) + 2})
        _inspect({"code": name, "cursor_pos": len(name)})
        _is_complete({"code": "if x:"})
        _diagnose({"code": "if x:"})
    finally:
        door.ask = real
        sys.stdout, sys.stderr = before
    # `aggressive` would throw away modules that the rehearsal was to bring in.
    shell.reset(new_session=True, aggressive=False)
    shell.last_error = shell._last_traceback = None
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)


def freeze():
    """The last thing before the image is taken: leaves as little as possible to write again."""
    global _asleep, _interrupted
    _asleep = True
    _interrupted = False  # set-up has found out how to interrupt
    sys.stdout, sys.stderr = streams.OUT, streams.ERR
    gc.collect()
    gc.freeze()


def _wake():
    """A session begins: what must differ between sessions is drawn anew."""
    import random

    random.seed()
    # Imported later, it draws its own.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile._name_sequence = None
    os.makedirs(os.environ.get("MPLCONFIGDIR", "/tmp/.matplotlib"), exist_ok=True)
