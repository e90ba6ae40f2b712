"""Microsoft's own clients against `spoor serve --api`: azure-kusto-data and azure-monitor-query, as PyPI has them.

    python clients.py SPOOR

makes a certificate and some data, serves them, and asks. `cargo xtask api-clients` runs it in an environment with requirements.txt.
"""

import contextlib
import datetime
import subprocess
import sys
import threading
import time
from decimal import Decimal

import serving
from serving import ENDLESS, LIMIT, ROWS, TOKEN, TYPES, UNKNOWN, WRONG, Static, raises


def kusto(url, token=TOKEN):
    from azure.kusto.data import KustoClient, KustoConnectionStringBuilder

    build = KustoConnectionStringBuilder.with_aad_application_token_authentication
    return KustoClient(build(url, token))


def logs(url, token=TOKEN):
    from azure.monitor.query import LogsQueryClient

    return LogsQueryClient(Static(token), endpoint=url, retry_total=0)


def test_kusto_types(url):
    row = kusto(url).execute("spoor", TYPES).primary_results[0][0].to_dict()
    # Python's datetimes have microseconds.
    assert row["t"] == datetime.datetime(2024, 2, 3, 4, 5, 6, 123456, datetime.timezone.utc), row
    assert row["b"] is True and row["m"] == Decimal("12.5"), row
    assert row["d"] == {"a": [1, "x"]}, row
    assert row["g"] == "00112233-4455-6677-8899-aabbccddeeff", row
    assert (row["i"], row["l"], row["r"], row["s"]) == (7, 9007199254740993, 1.5, 'é"'), row
    assert row["p"] == datetime.timedelta(days=1, hours=2, milliseconds=500), row
    assert row["n"] is None and row["x"] == "NaN", row


def test_kusto_streams(url):
    answer = kusto(url).execute_streaming_query("spoor", "Events | count")
    rows = [row.to_list() for table in answer.iter_primary_results() for row in table]
    assert rows == [[ROWS]], rows


def test_kusto_render(url):
    answer = kusto(url).execute("spoor", "Events | summarize count() by User | render piechart with (title='Who')")
    properties = answer["@ExtendedProperties"][0]["Value"]
    assert '"Visualization":"piechart"' in properties and '"Title":"Who"' in properties, properties
    assert answer.errors_count == 0, answer.get_exceptions()


def test_kusto_errors(url):
    from azure.kusto.data.exceptions import KustoApiError

    for query, told in [(WRONG, "Syntax error"), (UNKNOWN, "Semantic error")]:
        with raises(KustoApiError) as held:
            kusto(url).execute("spoor", query)
        error = held[0].get_api_error()
        assert error.description.startswith(told), error.description
        assert "[line:position=2:" in error.description, error.description
        assert error.code == "General_BadRequest" and error.permanent, error.code
        assert held[0].is_semantic_error() == (query is UNKNOWN)
    with raises(KustoApiError) as held:
        kusto(url).execute("nowhere", "Events")
    assert "nowhere" in str(held[0]), held[0]


def test_kusto_cut(url):
    from azure.kusto.data import ClientRequestProperties
    from azure.kusto.data.exceptions import KustoServiceError

    with raises(KustoServiceError) as held:
        kusto(url).execute("spoor", "Events")
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in str(held[0]), held[0]
    properties = ClientRequestProperties()
    properties.set_option("notruncation", True)
    rows = kusto(url).execute("spoor", "Events", properties).primary_results[0]
    assert len(rows) == ROWS, len(rows)


def test_kusto_commands(url):
    client = kusto(url)
    answer = client.execute_mgmt("", ".show databases").primary_results[0]
    assert [row["DatabaseName"] for row in answer] == ["spoor"], answer
    answer = client.execute("spoor", ".show tables").primary_results[0]
    assert [row["TableName"] for row in answer] == ["Events"], answer
    schema = client.execute("spoor", ".show database spoor schema as json").primary_results[0][0][0]
    assert '"CslType":"datetime"' in schema, schema
    assert client.execute("spoor", ".show version").primary_results[0][0]["ServiceType"] == "Engine"


def test_kusto_asks_where_to_sign_in(url):
    from azure.kusto.data._cloud_settings import CloudSettings

    assert CloudSettings.get_cloud_info_for_cluster(url).login_endpoint.startswith("https://login.")


def test_strangers_are_refused(url):
    from azure.core.exceptions import HttpResponseError
    from azure.kusto.data.exceptions import KustoServiceError

    with raises(KustoServiceError) as held:
        kusto(url, "a guess").execute("spoor", "Events")
    assert held[0].get_raw_http_response().status_code == 401, held[0]
    with raises(HttpResponseError) as held:
        logs(url, "a guess").query_workspace("spoor", "Events", timespan=None)
    assert held[0].status_code == 401, held[0]


