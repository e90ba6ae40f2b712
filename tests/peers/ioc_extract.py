"""ioc_extract.py CSV ROWS: how many rows a second MSTICPy's IoCExtract reads, of a file's first rows and its column Text.

Reading the file, importing, and a first call that compiles its patterns are not counted."""

import sys
import time

import pandas
import tldextract

# The list of suffixes that comes with the package, not one from the network.
bundled = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
bundled("example.com")
tldextract.extract = bundled

from msticpy.transform.iocextract import IoCExtract  # noqa: E402

path, rows = sys.argv[1], int(sys.argv[2])
frame = pandas.read_csv(path, nrows=rows, dtype=str, keep_default_na=False)
extract = IoCExtract()
extract.extract(src="192.0.2.1 example.com")
began = time.perf_counter()
found = extract.extract(data=frame, columns=["Text"], include_paths=True)
seconds = time.perf_counter() - began
if found.empty:
    sys.exit("nothing was found")
print(len(frame) / seconds)
