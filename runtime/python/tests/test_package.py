"""Unit tests of what needs neither pandas nor IPython: any Python 3.11 or later runs them with
`python3 -m unittest discover runtime/python/tests`."""

import datetime
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from spoor import diagnosis, door, frames, literals, names, sandbox, tracebacks  # noqa: E402


class Frames(unittest.TestCase):
    def test_a_frame_survives_the_trip(self):
        header, buffers = frames.decode(frames.encode({"a": "ä\u2028"}, [b"123", b"", b"x" * 17]))
        self.assertEqual(header, {"a": "ä\u2028"})
        self.assertEqual([bytes(b) for b in buffers], [b"123", b"", b"x" * 17])

    def test_the_layout_is_the_protocols(self):
        data = frames.encode(7, [b"abc"])
        self.assertEqual(data, b"SPR1" + b"\1\0\0\0" + b"\1\0\0\0" + b"\3\0\0\0" + b"7" + bytes(7) + b"abc")

    def test_every_truncation_is_an_error(self):
        data = frames.encode([1], [b"12345", b"678"])
        for length in range(len(data)):
            with self.assertRaises((frames.FrameError, ValueError), msg=length):
                frames.decode(data[:length])

    def test_a_header_over_the_limit_is_not_made(self):
        limit = frames.MAX_HEADER
        self.assertEqual(len(frames.encode("x" * (limit - 2))), limit + 12)
        with self.assertRaises(frames.TooLarge) as raised:
            frames.encode("x" * (limit - 1))
        self.assertEqual(raised.exception.size, limit + 1)
        self.assertIn("the limit is 64 MiB", str(raised.exception))

    def test_what_json_lacks_is_made_fit(self):
        header, _ = frames.decode(frames.encode({"n": [float("nan"), float("inf")], "o": {1, }, "s": "\ud800"}))
        self.assertEqual(header["n"], [None, None])
        self.assertEqual(header["s"], "?")


class Kernel:
    """A kernel at the other side of the door, which refuses `refused`."""

    def __init__(self, refused=()):
        self.refused = refused
        self.published = []

    def call(self, request):
        header, _ = frames.decode(request)
        if header["msg_type"] in self.refused:
            return frames.encode({"ok": False, "message": "no such message"})
        self.published.append(header)
        return frames.encode({"ok": True})


class Publishing(unittest.TestCase):
    def publish(self, kernel, *message):
        before, door._host = door._host, kernel
        try:
            door.publish(*message)
        finally:
            door._host = before
        return [(m["msg_type"], m["content"].get("text")) for m in kernel.published]

    def test_what_fits_goes_out_as_it_is(self):
        self.assertEqual(self.publish(Kernel(), "stream", {"name": "stdout", "text": "a"}), [("stream", "a")])

    def test_what_is_too_large_is_named(self):
        text = {"name": "stdout", "text": "x" * (70 << 20)}
        [(kind, said)] = self.publish(Kernel(), "stream", text)
        self.assertEqual(kind, "stream")
        for part in ("70 MiB", "limit of 64 MiB", "/tmp"):
            self.assertIn(part, said)

    def test_what_is_refused_is_named(self):
        [(kind, said)] = self.publish(Kernel(refused=["comm_open"]), "comm_open", {})
        self.assertEqual((kind, said), ("stream", "spoor: an output was left out: no such message\n"))


class Names(unittest.TestCase):
    def check(self, code, reads, writes):
        self.assertEqual(names.of(code), (reads.split(), writes.split()), code)

    def test_reads_and_writes(self):
        self.check("x = y + 1", "y", "x")
        self.check("x = 1; x + 1", "", "x")
        self.check("x + 1; x = 1", "x", "x")
        self.check("x += 1", "x", "x")
        self.check("df['a'] = df.b", "df", "df")
        self.check("df.x.y = 1", "df", "df")
        self.check("df.drop(columns='a', inplace=True)", "df", "df")
        self.check("df.drop(columns='a', inplace=False)", "df", "")
        self.check("a, (b, *c) = d", "d", "a b c")
        self.check("for i in rows: print(i)", "rows", "i")
        self.check("import a.b as c, d.e; from f import g", "", "c d g")
        self.check("with open(p) as f: pass", "p", "f")
        self.check("del x", "", "x")
        self.check("(n := m)", "m", "n")

    def test_functions_read_what_others_wrote(self):
        self.check("def f(a, *b, c=d): return a + b + g + f(1)", "d g", "f")
        self.check("def f(): return late\nlate = 1", "", "f late")
        self.check("def f():\n global made\n made = used", "used", "f made")
        self.check("class A(B):\n x = y\n def m(self): return z", "B y z", "A")
        self.check("f = lambda a: a + b", "b", "f")
        self.check("[a + k for a in s if a]", "k s", "")

    def test_handlers_names_go(self):
        self.check("try: x\nexcept E as e: print(e); w = 1", "E x", "w")

    def test_code_that_does_not_parse_has_none(self):
        self.check("for", "", "")


