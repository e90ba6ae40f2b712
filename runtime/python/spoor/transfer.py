"""Tables across the door: columns as raw buffers to and from pandas, with no JSON per cell.

`decode` makes the frame of a query's result; `encode` makes a table of a frame that is handed
to KQL. The header is described in `runtime/table/src/pandas.rs`: fixed-width values, UTF-8 text
with offsets, or a dictionary of distinct texts with codes.
"""

import datetime
import decimal
import json
import uuid

import numpy as np
import pandas as pd

FIXED = {"bool": np.uint8, "int": np.int32, "long": np.int64, "real": np.float64}
NULLABLE = {"int": pd.arrays.IntegerArray, "long": pd.arrays.IntegerArray, "bool": pd.arrays.BooleanArray}
MAX_TEXT = 2**31 - 1  # bytes of text in one column


def decode(header, buffers):
    """The DataFrame of a table's header and buffers."""
    rows = header["rows"]
    columns = {}
    for position, column in enumerate(header["columns"]):
        columns[position] = _decode_column(column, rows, buffers)
    frame = pd.DataFrame(columns, index=pd.RangeIndex(rows), copy=False)
    frame.columns = [column["name"] for column in header["columns"]]
    return frame


def _decode_column(column, rows, buffers):
    kind = column["type"]
    if column["encoding"] != "fixed":
        texts = _texts(column, rows, buffers)
        return _from_texts(kind, texts)
    data = buffers[column["data"]]
    if kind in ("datetime", "timespan"):
        unit = column["unit"]
        values = np.frombuffer(data, dtype=np.int64, count=rows).copy()
        if kind == "timespan":
            return pd.Series(values.view(f"m8[{unit}]"), copy=False)
        return pd.Series(values.view(f"M8[{unit}]"), copy=False).dt.tz_localize("UTC")
    values = np.frombuffer(data, dtype=FIXED[kind], count=rows).copy()
    if kind == "bool":
        values = values.view(np.bool_)
    validity = column.get("validity")
    if validity is None:
        return pd.Series(values, copy=False)
    missing = np.frombuffer(buffers[validity], dtype=np.uint8, count=rows) == 0
    if kind == "real":
        values[missing] = np.nan
        return pd.Series(values, copy=False)
    return pd.Series(NULLABLE[kind](values, missing), copy=False)


def _texts(column, rows, buffers):
    """An object array of str, None where there is no value."""
    if column["encoding"] == "dictionary":
        distinct = _split(buffers[column["offsets"]], buffers[column["data"]])
        codes = np.frombuffer(buffers[column["codes"]], dtype=np.int32, count=rows)
        # Code -1, which means null, takes the last.
        return np.append(distinct, None)[codes]
    texts = _split(buffers[column["offsets"]], buffers[column["data"]])[:rows]
    validity = column.get("validity")
    if validity is not None:
        texts[np.frombuffer(buffers[validity], dtype=np.uint8, count=rows) == 0] = None
    return texts


def _split(offsets, data):
    """The texts that lie end to end in `data`, as an object array."""
    at = np.frombuffer(offsets, dtype=np.int32)
    text = bytes(data).decode("utf-8")
    if len(text) != len(data):
        # Offsets count bytes; count the characters that begin before each.
        starts = (np.frombuffer(data, dtype=np.uint8) & 0xC0) != 0x80
        at = np.concatenate(([0], np.cumsum(starts)))[at]
    ends = at.tolist()
    texts = np.empty(max(len(ends) - 1, 0), dtype=object)
    texts[:] = [text[a:b] for a, b in zip(ends, ends[1:])]
    return texts


def _from_texts(kind, texts):
    if kind == "dynamic":
        return pd.Series(_objects(texts), dtype=object, copy=False)
    if kind == "decimal":
        values = [None if text is None else decimal.Decimal(text) for text in texts]
        return pd.Series(values, dtype=object)
    return pd.Series(texts, dtype="str", copy=False)


def _objects(texts):
    out = np.empty(len(texts), dtype=object)
    loads = json.loads
    for i, text in enumerate(texts):
        if text is not None:
            out[i] = loads(text)
    return out


