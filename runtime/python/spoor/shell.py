"""IPython's shell with Spoor as its front end.

A cell is run by the real `InteractiveShell`. What differs from IPython in a terminal is where
things go: results, displays, streams, errors and pages become Jupyter messages that are
published through the door; and what cannot work in a sandbox says so.
"""

import signal
import sys

from IPython.core import page
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from spoor import door, sandbox, streams, tracebacks

ALONE = (
    "input() has nobody to ask: this notebook runs without a front end. "
    "Give the value in the code, or as a parameter (spoor run -p name=value)."
)


class Publisher(DisplayPublisher):
    """`display(...)` and `clear_output()`."""

    def publish(self, data, metadata=None, *, transient=None, update=False, **kwargs):
        streams.flush()
        content = {"data": _texts(data), "metadata": metadata or {}, "transient": transient or {}}
        door.publish("update_display_data" if update else "display_data", content)

    def clear_output(self, wait=False):
        streams.flush()
        door.publish("clear_output", {"wait": bool(wait)})


class ResultHook(DisplayHook):
    """The value of a cell's last expression."""

    def start_displayhook(self):
        streams.flush()

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        content = {
            "execution_count": self.prompt_count,
            "data": _texts(format_dict),
            "metadata": md_dict or {},
        }
        door.publish("execute_result", content)

    def finish_displayhook(self):
        pass


class Shell(InteractiveShell):
    """The one shell of a session."""

    displayhook_class = Type(ResultHook)
    display_pub_class = Type(Publisher)

    # What Jupyter shows of the error of the running cell.
    last_error = None

    def init_io(self):
        pass

    def init_hooks(self):
        super().init_hooks()
        self.set_hook("show_in_pager", _show_page, 99)

    def init_display_formatter(self):
        super().init_display_formatter()
        self.display_formatter.active_types = list(self.display_formatter.format_types)

    def _showtraceback(self, etype, evalue, stb):
        streams.flush()
        name = getattr(evalue, "ename", None) if isinstance(getattr(evalue, "ename", None), str) else etype.__name__
        self.last_error = {"ename": _short(name), "evalue": _short(_text_of(evalue)), "traceback": _lines(tracebacks.tidy(stb))}
        self._last_traceback = stb
        door.publish("error", self.last_error)

    def run_cell_magic(self, magic_name, line, cell):
        tracebacks.note_source(magic_name, cell)
        return super().run_cell_magic(magic_name, line, cell)

    def run_line_magic(self, magic_name, line, _stack_depth=1):
        tracebacks.note_source(magic_name, tracebacks.without_options(line))
        return super().run_line_magic(magic_name, line, _stack_depth + 1)

    def enable_matplotlib(self, gui=None):
        """`%matplotlib`: figures show inline, whatever was asked for before."""
        if gui not in (None, "auto", "inline", "agg"):
            raise sandbox.NotHere(f"there are no windows here, so no %matplotlib {gui}; figures show inline by themselves")
        return super().enable_matplotlib("inline")

    def enable_gui(self, gui=None):
        """No event loop of a window system is needed, and there is none."""

    def showtraceback(self, *args, **kwargs):
        """Shows the error; a further interrupt does not spoil it."""
        before = signal.signal(signal.SIGINT, lambda *_: None)
        error = sys.exc_info()[1]
        if isinstance(error, ImportError) and not hasattr(error, "__notes__"):
            if advice := sandbox.import_advice(error):
                error.add_note(advice)
        try:
            super().showtraceback(*args, **kwargs)
        finally:
            signal.signal(signal.SIGINT, before)

    def ask_exit(self):
        """`exit` and `quit`."""
        print("This session ends when its notebook is closed; to start afresh, restart it.")

    def system(self, cmd):
        """`!command`."""
        raise sandbox.no_shell(cmd)

    system_raw = system_piped = system

    def getoutput(self, cmd, split=True, depth=0):
        """`lines = !command`."""
        raise sandbox.no_shell(cmd)

    def ask_line(self, prompt, password):
        """A line from the person at the notebook."""
        if not self.allow_stdin:
            raise sandbox.NobodyToAsk(ALONE)
        streams.flush()
        reply, _ = door.ask({"op": "input", "prompt": prompt, "password": password})
        if not reply.get("ok"):
            raise sandbox.NobodyToAsk(reply.get("message") or ALONE)
        return reply["value"]

    allow_stdin = False


def make():
    """The shell, ready for a first cell."""
    config = Config()
    # No history between sessions, and no database for it.
    config.HistoryManager.enabled = False
    config.InteractiveShell.loop_runner = sandbox.run_coroutine
    # Names are completed from live objects; jedi would read the packages' sources, which are
    # not here.
    config.IPCompleter.use_jedi = False
    config.InteractiveShell.colors = "neutral"
    shell = Shell.instance(config=config)
    sandbox.ask_people(shell.ask_line)
    return shell


def _texts(bundle):
    """A MIME bundle as Jupyter has it: bytes in base64."""
    from base64 import b64encode

    out = {}
    for mime, value in bundle.items():
        out[mime] = b64encode(value).decode("ascii") if isinstance(value, (bytes, bytearray)) else value
    return out


LONGEST = 1 << 20  # characters of an error's text


def _short(text):
    """The beginning of a text that nobody reads to its end."""
    more = len(text) - LONGEST
    return text if more <= 0 else f"{text[:LONGEST]} … ({more} more characters)"


def _lines(traceback):
    """A traceback of a size that can be shown: as much of its end as that is, where the error is."""
    lines = [_short(line) for line in traceback]
    left = 8 * LONGEST
    if sum(map(len, lines)) <= left:
        return lines
    kept = []
    for line in reversed(lines):
        left -= len(line)
        if left < 0:
            break
        kept.append(line)
    return [f"… ({len(lines) - len(kept)} parts of the traceback left out)", *reversed(kept)]


def _text_of(error):
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} without a text>"


def _show_page(shell, data, start=0, screen_lines=0, pager_cmd=None):
    """`name?`, `%psource` and the like: shown with the cell's outputs."""
    if not isinstance(data, dict):
        data = {"text/plain": data}
    streams.flush()
    door.publish("display_data", {"data": _texts(data), "metadata": {}, "transient": {}})


# Never start a pager program.
page.page = lambda strng, start=0, screen_lines=0, pager_cmd=None: _show_page(None, strng, start)