class Diagnosis(unittest.TestCase):
    def check(self, code, *expected, transform=lambda text: text):
        found = [(one["severity"], one["message"], code[one["start"] : one["end"]]) for one in diagnosis.of(code, transform)]
        self.assertEqual(found, list(expected), code)

    def test_what_is_sound_has_none(self):
        for code in ["", "\n", "x = 1", "await x", "async with a as b:\n    pass", "def f():\n    return 1\n"]:
            self.check(code)

    def test_a_mistake_is_where_python_says(self):
        self.check("é = 1; b = = 2", ("error", "invalid syntax", "="))
        self.check("x = (1,\ny = 2", ("error", "'(' was never closed", "("))
        self.check("return 3", ("error", "'return' outside function", "return 3"))
        self.check("x is 1", ("warning", '"is" with a literal. Did you mean "=="?', "x is 1"))

    def test_what_ends_too_soon_is_underlined_at_its_end(self):
        self.check("if x:", ("error", "expected an indented block after 'if' statement on line 1", ":"))

    def test_places_are_those_of_the_cell_and_not_of_what_its_magics_became(self):
        magic = lambda text: text.replace("%run x", "get_ipython().run_line_magic('run', 'x')")
        self.check("%run x\ny = = 1", ("error", "invalid syntax", "="), transform=magic)
        self.check("  %run x", transform=lambda text: magic(text.strip()))
        self.check("  a\n  b c", ("error", "invalid syntax", "c"), transform=lambda text: "a\nb c")
        self.check("a = %run x y z", ("error", "invalid syntax", "a = %run x y z"), transform=lambda text: "a = = run(x)")

    def test_what_is_long_is_not_looked_at(self):
        self.check("x = = 1" + " " * diagnosis.MOST)


class Literals(unittest.TestCase):
    def test_values_are_written_as_kql_has_them(self):
        utc = datetime.timezone.utc
        for value, literal in [
            (True, "true"),
            (-3, "-3"),
            (0.5, "0.5"),
            (float("-inf"), "real(-inf)"),
            ('a"\\\n', '"a\\"\\\\\\n"'),
            (datetime.date(2024, 1, 2), "datetime(2024-01-02T00:00:00Z)"),
            (datetime.datetime(2024, 1, 2, 3, 4, 5, 600), "datetime(2024-01-02T03:04:05.000600Z)"),
            (datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=2))), "datetime(2024-01-02T01:00:00Z)"),
            (datetime.datetime(2024, 1, 2, tzinfo=utc), "datetime(2024-01-02T00:00:00Z)"),
            (datetime.timedelta(days=-1, microseconds=1), "-863999999990tick"),
            (["a", None, [1, True]], 'dynamic(["a", null, [1, true]])'),
        ]:
            self.assertEqual(literals.literal(value), literal)

    def test_of_the_variables_those_that_are_plain(self):
        everything = {"n": 1, "_n": 2, "In": [], "f": len, "o": object(), "d": {}, "s": "x", "é": 1, "l": [len], "m": unittest}
        everything["long"] = "x" * (literals.LONGEST + 1)
        self.assertEqual(literals.variables(everything, {"In": []}), {"n": "1", "s": '"x"'})


class Tracebacks(unittest.TestCase):
    def test_the_cells_own_lines_are_left(self):
        parts = [
            "ZeroDivisionError   Traceback",
            "Cell In[1], line 1\n----> 1 \x1b[1mget_ipython\x1b[0m().run_cell_magic('timeit', '', '1/0')",
            "File /lib/timeit.py:183, in Timer.repeat(self, repeat, number)",
            "File <magic-timeit>:1, in inner(_it, _timer)\n----> 1 1/0",
            "File index.pyx:168, in get_loc()\n--> 168 'Could not get source, probably due dynamically evaluated source code.'",
            "ZeroDivisionError: division by zero",
        ]
        kept = ["In the code that is timed, line 1\n----> 1 1/0", "File index.pyx:168, in get_loc()"]
        self.assertEqual(tracebacks.tidy(parts), [parts[0], *kept, parts[5]])

    def test_a_magic_that_fails_by_itself_stays(self):
        parts = ["UsageError", "Cell In[1], line 1\n----> 1 get_ipython().run_line_magic('kql', '')", "UsageError: a query"]
        self.assertEqual(tracebacks.tidy(parts), parts)


class Advice(unittest.TestCase):
    def test_says_why_and_what_instead(self):
        for command, instead in [
            ("ls -la /data", "os.listdir"),
            ("curl https://example.org", "--data"),
            ("az login", "%%kql"),
            ("nosuch", "pathlib"),
        ]:
            advice = sandbox.advise(command)
            self.assertIn("no other program can be started", advice)
            self.assertIn(instead, advice)

    def test_pip_knows_what_is_here(self):
        advice = sandbox.advise("python3 -m pip install 'json>=1' nosuchpackage -q")
        self.assertIn("Already here, just import: json.", advice)
        self.assertIn("Not here: nosuchpackage.", advice)


if __name__ == "__main__":
    unittest.main()
