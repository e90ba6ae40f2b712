"""MSTICPy's drivers against `spoor serve --api`: QueryProvider for Microsoft Sentinel and for Kusto, as PyPI has them.

    python msticpy_drivers.py SPOOR

MSTICPy is told of the server as its users tell it of a cloud of their own: in msticpyconfig.yaml, and in a connection string.
"""

import contextlib
import datetime
import io
import logging
import os
import sys
import warnings

import serving
from serving import ENDLESS, LIMIT, ROWS, TOKEN, TYPES, UNKNOWN, WRONG, Static, raises

# MSTICPy knows workspaces and tenants by GUIDs alone.
WORKSPACE = "5f0ab2c4-1d3e-4f60-8a7b-9c0d1e2f3a4b"
TENANT = "00000000-0000-0000-0000-000000000001"

START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)


def sentinel(token=TOKEN):
    from msticpy.data import QueryProvider

    provider = QueryProvider("MSSentinel")
    where = f"loganalytics://code().tenant('{TENANT}').workspace('{WORKSPACE}')"
    # It prints that it is connected.
    with contextlib.redirect_stdout(io.StringIO()):
        provider.connect(where, credential=Static(token))
    return provider


def kusto(url, token=TOKEN):
    from msticpy.data import QueryProvider

    provider = QueryProvider("Kusto")
    provider.connect(connection_str=f"Data Source={url};AAD Federated Security=True;Application Token={token}", database=WORKSPACE)
    return provider


def failure(ask, *about, **options):
    """What MSTICPy says of a query that has to fail, as one text."""
    from msticpy.common.exceptions import MsticpyDataQueryError

    with raises(MsticpyDataQueryError) as held:
        ask(*about, **options)
    return "\n".join(str(part) for part in held[0].args)


def test_sentinel_driver_is_azure_monitor_s(url):
    provider = sentinel()
    assert type(provider._query_provider).__name__ == "AzureMonitorDriver"
    assert provider._query_provider.url_endpoint == f"{url}/v1", provider._query_provider.url_endpoint


def test_sentinel_types(url):
    frame = sentinel().exec_query(TYPES)
    types = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert (types["b"], types["i"], types["l"], types["r"]) == ("bool", "int64", "int64", "float64"), types
    assert types["t"].startswith("datetime64[ns, "), types
    row = frame.iloc[0]
    # The client reads times as Python's own, which have microseconds.
    assert row["t"] == datetime.datetime(2024, 2, 3, 4, 5, 6, 123456, datetime.timezone.utc), row["t"]
    assert row["l"] == 9007199254740993 and row["s"] == 'é"' and row["m"] == "12.5", row
    assert row["d"] == '{"a":[1,"x"]}' and row["p"] == "1.02:00:00.5000000" and row["n"] is None, row


def test_sentinel_built_in_query(url):
    provider = sentinel()
    asked = {"start": START, "end": START + 2 * HOUR}
    by_account = provider.Azure.list_aad_signins_for_account(account_name="user3@contoso.example", **asked)
    assert by_account["UserPrincipalName"].unique().tolist() == ["user3@contoso.example"], by_account
    assert len(by_account) == 24, len(by_account)
    by_address = provider.Azure.list_aad_signins_for_ip(
        ip_address_list=["10.0.0.1", "10.0.0.2"], add_query_items="| summarize n = count() by IPAddress", **asked
    )
    assert sorted(by_address["IPAddress"]) == ["10.0.0.1", "10.0.0.2"] and by_address["n"].sum() == 48, by_address


def test_sentinel_time_span(url):
    span = {"start": START, "end": START + datetime.timedelta(minutes=9)}
    frame = sentinel().exec_query("Events | count", time_span=span)
    assert frame["Count"].tolist() == [10], frame


def test_sentinel_errors(url):
    provider = sentinel()
    assert "SyntaxError" in failure(provider.exec_query, WRONG)
    told = failure(provider.exec_query, UNKNOWN)
    assert "SemanticError" in told and "Nobody" in told, told
    assert "AuthorizationRequiredError" in failure(sentinel("a guess").exec_query, "Events")


def test_sentinel_partial_results(url):
    provider = sentinel()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        frame = provider.exec_query("Events")
    assert len(frame) == LIMIT, len(frame)
    assert any("Partial results" in str(one.message) for one in told), told
    assert "Partial results" in failure(provider.exec_query, "Events", fail_on_partial=True)


