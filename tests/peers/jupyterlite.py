"""JupyterLite in a folder, with what its Python needs beside it, so that a page of it runs offline.

    python tests/peers/jupyterlite.py --pyodide DIR --out DIR

Runs in an environment with `jupyterlite-requirements.txt`. DIR of `--pyodide` is npm's package, which has the
interpreter without packages; those that the kernel loads are fetched from PyPI in the versions of
Pyodide's lock file, as wheels of pure Python. pandas and numpy are not among them: their builds for
Pyodide are on no package registry. `site` below DIR of `--out` is what a server is to serve; it has the notebook `first.ipynb`.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

# What the kernel's worker installs before the first cell, with what these need.
ROOTS = ["micropip", "ipython", "jedi"]
# Of what they need, what Pyodide's lock file does not have.
FURTHER = ["comm==0.2.3"]
INTERPRETER = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip", "package.json"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pyodide", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    options = arguments.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    work = options.out / "work"
    interpreter = work / "static" / "pyodide"
    interpreter.mkdir(parents=True)
    for name in INTERPRETER:
        shutil.copy(options.pyodide / name, interpreter / name)
    supply(interpreter)
    site = (options.out / "site").resolve()
    run([str(Path(sys.executable).with_name("jupyter-lite")), "build", "--output-dir", str(site)], cwd=work)
    contents(site)


def supply(interpreter):
    """Puts the kernel's packages beside the interpreter, and their names and digests into its lock file."""
    lock = interpreter / "pyodide-lock.json"
    locked = json.loads(lock.read_text())
    packages = locked["packages"]
    names = closure(packages, ROOTS)
    wanted = [f"{packages[name]['name']}=={packages[name]['version']}" for name in names] + FURTHER
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    target = ["--only-binary=:all:", "--python-version", "3.14", "--implementation", "py", "--abi", "none", "--platform", "any"]
    run([*pip, *target, "--dest", str(interpreter), *wanted])
    for wheel in interpreter.glob("*.whl"):
        name, version = wheel.name.split("-")[:2]
        key = canonical(name)
        package = packages.setdefault(key, {"depends": [], "imports": [key], "install_dir": "site", "name": key,
                                            "package_type": "package", "unvendored_tests": False})
        package.update(file_name=wheel.name, version=version, sha256=hashlib.sha256(wheel.read_bytes()).hexdigest())
    lock.write_text(json.dumps(locked))


def closure(packages, roots):
    """The names of packages in the lock file, and of what they depend on."""
    found = []
    waiting = [canonical(name) for name in roots]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += [canonical(other) for other in packages[name]["depends"]]
    return found


def canonical(name):
    return name.lower().replace("_", "-")


def contents(site):
    """The notebooks that the pages offer: the listing that `jupyter lite` makes of a folder, by hand."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": [], "source": "print(1 + 1)"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    files = site / "files"
    files.mkdir(exist_ok=True)
    (files / "first.ipynb").write_text(json.dumps(notebook))
    listing = site / "api" / "contents"
    listing.mkdir(parents=True, exist_ok=True)
    entry = {"type": "notebook", "format": None, "mimetype": None, "content": None, "size": None, "writable": True,
             "created": "2026-01-01T00:00:00Z", "last_modified": "2026-01-01T00:00:00Z"}
    entries = [{**entry, "name": name, "path": name} for name in ("first.ipynb", "saved.ipynb")]
    folder = {**entry, "type": "directory", "name": "", "path": "", "format": "json", "content": entries}
    (listing / "all.json").write_text(json.dumps(folder))
    settings = site / "jupyter-lite.json"
    configuration = json.loads(settings.read_text())
    configuration["jupyter-config-data"]["contentsAllJsonFile"] = "all.json"
    settings.write_text(json.dumps(configuration))


def run(command, **options):
    subprocess.run(command, check=True, stdout=sys.stderr, **options)


if __name__ == "__main__":
    main()
