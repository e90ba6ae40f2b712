"""Compiles the Python sources under /stage into one archive, /out/spoor-site.zip.

Runs inside the guest at set-up, since only it has the right compiler. Members are bytecode with
no date in them, in a fixed order, so the same sources give the same archive. Sources are left
out: what reads them (`inspect.getsource` of a package) finds none, as in the standard library's
own archive.
"""

import importlib.util
import marshal
import os
import zipfile

KEEP = (".json", ".txt", ".typed", ".css", ".js", ".html", ".tpl", ".rst")


def compiled(path, name):
    with open(path, "rb") as file:
        source = file.read()
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    # PEP 552: flags 1 is a hash-based file whose source is never looked at.
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8) + marshal.dumps(code)


def main(stage="/stage", out="/out/spoor-site.zip"):
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, folders, files in os.walk(stage):
            folders.sort()
            for file in sorted(files):
                path = os.path.join(folder, file)
                name = os.path.relpath(path, stage)
                if file.endswith(".py"):
                    data, name = compiled(path, f"/usr/local/lib/spoor-site.zip/{name}"), name + "c"
                elif file in ("METADATA", "entry_points.txt") or file.endswith(KEEP):
                    with open(path, "rb") as source:
                        data = source.read()
                else:
                    continue
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, data)


main()
