"""Kqlmagic's cells against `spoor serve --api`, as PyPI has it: `%kql` in IPython, over Kusto's protocol and over Log Analytics'.

    python kqlmagic_cells.py SPOOR

What is set of Kqlmagic's own options keeps it to this machine, and from what today's matplotlib and prettytable no longer have. It connects
as nobody: with a token of its own it would ask Microsoft's authority first, who that is.
"""

import contextlib
import datetime
import os
import sys

import serving
from serving import LIMIT, ROWS, TYPES, UNKNOWN, WRONG, raises

OPTIONS = {
    "auto_popup_schema": False,
    "check_magic_version": False,
    "short_errors": False,
    "show_what_new": False,
    # prettytable has no styles by the names that it knows, nor matplotlib its palettes.
    "table_package": "'pandas'",
    "plot_package": "'None'",
}


class Cells:
    """IPython with Kqlmagic in it."""

    def __init__(self):
        options = [f"{name}={value}" for name, value in OPTIONS.items()]
        os.environ["KQLMAGIC_CONFIGURATION"] = ";".join(options)
        os.environ["KQLMAGIC_LOAD_MODE"] = "silent"
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        self.shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
        self.run("line", "load_ext", "Kqlmagic")

    def connect(self, where):
        return self.run("line", "kql", where)

    def ask(self, query):
        return self.run("cell", "kql", "", query)

    def run(self, kind, *magic):
        """What a magic gives; `said` is what it shows, which is where Kqlmagic puts a query's errors."""
        from IPython.utils.capture import capture_output

        with capture_output() as shown:
            result = getattr(self.shell, f"run_{kind}_magic")(*magic)
        self.said = "\n".join(str(output.data) for output in shown.outputs).replace("&nbsp;", " ")
        return result


def kusto(cells, url, name="spoor"):
    cells.connect(f"azureDataExplorer://anonymous;cluster='{url}';database='{name}'")


def logs(cells, url, name="spoor"):
    cells.connect(f"loganalytics://anonymous;workspace='{name}';data_source_url='{url}'")


def check_types(result):
    row = result[0]
    when = datetime.datetime(2024, 2, 3, 4, 5, 6, 123456, datetime.timezone.utc)
    assert row["t"] == when, row["t"]
    assert row["b"] == 1 and row["m"] == 12.5 and row["d"] == {"a": [1, "x"]}, row
    assert row["g"] == "00112233-4455-6677-8899-aabbccddeeff", row
    assert (row["i"], row["l"], row["r"], row["s"]) == (7, 9007199254740993, 1.5, 'é"'), row
    assert row["p"] == datetime.timedelta(days=1, hours=2, milliseconds=500) and row["n"] is None, row
    types = {name: str(kind) for name, kind in result.to_dataframe().dtypes.items()}
    assert (types["b"], types["i"], types["l"], types["r"]) == ("bool", "int64", "int64", "float64"), types
    assert types["t"] == "datetime64[ns, UTC]" and types["p"] == "timedelta64[ns]", types


def check_errors(cells):
    for query, told in [(WRONG, "wheer"), (UNKNOWN, "Nobody")]:
        assert cells.ask(query) is None
        assert told in cells.said and "query execution error" in cells.said, cells.said


def test_kusto_types(cells, url, _):
    kusto(cells, url)
    check_types(cells.ask(TYPES))


def test_kusto_rows(cells, url, _):
    kusto(cells, url)
    frame = cells.ask("Events | summarize n = count() by User | sort by User asc").to_dataframe()
    assert frame["User"].tolist() == [f"user{n}" for n in range(5)], frame
    assert frame["n"].tolist() == [ROWS // 5] * 5, frame


def test_kusto_errors(cells, url, _):
    kusto(cells, url)
    check_errors(cells)


def test_kusto_cut(cells, url, _):
    kusto(cells, url)
    result = cells.ask("Events")
    assert result.is_partial_table and "partial results" in cells.said, cells.said
    assert len(result) == LIMIT, len(result)


def test_kusto_charts_are_asked_for(cells, url, _):
    kusto(cells, url)
    result = cells.ask("Events | summarize count() by User | render piechart with (title='Who')")
    assert result.visualization == "piechart", result.visualization


def test_logs_types(cells, url, _):
    logs(cells, url)
    check_types(cells.ask(TYPES))


def test_logs_errors(cells, url, _):
    logs(cells, url)
    check_errors(cells)


def test_logs_cut(cells, url, _):
    logs(cells, url)
    result = cells.ask("Events")
    assert result.is_partial_table and "partial results" in cells.said, cells.said
    assert len(result) == LIMIT, len(result)


def test_strangers_are_refused(cells, _, guarded):
    from Kqlmagic.kql_response import KqlError

    for connect in [kusto, logs]:
        with raises(KqlError) as held:
            # Under another name, as Kqlmagic has a workspace of each name once.
            connect(cells, guarded, "guarded")
        assert held[0].http_response.status_code == 401, held[0]


def main(spoor):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(serving.prepared())
        guarded = stack.enter_context(serving.served(spoor, folder))
        url = stack.enter_context(serving.served(spoor, folder, is_guarded=False))
        serving.run(globals(), Cells(), url, guarded)


if __name__ == "__main__":
    main(sys.argv[1])
