"""Tests that every public name is documented, and that its type does not contain Any."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import together_adapters

import together_types


def name_of(package: str, path: Path) -> str:
    """Return the dotted name of the module at a path below the package's folder."""
    return ".".join([package, *path.with_suffix("").parts]).removesuffix(".__init__")


def is_private(module: str) -> bool:
    """Return whether a part of a module's name begins with a single underscore. `__main__` is public."""
    return bool(re.search(r"\._(?!_)", module))


Definition = (ast.FunctionDef, ast.AsyncFunctionDef)
PACKAGES = [(package.__name__, Path(str(package.__file__)).parent) for package in (together_types, together_adapters)]
MODULES = [
    pytest.param(name, path, id=name)
    for package, folder in PACKAGES
    for path in sorted(folder.rglob("*.py"))
    for name in [name_of(package, path.relative_to(folder))]
    if not is_private(name)
]


def is_public(name: str) -> bool:
    return not name.startswith("_") or name == "__init__"


# ---- documentation


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_every_public_name_has_a_docstring(name: str, path: Path) -> None:
    module = importlib.import_module(name)
    assert inspect.getdoc(module)
    noted = documented_constants(path)
    missing = []
    for public in getattr(module, "__all__", None) or own_names(module):
        item = getattr(module, public)
        if isinstance(item, type) and not hasattr(item, "__origin__"):  # in Python 3.9 Iterable[bytes] is a type, too
            missing += undocumented_in(f"{name}.{public}", item)
        elif inspect.isfunction(item):
            missing += [f"{name}.{public}"] if not item.__doc__ else []
        elif public != "__version__" and public not in noted:
            missing.append(f"{name}.{public}")
    assert missing == []


def own_names(module: object) -> list[str]:
    return [
        name
        for name, item in vars(module).items()
        if is_public(name) and getattr(item, "__module__", "") == getattr(module, "__name__", "")
    ]


def undocumented_in(path: str, cls: type) -> Iterator[str]:
    """Yield the undocumented names among a class and its public methods and properties.

    A method without a docstring counts as documented if a base class documents it.
    """
    if not cls.__dict__.get("__doc__"):
        yield path
    for name, item in vars(cls).items():
        if name.startswith("_") or isinstance(item, type):
            continue
        is_code = inspect.isfunction(item) or isinstance(item, (property, classmethod, staticmethod))
        if is_code and not inspect.getdoc(getattr(cls, name)):
            yield f"{path}.{name}"


def documented_constants(path: Path) -> set[str]:
    """Return the names of the constants that are followed by a string."""
    body = ast.parse(path.read_text("utf-8")).body
    return {
        ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target)
        for statement, following in zip(body, body[1:])
        if isinstance(statement, (ast.Assign, ast.AnnAssign))
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
    }


@pytest.mark.parametrize(
    "cls", [item for item in vars(together_types).values() if isinstance(item, type) and issubclass(item, str)]
)
def test_every_enum_member_is_documented(cls: type) -> None:
    [node] = ast.parse(inspect.cleandoc("\n" + inspect.getsource(cls))).body
    assert isinstance(node, ast.ClassDef)
    pairs = zip(node.body, [*node.body[1:], ast.Pass()])
    bare = [
        ast.unparse(item.targets[0])
        for item, following in pairs
        if isinstance(item, ast.Assign)
        and not (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant))
    ]
    assert bare == []


# ---- types

ALL = [
    pytest.param(name, path, id=name)
    for package, folder in PACKAGES
    for path in sorted(folder.rglob("*.py"))
    for name in [name_of(package, path.relative_to(folder))]
]
OFFERED = {
    public
    for parameter in MODULES
    for public in getattr(importlib.import_module(str(parameter.values[0])), "__all__", ())
} | {"BaseClient", "BaseCompletions"}  # the clients inherit their methods


def test_name_that_is_imported_at_its_first_use_is_in_dir() -> None:
    assert set(together_adapters.__all__) <= set(dir(together_adapters))
    with pytest.raises(AttributeError, match="'Nothing'"):
        together_adapters.Nothing  # noqa: B018


@pytest.mark.parametrize("name", ["Together", "AsyncTogether", "Timeout"])
def test_client_that_is_not_in_a_copy_raises_an_error_that_names_the_option(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("client", "aio", "http"):
        monkeypatch.setitem(sys.modules, f"together_adapters.{module}", None)
    monkeypatch.delitem(vars(together_adapters), name, raising=False)
    with pytest.raises(ImportError, match="`--only client`"):
        getattr(together_adapters, name)


@pytest.mark.parametrize(("name", "path"), MODULES)
def test_public_class_names_its_public_module(name: str, path: Path) -> None:
    """Pickles contain the name of the module, so it must not be a private module, which may move."""
    module = importlib.import_module(name)
    offered = {public: getattr(module, public) for public in getattr(module, "__all__", ())}
    wrong = {
        public: item.__module__
        for public, item in offered.items()
        if isinstance(item, type) and item.__module__.startswith("together_") and is_private(item.__module__)
    }
    assert wrong == {}


@pytest.mark.parametrize(("name", "path"), ALL)
def test_public_signature_contains_no_any(name: str, path: Path) -> None:
    """JSON data is annotated with the alias `JSON`. An alias for type checkers only is checked if it is public."""
    body = ast.parse(path.read_text("utf-8")).body
    if is_private(name):  # in a private module, only the names that a public module offers
        body = [item for item in flat(body) if getattr(item, "name", "") in OFFERED]
    assert list(with_any(body, "")) == []


def with_any(body: list[ast.stmt], path: str) -> Iterator[str]:
    overloaded = {item.name for item in flat(body) if isinstance(item, Definition) and is_overload(item)}
    for item in flat(body):
        if isinstance(item, ast.ClassDef) and is_public(item.name):
            yield from with_any(item.body, f"{path}{item.name}.")
        elif isinstance(item, Definition) and is_public(item.name):
            # Type checkers do not show the implementation of overloads to callers.
            if is_overload(item) or item.name not in overloaded:
                arguments = [
                    *item.args.posonlyargs,
                    *item.args.args,
                    *item.args.kwonlyargs,
                    item.args.vararg,
                    item.args.kwarg,
                ]
                annotations = [argument.annotation for argument in arguments if argument] + [item.returns]
                if any(annotation and has_any(annotation) for annotation in annotations):
                    yield path + item.name
            if item.name == "__init__":
                yield from attributes_with_any(item, path)
        elif isinstance(item, ast.AnnAssign) and is_public(ast.unparse(item.target)) and has_any(item.annotation):
            yield path + ast.unparse(item.target)
        elif isinstance(item, ast.Assign) and ast.unparse(item) != "JSON = Any":
            name = ast.unparse(item.targets[0])
            if is_public(name) and has_any(item.value):
                yield path + name


def attributes_with_any(init: ast.stmt, path: str) -> Iterator[str]:
    for node in ast.walk(init):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Attribute)
            and is_public(node.target.attr)
            and has_any(node.annotation)
        ):
            yield path + node.target.attr


def flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements, including those inside `if` statements."""
    for item in body:
        if isinstance(item, ast.If):
            yield from flat(item.body)
            yield from flat(item.orelse)
        else:
            yield item


def is_overload(item: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator).endswith("overload") for decorator in item.decorator_list)


def has_any(node: ast.expr) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id == "Any":
            return True
        if (
            isinstance(inner, ast.Constant)
            and isinstance(inner.value, str)
            and "Any" in inner.value.replace("[", " ").replace("]", " ").split()
        ):
            return True
    return False
