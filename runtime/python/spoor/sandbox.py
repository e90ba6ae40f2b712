"""What the sandbox lacks, and what stands in for it.

There are no processes, no network, no threads and no keyboard here. Where a thing can work by
another way it does (sleeping, an event loop, `input`); where it cannot, the error says what is
missing and what to use instead. `install` runs once, when the image is made.
"""

import builtins
import linecache
import os
import re
import sys
import time
import traceback
import types

from spoor import streams

CELL = re.compile(r"<ipython-input-(\d+)-")  # the file that code of a cell says it is in

SLICE = 0.02  # seconds that a sleep can miss an interrupt for


class NotHere(OSError):
    """Something that a sandbox in WebAssembly does not have. An OSError, since that is what
    libraries expect of a system that refuses. Shown with its place alone, as the code is not what
    is wrong."""

    def _render_traceback_(self):
        return [*place(self), f"\x1b[31m{type(self).__name__}\x1b[39m: {self}"]


def place(error):
    """The line of a cell that an error came from, as a traceback gives it; nothing for a cell of one line."""
    found = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if cell := CELL.match(file):
            found = (cell[1], number, linecache.getlines(file))
    if found is None or len(found[2]) < max(2, found[1]):
        return []
    cell, number, lines = found
    return [f"Cell In[{cell}], line {number}", f"----> {number} {lines[number - 1].rstrip()}", ""]


class NoShell(NotHere):
    """There is no shell: no other program can be started."""


class SignIn(NoShell):
    """Signing in is for whoever reads the notebook. The page offers it where a cell ends so."""


class NoThreads(NotHere, RuntimeError):
    """There is one thread. A RuntimeError too, as a system that refuses one raises it."""


class NobodyToAsk(NotHere):
    """`input()` in a notebook that runs without a front end."""


WHY = "Python runs in a WebAssembly sandbox, where no other program can be started. "

NO_DEBUGGER = (
    "There is no debugger here: it would need somebody at a prompt while the cell runs. %xmode Verbose shows the values of "
    "variables in a traceback, and %tb shows the last one again."
)
SIGN_IN = (
    "Nobody signs in from Python, which no credential ever enters. On a host: spoor login --workspace NAME. In the page: "
    "Workspaces and sign-in, among all commands. Then query with %%kql --workspace NAME."
)

ADVICE = [
    (r"(python3? -m )?(pip3?|uv|conda|mamba)\b", "pip"),
    (r"(ls|dir|find|tree)\b", "To list files use os.listdir() or pathlib.Path('/data').glob('*')."),
    (r"(cat|head|tail|less|more)\b", "To read a file use open(path).read() or pandas."),
    (r"(wget|curl)\b", "There is no network either: put the file where Spoor is told with --data; it is then under /data."),
    (r"az\b", SIGN_IN),
    (r"(echo|printf)\b", "To show text use print()."),
    (r"(mkdir|rm|cp|mv|touch)\b", "To work on files use os, shutil or pathlib; /tmp is writable."),
    (r"git\b", "Fetch the repository outside, and give its folder with --data."),
    (r"(unzip|tar|gzip|gunzip|7z)\b", "To unpack use zipfile, tarfile or gzip."),
    (r"(grep|awk|sed|sort|wc|cut|jq)\b", "To search and count use pandas, or KQL: %%kql."),
]


def no_shell(command):
    """The error of a shell command that cannot run."""
    message = advise(command)
    return SignIn(message) if message.endswith(SIGN_IN) else NoShell(message)


def advise(command):
    """The message for a shell command that cannot run."""
    words = command.strip()
    for pattern, advice in ADVICE:
        if re.match(pattern, words):
            if advice == "pip":
                return pip_advice(words)
            return WHY + advice
    return WHY + "Use Python's own modules for files (os, pathlib, shutil), and %%kql or pandas for data."


def pip_advice(command):
    """The message for `pip ...`: says of each package whether it is here already."""
    wanted = [re.split(r"[<>=!~\[; ]", word)[0] for word in _packages(command)]
    here = [name for name in wanted if _importable(name)]
    absent = [name for name in wanted if name not in here]
    parts = [WHY.strip()]
    if here:
        parts.append(f"Already here, just import: {', '.join(here)}.")
    if absent:
        parts.append(
            f"Not here: {', '.join(absent)}. A pure-Python package can be used from a folder: give the folder "
            "with --data and append its path under /data to sys.path."
        )
    if not wanted:
        parts.append("Packages cannot be installed into it; numpy, pandas, scipy, scikit-learn, matplotlib and more are here.")
    return " ".join(parts)


IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "pyyaml": "yaml",
    "beautifulsoup4": "bs4",
    "pillow": "PIL",
    "python-dateutil": "dateutil",
    "ipython": "IPython",
}


def _packages(command):
    words = command.replace("'", " ").replace('"', " ").split()
    if "install" not in words:
        return []
    return [word for word in words[words.index("install") + 1 :] if re.match(r"[A-Za-z]", word)]


def _importable(name):
    import importlib.util

    module = IMPORT_NAMES.get(name.lower(), name.replace("-", "_"))
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def install():
    """Puts the stand-ins in place."""
    _processes()
    _threads()
    _network()
    _sleep()
    _folders()
    _event_loop()  # before `ssl` is there: asyncio does better without it
    _ssl()


def _processes():
    import subprocess

    def refuse(args):
        command = args if isinstance(args, str) else " ".join(map(str, args)) if isinstance(args, (list, tuple)) else str(args)
        raise no_shell(command)

    def popen_init(self, args, *rest, **options):
        self.args = args
        self.returncode = None
        # `Popen.__del__` looks at this.
        self._child_created = False
        refuse(args)

    subprocess.Popen.__init__ = popen_init
    os.system = refuse
    os.popen = lambda cmd, mode="r", buffering=-1: refuse(cmd)

    def pipe():
        """What a pool of processes begins with."""
        raise NoShell(WHY + "Do in a loop what a pool of processes would do.")

    os.pipe = pipe


def _threads():
    """A pool of threads runs each call at once, in turn; a thread of one's own cannot be had."""
    import threading
    import warnings
    from concurrent.futures import Future
    from concurrent.futures.thread import ThreadPoolExecutor

    def start(self):
        raise NoThreads(
            "Python runs in a WebAssembly sandbox with one thread. Call the function itself, or use "
            "concurrent.futures.ThreadPoolExecutor, which runs each call at once here."
        )

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    threading.Thread.start = start
    ThreadPoolExecutor.submit = submit
    # tqdm starts a thread to watch its bars, does well without, and says so each time.
    warnings.filterwarnings("ignore", message="tqdm:disabling monitor support")


def _network():
    """Every way out ends at the search for an address."""
    import socket

    def getaddrinfo(host, port, *args, **kwargs):
        raise NotHere(
            f"there is no network here, so no {host}: Python runs in a WebAssembly sandbox. "
            "Give Spoor the files (--data on a host, a drop on the page), and they are under /data; query remote data with %%kql --workspace NAME"
        )

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = lambda host: getaddrinfo(host, None)


