"""The type checks that need the packages installed. `tox -e types` runs this.

- `verifytypes` checks that every type of the public interface is declared, so that a checker does not have to infer it.
- `stubtest` checks that the declarations in the source match the objects at run time. Names that the source defines
  under `if TYPE_CHECKING:` are excluded.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("together_types", "together_adapters")
ALLOWED = [
    # The standard library's description of a dataclass and its signature, which are created at the first access.
    r".*\.__(signature|dataclass_fields|dataclass_params|match_args|replace)__",
    # An enum is called with a single value.
    r".*\.__new__",
    # The methods that change a container accept any arguments and raise TypeError.
    r".*\.Frozen(Dict|List)\.\w+",
    # Classes inside functions.
    r".*@\d+",
    # If a module has classes inside functions, mypy treats them as exported names.
    r"together_adapters\.(replay|serve|http\._urllib)\.__all__",
    # Type checkers see the class of the standard library. On the oldest Python, stubtest checks it in each importing module.
    r"together_adapters\.([\w.]+\.)?NamedTuple(\..*)?",
    # Type checkers see a generic base class of the values, which does not exist at run time.
    r"together_types\.\w+\.ValueOf\..*",
    # Type checkers see the standard library's decorator.
    r"together_types\.(\w+\.)?dataclass",
]


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None, f"{package} is not installed"
    return Path(spec.origin).parent


def for_checkers_only(package: str) -> Iterator[str]:
    """Yield the names defined under `if TYPE_CHECKING:`, at any depth, as patterns for the paths that stubtest reports."""
    folder = folder_of(package)
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        module = ".".join([package, *(parts[:-1] if parts[-1] == "__init__" else parts)])
        yield from _below(ast.parse(path.read_text("utf-8")).body, module, False)


def _below(body: list[ast.stmt], path: str, checked: bool) -> Iterator[str]:
    for item in body:
        if isinstance(item, ast.If):
            hidden = checked or ast.unparse(item.test) == "TYPE_CHECKING"
            yield from _below(item.body, path, hidden)
            yield from _below(item.orelse, path, checked)
        elif isinstance(item, ast.ClassDef):
            if checked:
                yield f"{path}.{item.name}(\\..*)?"
            yield from _below(item.body, f"{path}.{item.name}", checked)
        elif checked and isinstance(item, (ast.Assign, ast.AnnAssign)):
            target = item.targets[0] if isinstance(item, ast.Assign) else item.target
            yield f"{path}.{ast.unparse(target)}"
        elif isinstance(item, (ast.Import, ast.ImportFrom)) and (checked or not getattr(item, "level", 0)):
            # Names of other packages are not checked here. Older versions of stubtest would check them.
            yield from (f"{path}.{alias.asname or alias.name}(\\..*)?" for alias in item.names)


def stubtest() -> int:
    hidden = [name for package in PACKAGES for name in for_checkers_only(package)]
    with tempfile.TemporaryDirectory() as folder:
        config, allowlist = Path(folder, "mypy.ini"), Path(folder, "allowlist")
        config.write_text("[mypy]\nstrict = True\n", "utf-8")
        allowlist.write_text("\n".join([*ALLOWED, *hidden]) + "\n", "utf-8")
        command = [program("stubtest"), "--mypy-config-file", str(config), "--allowlist", str(allowlist)]
        return subprocess.run([*command, "--ignore-unused-allowlist", *PACKAGES], check=False, cwd=folder).returncode


def verifytypes(package: str) -> int:
    command = [program("pyright"), "--verifytypes", package, "--ignoreexternal", "--outputjson"]
    # pyright uses the first Python on the path.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as folder:  # outside the source tree, which would hide the installed packages
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False, cwd=folder, env=environment)
    found = json.loads(done.stdout)["typeCompleteness"]
    print(
        f"{package}: {found['completenessScore']:.1%} of {sum(found['exportedSymbolCounts'].values())} public symbols have a declared type"
    )
    if found["completenessScore"] == 1:
        return 0
    for symbol in found["symbols"]:
        for problem in symbol["diagnostics"] if not symbol["isTypeKnown"] or symbol.get("isTypeAmbiguous") else ():
            text = re.sub(r"\s+", " ", problem["message"])
            if problem["severity"] == "error":
                print(f"  {symbol['name']}: {text}")
    return 1


def main() -> int:
    return max([*(verifytypes(package) for package in PACKAGES), stubtest()])


if __name__ == "__main__":
    sys.exit(main())
