"""Write the API reference into the folder in the first argument: `tox -e docs`. All of its text is from docstrings."""

from __future__ import annotations

import pkgutil
import sys
from pathlib import Path

import pdoc
import together_adapters

if __name__ == "__main__":
    for name in together_adapters.__all__:
        getattr(together_adapters, name)  # pdoc finds only names that have been loaded
    modules = [
        module.name for module in pkgutil.iter_modules(together_adapters.__path__) if not module.name.startswith("_")
    ]
    names = [f"together_adapters.{name}" for name in modules]
    pdoc.pdoc("together_types", "together_adapters", *names, output_directory=Path(sys.argv[1]))