def test_kusto_driver_is_azure_kusto_s(url):
    assert type(kusto(url)._query_provider).__name__ == "AzureKustoDriver"


def test_kusto_types(url):
    frame = kusto(url).exec_query(TYPES)
    types = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert types == {
        "b": "bool",
        "t": "datetime64[ns, UTC]",
        "m": "Float64",
        "d": "object",
        "g": "object",
        "i": "Int32",
        "l": "Int64",
        "r": "Float64",
        "s": "object",
        "p": "timedelta64[ns]",
        "n": "Int32",
        "x": "Float64",
    }, types
    row = frame.iloc[0]
    assert row["t"].isoformat() == "2024-02-03T04:05:06.123456700+00:00", row["t"]
    assert row["l"] == 9007199254740993 and row["m"] == 12.5 and row["d"] == {"a": [1, "x"]}, row
    assert row["p"] == datetime.timedelta(days=1, hours=2, milliseconds=500), row["p"]


def test_kusto_rows_and_what_they_took(url):
    driver = kusto(url)._query_provider
    frame, status = driver.query_with_results("Events | where User == 'user3' | sort by N asc")
    assert len(frame) == ROWS // 5 and frame["N"].tolist()[:2] == [3, 8], frame
    assert status["QueryInfo"]["Text"] == "Query completed successfully", status
    assert status["QueryResourceConsumption"]["ExecutionTime"] > 0, status


def test_kusto_tells_its_tables(url):
    provider = kusto(url)
    assert provider.get_database_names() == [WORKSPACE]
    assert provider.schema["Events"] == {"TimeGenerated": "DateTime", "User": "String", "N": "Int64"}, provider.schema


def test_kusto_query_of_one_s_own(url):
    provider = kusto(url)
    query = "Events | where TimeGenerated between (datetime({start}) .. datetime({end})) | where User == '{user}' | count"
    parameters = [provider.create_param("user", "str")]
    parameters += [provider.create_param(name, "datetime") for name in ["start", "end"]]
    provider.add_custom_query(name="events_of", query=query, family="Hunts", parameters=parameters)
    frame = provider.Hunts.events_of(user="user3", start=START, end=START + HOUR, database=WORKSPACE)
    assert frame["Count"].tolist() == [12], frame


def test_kusto_errors(url):
    provider = kusto(url)
    told = failure(provider.exec_query, WRONG)
    assert "Syntax error" in told and "[line:position=2:" in told and "General_BadRequest" in told, told
    assert "Semantic error" in failure(provider.exec_query, UNKNOWN)
    assert "nowhere" in failure(provider.exec_query, "Events", database="nowhere")
    assert "401" in failure(kusto(url, "a guess").exec_query, "Events")


def test_kusto_cut(url):
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in failure(kusto(url).exec_query, "Events")


def test_kusto_time_limit(url):
    assert "timeout" in failure(kusto(url).exec_query, ENDLESS, timeout=1).lower()


def sign_ins(folder):
    """A sign-in a minute, with the columns that MSTICPy's own queries ask for."""
    lines = ["TimeGenerated,UserPrincipalName,UserId,IPAddress"]
    for at in range(ROWS):
        when = (START + at * datetime.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines.append(f"{when},user{at % 5}@contoso.example,id-{at % 5},10.0.0.{at % 5}")
    (folder / "SigninLogs.csv").write_text("\n".join(lines) + "\n")


def configure(folder, url):
    """MSTICPy's configuration, which names the server as a cloud."""
    file = folder / "msticpyconfig.yaml"
    file.write_text(f"Azure:\n  resource_manager_url: {url}\nMSSentinel:\n  Workspaces: {{}}\n")
    os.environ["MSTICPYCONFIG"] = str(file)


def main(spoor):
    with serving.prepared() as folder:
        sign_ins(folder)
        with serving.served(spoor, folder, WORKSPACE) as url:
            configure(folder, url)
            # It writes down each error with its whole stack; here they are wanted. And azure-kusto-data calls pandas as that once was.
            logging.disable(logging.ERROR)
            warnings.simplefilter("ignore", FutureWarning)
            serving.run(globals(), url)


if __name__ == "__main__":
    main(sys.argv[1])
