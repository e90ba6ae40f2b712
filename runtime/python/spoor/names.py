"""Which names a cell reads and writes, so that the kernel can mark other cells as stale.

Found from the cell's syntax tree, never by running it. A name counts as read if the cell uses
it before giving it a value; changing part of a value (`df["x"] = 1`, `inplace=True`) both reads and writes it.
"""

import ast
import builtins

OWN = frozenset("get_ipython display exit quit In Out _ __ ___ _i _ii _iii _ih _oh _dh kql spoor".split())
BUILTINS = frozenset(dir(builtins)) | OWN
TIMED = ("time", "timeit", "prun", "capture")  # magics whose text is code of the cell


def of(code, transform=None):
    """`(reads, writes)`, sorted lists of names. Code that does not parse has neither."""
    finder = _Finder(transform)
    finder.code(code)
    finder.later()
    return sorted(finder.reads - BUILTINS), sorted(finder.writes)


class _Finder(ast.NodeVisitor):
    def __init__(self, transform):
        self.transform = transform
        self.reads = set()
        self.writes = set()
        self._bodies = []

    def code(self, text):
        try:
            tree = ast.parse(self.transform(text) if self.transform else text)
        except (SyntaxError, ValueError):
            return
        for statement in tree.body:
            self.visit(statement)

    def later(self):
        """Bodies of functions run after the cell's own statements: what those gave a value to
        is not read from other cells."""
        for reads in self._bodies:
            self.reads |= reads - self.writes

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        else:
            self.writes.add(node.id)

    def _read(self, name):
        if name not in self.writes:
            self.reads.add(name)

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            self._target(target)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)
            self._target(node.target)

    def visit_AugAssign(self, node):
        self.visit(node.value)
        name = _base(node.target)
        if name:
            self._read(name)
        self._target(node.target)

    def visit_For(self, node):
        self.visit(node.iter)
        self._target(node.target)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)

    visit_AsyncFor = visit_For

    def visit_Delete(self, node):
        for target in node.targets:
            self._target(target)

    def _target(self, target):
        name = _base(target)
        if isinstance(target, (ast.Attribute, ast.Subscript)) and name:
            self.visit(target)
            self._read(name)
            self.writes.add(name)
        else:
            self.visit(target)

    def visit_Import(self, node):
        for alias in node.names:
            self.writes.add((alias.asname or alias.name).split(".")[0])

    def visit_ImportFrom(self, node):
        self.writes.update(alias.asname or alias.name for alias in node.names if alias.name != "*")

    def visit_FunctionDef(self, node):
        for part in [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(part)
        self.writes.add(node.name)
        self._body(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self._body(node)

    def visit_ClassDef(self, node):
        for part in [*node.decorator_list, *node.bases, *[k.value for k in node.keywords]]:
            self.visit(part)
        self._body(node)
        self.writes.add(node.name)

    def _comprehension(self, node):
        inner = _Finder(None)
        for generator in node.generators:
            inner.visit(generator.iter)
            inner.visit(generator.target)
            for test in generator.ifs:
                inner.visit(test)
        for field in ("key", "value", "elt"):
            part = getattr(node, field, None)
            if part is not None:
                inner.visit(part)
        inner.later()
        for name in inner.reads:
            self._read(name)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_ExceptHandler(self, node):
        if node.type is not None:
            self.visit(node.type)
        inner = _Finder(None)
        inner.writes = self.writes | {node.name}
        for statement in node.body:
            inner.visit(statement)
        inner.later()
        self.reads |= inner.reads
        # The handler's name goes with it.
        self.writes |= inner.writes - {node.name}

    def visit_Call(self, node):
        """Magics arrive as calls whose text may itself be code."""
        method = node.func.attr if isinstance(node.func, ast.Attribute) else None
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if method in ("run_line_magic", "run_cell_magic") and texts:
            if texts[0] in TIMED:
                self.code(texts[-1])
            return
        if name := _changed(node):
            self._read(name)
            self.writes.add(name)
        self.generic_visit(node)

    def _body(self, node):
        """The free names of a function's or class's body."""
        inner = _Finder(None)
        arguments = getattr(node, "args", None)
        if arguments is not None:
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            every += filter(None, [arguments.vararg, arguments.kwarg])
            inner.writes.update(argument.arg for argument in every)
        body = node.body if isinstance(node.body, list) else [node.body]
        declared = set()
        for statement in body:
            inner.visit(statement)
            for part in ast.walk(statement):
                if isinstance(part, ast.Global):
                    declared.update(part.names)
        inner.later()
        self.writes |= inner.writes & declared
        self._bodies.append(inner.reads)


def _changed(node):
    """The name that a call such as `frame.drop(columns="a", inplace=True)` changes."""
    if any(k.arg == "inplace" and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords):
        return _base(node.func)
    return None


def _base(node):
    """The name at the root of `name.part[key]`."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