def import_advice(error):
    """What to do about an import that failed; None where the package is here."""
    if "pyarrow" in str(error):
        return (
            "Spoor has no pyarrow; it reads Parquet and Arrow itself. A file that is given with --data is a table: "
            'kql("Events") has the rows of Events.parquet as a DataFrame. To keep a frame, write it as CSV.'
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        return missing(error.name.partition(".")[0])
    return None


def missing(name):
    """What to do about a package that is not here."""
    return (
        f"{name} is not in Spoor's Python, and nothing can be installed into it. A pure-Python package can be "
        "used from its files: give Spoor the folder (--data on a host, a drop on the page) and append its path under /data to sys.path."
    )


def _sleep():
    """A sleep inside WASI cannot be interrupted; many short ones can."""
    native = time.sleep

    def sleep(seconds, /):
        end = time.monotonic() + seconds
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        streams.flush()
        while (left := end - time.monotonic()) > 0:
            native(min(left, SLICE))

    sleep.__doc__ = native.__doc__
    time.sleep = sleep


def _folders():
    """Folders are listed by name, on every machine and in a page: notebooks give the same results everywhere."""
    native = os.listdir

    def listdir(path=None):
        return sorted(native(path))

    listdir.__doc__ = native.__doc__
    os.listdir = listdir


def _ssl():
    """An `ssl` that imports, so that packages which only mention it do too."""
    try:
        import ssl  # noqa: F401
    except ImportError:
        ssl = types.ModuleType("ssl", "There is no TLS here: the sandbox has no network.")

        class SSLError(OSError):
            """A failure of TLS."""

        class SSLContext:
            """Settings that nothing here can use."""

            def __init__(self, *args, **options):
                self.check_hostname = self.verify_mode = self.options = None

            def __getattr__(self, name):
                return lambda *args, **options: None

            def wrap_socket(self, *args, **options):
                raise NotHere("the sandbox has no network; query remote data with %%kql")

        for name in "SSLError SSLCertVerificationError CertificateError SSLZeroReturnError SSLWantReadError SSLWantWriteError " \
            "SSLSyscallError SSLEOFError".split():
            setattr(ssl, name, SSLError)
        ssl.SSLContext = ssl.SSLSocket = ssl.SSLObject = SSLContext
        ssl.create_default_context = ssl._create_default_https_context = ssl._create_unverified_context = SSLContext
        for number, name in enumerate(
            "CERT_NONE CERT_OPTIONAL CERT_REQUIRED PROTOCOL_TLS PROTOCOL_TLS_CLIENT PROTOCOL_TLSv1_2 OP_ALL OP_NO_SSLv2 "
            "OP_NO_SSLv3 OP_NO_TICKET OP_NO_COMPRESSION OP_NO_TLSv1 OP_NO_TLSv1_1 VERIFY_X509_STRICT".split()
        ):
            setattr(ssl, name, number)
        ssl.HAS_SNI = ssl.HAS_ALPN = ssl.HAS_NEVER_CHECK_COMMON_NAME = False
        ssl.OPENSSL_VERSION = "none"
        ssl.OPENSSL_VERSION_NUMBER = 0
        ssl.OPENSSL_VERSION_INFO = (0, 0, 0, 0, 0)
        sys.modules["ssl"] = ssl


def _event_loop():
    """asyncio without sockets: timers, tasks and futures work; a call meant for another thread
    runs at once."""
    import asyncio
    from asyncio import base_events, events

    class Sleeper:
        """The place of a selector: nothing can become ready but time."""

        def select(self, timeout=None):
            if timeout is None:
                raise RuntimeError("this coroutine waits for something that cannot happen here: there is no network and no other thread")
            if timeout > 0:
                time.sleep(timeout)
            return []

        def close(self):
            pass

    class Loop(base_events.BaseEventLoop):
        """The event loop of the sandbox."""

        def __init__(self):
            super().__init__()
            self._selector = Sleeper()

        def _process_events(self, event_list):
            pass

        def _write_to_self(self):
            pass

        def run_in_executor(self, executor, func, *args):
            future = self.create_future()
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)
            return future

    events.new_event_loop = asyncio.new_event_loop = Loop
    loops = []

    def session_loop():
        """The session's one loop."""
        if not loops or loops[0].is_closed():
            loops[:] = [Loop()]
        asyncio.set_event_loop(loops[0])
        return loops[0]

    def run(coroutine):
        """Runs a coroutine to its end on the session's loop."""
        loop = session_loop()
        task = loop.create_task(coroutine)
        try:
            return loop.run_until_complete(task)
        except BaseException:
            task.cancel()
            raise

    # Under Jupyter a loop runs between cells and inside them. Code that counts on it finds this one, on which its tasks
    # go on when a cell next awaits.
    own_loop = events.get_event_loop

    def get_event_loop():
        """Return the running event loop, the one that was set, or the session's."""
        try:
            return own_loop()
        except RuntimeError:
            return session_loop()

    def create_task(coro, **kwargs):
        """Schedule a coroutine, and return its task."""
        loop = events._get_running_loop() or session_loop()
        return loop.create_task(coro, **kwargs)

    events.get_event_loop = asyncio.get_event_loop = get_event_loop
    asyncio.tasks.create_task = asyncio.create_task = create_task

    global run_coroutine
    run_coroutine = run


def run_coroutine(coroutine):
    """Runs a coroutine to its end. Replaced by `install`."""
    import asyncio

    return asyncio.run(coroutine)


def ask_people(ask):
    """Makes `input` and `getpass` ask through the front end, by `ask(prompt, password)`."""
    import getpass

    def read_line(prompt="", /):
        """Ask the person at the notebook for a line of text."""
        return ask(str(prompt), False)

    def read_password(prompt="Password: ", stream=None, *, echo_char=None):
        """Ask the person at the notebook for a secret; it is not shown as it is typed."""
        return ask(str(prompt), True)

    builtins.input = read_line
    getpass.getpass = read_password