def encode(frame):
    """`(header, buffers)` of a DataFrame. A named index becomes columns, another is dropped."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"a table cannot have two columns named {twice[0]!r}; rename one of them")
    buffers = []
    columns = []
    for position, name in enumerate(names):
        try:
            column = _encode_column(frame.iloc[:, position], buffers)
        except (TypeError, ValueError, OverflowError) as error:
            raise type(error)(f"column {name!r}: {error}") from None
        columns.append({"name": name, **column})
    return {"rows": len(frame), "columns": columns}, buffers


def _encode_column(series, buffers):
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        series = series.astype(dtype.categories.dtype)
        dtype = series.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return _fixed("bool", series, np.uint8, False, buffers)
    if pd.api.types.is_integer_dtype(dtype):
        small = dtype.itemsize < 4 or (dtype.itemsize == 4 and not pd.api.types.is_unsigned_integer_dtype(dtype))
        if pd.api.types.is_unsigned_integer_dtype(dtype) and dtype.itemsize == 8 and series.max() > 2**63 - 1:
            return _utf8("decimal", [None if pd.isna(v) else str(v) for v in series], buffers)
        return _fixed("int" if small else "long", series, np.int32 if small else np.int64, 0, buffers)
    if pd.api.types.is_float_dtype(dtype):
        return _reals(series.to_numpy(dtype=np.float64, na_value=np.nan), buffers)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        if getattr(dtype, "tz", None) is not None:
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return _ticks("datetime", series, "M8", buffers)
    if pd.api.types.is_timedelta64_dtype(dtype):
        return _ticks("timespan", series, "m8", buffers)
    return _encode_objects(series, buffers)


def _encode_objects(series, buffers):
    """A column of strings or of any objects, by what is in it."""
    found = pd.api.types.infer_dtype(series, skipna=True)
    missing = series.isna().to_numpy()
    values = series.to_numpy(dtype=object)
    if found in ("string", "empty"):
        return _utf8("string", [None if gone else v for v, gone in zip(values, missing)], buffers)
    if found == "boolean":
        return _fixed("bool", series.astype("boolean"), np.uint8, False, buffers)
    if found == "integer":
        return _fixed("long", series.astype("Int64"), np.int64, 0, buffers)
    if found in ("floating", "mixed-integer-float"):
        return _reals(series.astype(float).to_numpy(), buffers)
    if found in ("datetime", "datetime64", "date"):
        times = pd.to_datetime(series, utc=True).dt.tz_localize(None)
        return _ticks("datetime", times, "M8", buffers)
    if found in ("timedelta", "timedelta64"):
        return _ticks("timespan", pd.to_timedelta(series), "m8", buffers)
    if found == "decimal":
        return _utf8("decimal", [None if gone else str(v) for v, gone in zip(values, missing)], buffers)
    present = [v for v in values if v is not None]
    if present and all(isinstance(v, uuid.UUID) for v in present):
        return _utf8("guid", [None if v is None else str(v) for v in values], buffers)
    return _utf8("dynamic", [_json(v) for v in values], buffers)


def _json(value):
    if value is None or (isinstance(value, float) and value != value):
        return None
    return json.dumps(value, ensure_ascii=False, default=_json_default)


def _json_default(value):
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.ndarray, pd.Series, pd.Index)):
        return value.tolist()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def _fixed(kind, series, dtype, filler, buffers):
    missing = series.isna().to_numpy()
    validity = None
    if missing.any():
        validity = _add((~missing).astype(np.uint8), buffers)
        values = series.to_numpy(dtype=dtype, na_value=filler)
    else:
        values = series.to_numpy(dtype=dtype)
    return {"type": kind, "encoding": "fixed", "data": _add(values, buffers), "validity": validity}


def _reals(values, buffers):
    """pandas writes NaN for what is missing, so it is null in Kusto."""
    missing = np.isnan(values)
    validity = _add((~missing).astype(np.uint8), buffers) if missing.any() else None
    return {"type": "real", "encoding": "fixed", "data": _add(values, buffers), "validity": validity}


def _ticks(kind, series, family, buffers):
    unit = np.datetime_data(series.to_numpy().dtype)[0]
    if unit not in ("ns", "us"):
        unit = "us"
    values = series.to_numpy().astype(f"{family}[{unit}]").view(np.int64)
    return {"type": kind, "encoding": "fixed", "unit": unit, "data": _add(values, buffers)}


def _utf8(kind, texts, buffers):
    missing = np.fromiter((text is None for text in texts), dtype=bool, count=len(texts))
    texts = texts if not missing.any() else ["" if text is None else text for text in texts]
    data, ends = _joined(texts)
    if len(data) > MAX_TEXT:
        raise OverflowError("its text is over 2 GiB; hand over fewer rows")
    column = {"type": kind, "encoding": "utf8", "offsets": _add(ends.astype(np.int32), buffers)}
    column["data"] = _add(data, buffers)
    column["validity"] = _add((~missing).astype(np.uint8), buffers) if missing.any() else None
    return column


def _joined(texts):
    """The texts end to end in UTF-8, and the n + 1 offsets at which they begin and end."""
    # A joined run is encoded at once and the ends found by their separator, which is four times
    # faster than encoding each; unless a text has a NUL of its own.
    ends = np.zeros(len(texts) + 1, dtype=np.int64)
    data = np.frombuffer("\0".join(texts).encode("utf-8", "replace"), dtype=np.uint8)
    at = np.flatnonzero(data == 0)
    if len(texts) and len(at) == len(texts) - 1:
        ends[1:-1] = at - np.arange(len(at))
        ends[-1] = len(data) - len(at)
        return data[data != 0], ends
    parts = [text.encode("utf-8", "replace") for text in texts]
    np.cumsum([len(part) for part in parts], out=ends[1:])
    return np.frombuffer(b"".join(parts), dtype=np.uint8), ends


def _add(values, buffers):
    buffers.append(np.ascontiguousarray(values) if isinstance(values, np.ndarray) else values)
    return len(buffers) - 1
