"""The gates that need the packages installed: `tox -e types` runs this.

`verifytypes`: every type of the public interface is written down, none is left for a checker to infer. `stubtest`: what
checkers read in the source is what there is at run time, but for what the source itself says checkers alone see.
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
    # The standard library's description of a dataclass and its signature, made when they are first asked for.
    r".*\.__(signature|dataclass_fields|dataclass_params|match_args|replace)__",
    # An enum is called with the one value.
    r".*\.__new__",
    # It refuses any arguments.
    r".*\.Frozen(Dict|List)\.\w+",
    # Classes in functions.
    r".*@\d+",
    # Of a module with classes inside functions mypy keeps those for exported names.
    r"together_adapters\.(replay|serve)\.__all__",
    # A module that is loaded when it is needed.
    r".*\.ContentDecoder\._zlib",
    # Type checkers see the class of the standard library; the stubtest of the oldest Python looks at it in each importer.
    r"together_adapters\.([\w.]+\.)?NamedTuple(\..*)?",
    # The same for the generic base of the values.
    r"together_types\.\w+\.ValueOf\..*",
    # What is shown to checkers as the standard library's decorator.
    r"together_types\.(\w+\.)?dataclass",
]


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None, f"{package} is not installed"
    return Path(spec.origin).parent


def for_checkers_only(package: str) -> Iterator[str]:
    """What stands under `if TYPE_CHECKING:`, at any depth, as the paths that stubtest gives."""
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
            # What other packages define is theirs to check; older versions of stubtest look at it here too.
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
    # It asks the first Python on the path.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as folder:  # where no source tree hides what is installed
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False, cwd=folder, env=environment)
    found = json.loads(done.stdout)["typeCompleteness"]
    print(
        f"{package}: {found['completenessScore']:.1%} of {sum(found['exportedSymbolCounts'].values())} public symbols have a written type"
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
