"""What azure-monitor-query and pandas take for an answer of Log Analytics: from the service's bytes to a frame.

    python logs_to_pandas.py ROWS BODY

The client is the package's own, whose transport answers with BODY out of memory, and the frame is made as its documentation does. Prints the
seconds of one run.
"""

import io
import sys
import time

import pandas
import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.monitor.query import LogsQueryClient, LogsQueryResult
from urllib3 import HTTPResponse


class Recorded(requests.adapters.BaseAdapter):
    """Answers each request with the same bytes."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def send(self, request, **options):
        response = requests.Response()
        response.status_code = 200
        response.headers["Content-Type"] = "application/json"
        response.request, response.url = request, request.url
        response.raw = HTTPResponse(io.BytesIO(self.body), status=200, preload_content=False)
        return response

    def close(self):
        pass


class Anyone:
    """A credential that has its token already."""

    def get_token(self, *scopes, **options):
        return AccessToken("none", int(time.time()) + 3600)


def main(rows, path):
    with open(path, "rb") as file:
        body = file.read()
    session = requests.Session()
    session.mount("https://", Recorded(body))
    transport = RequestsTransport(session=session, session_owner=False)
    client = LogsQueryClient(Anyone(), transport=transport)
    begun = time.perf_counter()
    response = client.query_workspace("recorded", "Recorded", timespan=None)
    assert isinstance(response, LogsQueryResult), response
    (table,) = response.tables
    frame = pandas.DataFrame(data=table.rows, columns=table.columns)
    print(time.perf_counter() - begun)
    assert frame.shape == (rows, 11), frame.shape


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
