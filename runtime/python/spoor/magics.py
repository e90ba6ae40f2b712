"""Magics of Spoor's own, and of IPython's those that a sandbox must answer differently."""

import re

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class

from spoor import kept, sandbox

KEEP = re.compile(r"--as[ =](\w+)")


@magics_class
class SpoorMagics(Magics):
    """`%kql` and `%%kql`, and clear words for the magics that need a shell."""

    @line_cell_magic
    def kql(self, line, cell=None):
        """Run a KQL query.

        `%kql QUERY` gives the result as a DataFrame. A cell that begins with `%%kql` is a KQL
        cell; `%%kql --as NAME` keeps its result as a table and as a frame of that name.
        """
        from spoor import query

        options, text = (line, cell) if cell is not None else ("", line)
        name = None
        if match := KEEP.search(options):
            name = match.group(1)
            options = KEEP.sub("", options)
        if options.strip():
            raise UsageError(f"%%kql does not know {options.strip()!r}; it takes --as NAME")
        if not text.strip():
            raise UsageError("%kql needs a query, as in: %kql SigninLogs | take 10")
        frame = query.run(text, keep_as=name)
        if name:
            self.shell.user_ns[name] = frame
            kept.was_given(name, frame)
        return frame

    @line_magic
    def pip(self, line):
        """Say what to do instead of installing a package."""
        raise sandbox.NoShell(sandbox.pip_advice(line))

    @line_magic
    def conda(self, line):
        """Say what to do instead of installing a package."""
        raise sandbox.NoShell(sandbox.pip_advice(line))

    mamba = uv = micromamba = conda

    @line_magic
    def login(self, line):
        """Say where people sign in."""
        raise sandbox.SignIn(sandbox.SIGN_IN)

    @line_magic
    def pdb(self, line):
        """Say what to do instead of stopping in a debugger."""
        raise sandbox.NoShell(sandbox.NO_DEBUGGER)

    @line_cell_magic
    def debug(self, line="", cell=None):
        """Say what to do instead of stopping in a debugger."""
        raise sandbox.NoShell(sandbox.NO_DEBUGGER)

    @line_cell_magic
    def sx(self, line="", cell=None):
        """Say why there is no shell."""
        raise sandbox.no_shell(cell or line)

    system = sx

    @cell_magic
    def script(self, line, cell):
        """Say why there is no shell."""
        raise sandbox.no_shell(cell)

    @cell_magic
    def python(self, line, cell):
        """Say why there is no second Python."""
        raise sandbox.NoShell(sandbox.WHY + "Leave out the cell's first line: it is Python without it.")


SCRIPTS = ["bash", "sh", "perl", "ruby", "python2", "pypy", "cmd", "powershell", "pwsh", "javascript_node"]


def register(shell):
    """Adds the magics to `shell`."""
    own = SpoorMagics(shell)
    shell.register_magics(own)
    for name in ("mamba", "uv", "micromamba"):
        shell.register_magic_function(own.conda, "line", name)
    shell.register_magic_function(own.sx, "line_cell", "system")
    shell.register_magic_function(own.sx, "line_cell", "!")
    shell.register_magic_function(own.python, "cell", "python3")
    for name in SCRIPTS:
        shell.register_magic_function(own.script, "cell", name)
