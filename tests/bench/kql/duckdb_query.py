"""DuckDB on the same files: runs SQL over a folder of Parquet files, or holds an answer of its own against Spoor's.

    python duckdb_query.py time FOLDER QUERY.sql
    python duckdb_query.py same FOLDER QUERY.sql ANSWER.json

The first prints the seconds from opening an empty database to the rows in Python; starting Python and importing DuckDB are not in them. The
second wants an answer that `spoor query --format json` wrote, and fails with the first row that differs. Rows are compared without their
order, by the columns that SQL has.
"""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

import duckdb


def rows(folder, query):
    """The names of the columns, and the rows."""
    with duckdb.connect() as database:
        for file in sorted(folder.glob("*.parquet")):
            database.execute(f"CREATE VIEW {file.stem} AS FROM read_parquet('{file}')")
        cursor = database.execute(query)
        return [column[0] for column in cursor.description], cursor.fetchall()


def plain(value):
    """A value as both write it: JSON in text is read, times are to the microsecond, and numbers are to nine digits."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def read(value, type_name):
    """A value of Spoor's answer, by its type there."""
    if value is not None and type_name == "datetime":
        whole, _, fraction = value.rstrip("Z").partition(".")
        return f"{whole}.{fraction[:6]:0<6}"
    if type_name == "dynamic" and isinstance(value, str):
        return json.loads(value)
    return plain(value)


def ordered(table):
    return sorted(table, key=lambda row: json.dumps(row))


def compare(names, theirs, answer):
    types = {column["name"]: (place, column["type"]) for place, column in enumerate(answer["columns"])}
    if missing := [name for name in names if name not in types]:
        raise SystemExit(f"Spoor's answer has no {', '.join(missing)}: it has {', '.join(types)}")
    wanted = [types[name] for name in names]
    ours = ordered([read(row[place], type_name) for place, type_name in wanted] for row in answer["rows"])
    theirs = ordered([plain(value) for value in row] for row in theirs)
    if len(ours) != len(theirs):
        raise SystemExit(f"Spoor has {len(ours)} rows, DuckDB {len(theirs)}")
    if not ours:
        raise SystemExit("neither has rows: such a query compares nothing")
    for one, other in zip(ours, theirs):
        if one != other:
            raise SystemExit(f"Spoor has {one}\nDuckDB has {other}")


def main(task, folder, query, *answer):
    text = Path(query).read_text()
    begun = time.perf_counter()
    names, found = rows(Path(folder), text)
    if task == "time":
        print(time.perf_counter() - begun)
    else:
        compare(names, found, json.loads(Path(answer[0]).read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])