def test_logs_types(url):
    table = logs(url).query_workspace("spoor", TYPES, timespan=None).tables[0]
    assert dict(zip(table.columns, table.columns_types))["m"] == "decimal", table.columns_types
    row = dict(zip(table.columns, table.rows[0]))
    assert row["t"] == datetime.datetime(2024, 2, 3, 4, 5, 6, 123456, datetime.timezone.utc), row
    assert row["b"] is True and row["m"] == "12.5" and row["d"] == '{"a":[1,"x"]}', row
    assert row["g"] == "00112233-4455-6677-8899-aabbccddeeff" and row["p"] == "1.02:00:00.5000000", row
    assert (row["i"], row["l"], row["r"], row["s"]) == (7, 9007199254740993, 1.5, 'é"'), row
    assert row["n"] is None and row["x"] == "NaN", row


def test_logs_render_and_statistics(url):
    query = "Events | summarize n = count() by User | render barchart with (ycolumns=n)"
    answer = logs(url).query_workspace(
        "spoor", query, timespan=None, include_visualization=True, include_statistics=True
    )
    assert answer.visualization["visualization"] == "barchart", answer.visualization
    assert answer.visualization["yColumns"] == ["n"], answer.visualization
    assert answer.statistics["query"]["executionTime"] > 0, answer.statistics


def test_logs_timespan(url):
    day = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    minutes = datetime.timedelta(minutes=9)
    count = "Events | count"
    for span, wanted in [((day, minutes), 10), ((day, day + minutes), 10), (datetime.timedelta(days=1), 0), (None, ROWS)]:
        answer = logs(url).query_workspace("spoor", count, timespan=span)
        assert answer.tables[0].rows[0][0] == wanted, (span, answer.tables[0].rows)


def test_logs_errors(url):
    from azure.core.exceptions import HttpResponseError

    for query, code in [(WRONG, "SyntaxError"), (UNKNOWN, "SemanticError")]:
        with raises(HttpResponseError) as held:
            logs(url).query_workspace("spoor", query, timespan=None)
        inner = held[0].response.json()["error"]["innererror"]
        assert held[0].status_code == 400 and inner["code"] == code, inner
        assert inner["innererror"]["line"] == 2, inner
        assert "BadArgumentError" in str(held[0]), held[0]
    with raises(HttpResponseError) as held:
        logs(url).query_workspace("nowhere", "Events", timespan=None)
    assert held[0].status_code == 404 and "nowhere" in str(held[0]), held[0]


def test_logs_cut(url):
    from azure.monitor.query import LogsQueryPartialResult

    answer = logs(url).query_workspace("spoor", "Events", timespan=None)
    assert isinstance(answer, LogsQueryPartialResult), answer
    assert len(answer.partial_data[0].rows) == LIMIT, len(answer.partial_data[0].rows)
    assert answer.partial_error.code == "PartialError", answer.partial_error


def test_logs_batch(url):
    from azure.monitor.query import LogsBatchQuery, LogsQueryError

    asked = [LogsBatchQuery("spoor", query, timespan=None) for query in ["Events | count", WRONG, "print 1"]]
    first, second, third = logs(url).query_batch(asked)
    assert first.tables[0].rows[0][0] == ROWS, first
    assert isinstance(second, LogsQueryError) and second.code == "BadArgumentError", second
    assert third.tables[0].rows[0][0] == 1, third


def test_cancelling(url):
    from azure.kusto.data import ClientRequestProperties
    from azure.kusto.data.exceptions import KustoServiceError

    properties = ClientRequestProperties()
    properties.client_request_id = "hunt;1"
    told = []

    def ask():
        with raises(KustoServiceError) as held:
            kusto(url).execute("spoor", ENDLESS, properties)
        told.append(str(held[0]))

    asking = threading.Thread(target=ask)
    asking.start()
    client = kusto(url)
    for _ in range(100):
        time.sleep(0.1)
        with contextlib.suppress(KustoServiceError):
            client.execute_mgmt("spoor", '.cancel query "hunt;1"')
            break
    else:
        raise AssertionError("the query was never there to be cancelled")
    asking.join(30)
    assert told and "E_QUERY_CANCELLED" in told[0], told


def test_who_goes_away_stops_the_query(url):
    """The server runs two queries at once. While two run without end nothing else does; when their clients are gone, all is free."""
    from azure.core.exceptions import HttpResponseError

    with contextlib.ExitStack() as stack:
        asking = [sys.executable, __file__, "--ask", url]
        children = [stack.enter_context(subprocess.Popen(asking, stdout=subprocess.PIPE)) for _ in range(2)]
        for child in children:
            stack.callback(child.kill)
            assert child.stdout.readline() == b"asking\n"
        time.sleep(3)
        with raises(HttpResponseError) as held:
            logs(url).query_workspace("spoor", "print 1", timespan=None, server_timeout=1)
        assert held[0].status_code == 504, held[0]
        for child in children:
            child.kill()
    begun = time.monotonic()
    answer = logs(url).query_workspace("spoor", "print 1", timespan=None, server_timeout=20)
    assert answer.tables[0].rows[0][0] == 1, answer
    assert time.monotonic() - begun < 15, "the queries of clients that have gone go on"


def ask_for_ever(url):
    client = kusto(url)
    print("asking", flush=True)
    client.execute("spoor", ENDLESS)


def main(spoor):
    with serving.prepared() as folder, serving.served(spoor, folder) as url:
        serving.run(globals(), url)


if __name__ == "__main__":
    if sys.argv[1] == "--ask":
        ask_for_ever(sys.argv[2])
    else:
        main(sys.argv[1])
