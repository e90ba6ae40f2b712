"""What the tests of Microsoft's clients share: a certificate, data, and `spoor serve --api` over them, with TLS and tokens.

The clients themselves are imported when a test asks: some read their configuration, which names the server, on import.
"""

import contextlib
import datetime
import hashlib
import ipaddress
import os
import pathlib
import subprocess
import tempfile
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOKEN = "not much of a secret"
ROWS = 1000
LIMIT = 600

# Longer than any test, and it pauses: the engine makes a range in slices.
ENDLESS = "range n from 1 to 1000000000000 step 1 | summarize sum(n)"

TYPES = """print b = true, t = datetime(2024-02-03 04:05:06.1234567), m = decimal(12.5), d = dynamic({"a": [1, "x"]}),
g = guid(00112233-4455-6677-8899-aabbccddeeff), i = int(7), l = 9007199254740993, r = 1.5, s = 'é"',
p = 1d + 2h + 500ms, n = int(null), x = real(nan)"""

WRONG = "Events\n| wheer User == 'x'"
UNKNOWN = "Events\n| where Nobody == 'x'"


class Static:
    """A credential that has its token already."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **options):
        from azure.core.credentials import AccessToken

        return AccessToken(self.token, int(time.time()) + 3600)


@contextlib.contextmanager
def raises(*kinds):
    """Holds the error that the block has to raise."""
    held = []
    try:
        yield held
    except kinds as error:
        held.append(error)
    assert held, f"nothing raised {kinds}"


def certify(folder):
    """A certificate that signs itself, and its key, with what the clients' own packages bring."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "spoor")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=2))
    made = made.add_extension(address, critical=False).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))


def make(folder):
    """A certificate for this machine's own address, who may ask, and data: an event a minute."""
    certify(folder)
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    (folder / "tokens").write_text(f"# who may ask\ntest {digest}\n")
    start = datetime.datetime(2024, 1, 1)
    times = [start + datetime.timedelta(minutes=at) for at in range(ROWS)]
    lines = [f"{when.isoformat()}Z,user{at % 5},{at}" for at, when in enumerate(times)]
    (folder / "Events.csv").write_text("TimeGenerated,User,N\n" + "\n".join(lines) + "\n")


@contextlib.contextmanager
def served(spoor, folder, name="spoor", is_guarded=True):
    """The address of a server over the folder's tables, which clients know by `name`; unguarded, it asks for no token."""
    command = [spoor, "serve", "--api", "--port", "0", "--api-name", name, "--api-rows", str(LIMIT)]
    for table in sorted(folder.glob("*.csv")):
        command += ["--data", table]
    command += ["--tls-cert", folder / "cert.pem", "--tls-key", folder / "key.pem"]
    if is_guarded:
        command += ["--api-tokens", folder / "tokens"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            assert line.startswith("The API is at https://"), line
            yield line.split()[-1]
        finally:
            server.terminate()
            server.wait(10)


@contextlib.contextmanager
def prepared():
    """A folder with what `make` makes, which is the user's home as well, and a certificate that every client trusts."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make(folder)
        os.environ["HOME"] = str(folder)
        for name in ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]:
            os.environ[name] = str(folder / "cert.pem")
        yield folder


def run(tests, *about):
    """Runs the functions of a module that are tests, each with `about`."""
    tests = [test for name, test in tests.items() if name.startswith("test_")]
    for test in tests:
        test(*about)
        print(f"    {test.__name__[5:].replace('_', ' ')}", flush=True)
    print(f"{len(tests)} tests passed")
