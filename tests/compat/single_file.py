"""Make the single file importable under the packages' names, so that the tests of the packages test it.

`python tests/compat/single_file.py DEST` writes `DEST/app/_vendor/together_types.py`, and modules with the names of the
packages' modules, which re-export the names of the single file. Put DEST first on the path.
"""

from __future__ import annotations

import sys
from pathlib import Path

from together_adapters import vendor
from together_adapters.vendor._single_file import SingleFile

HELPER = """import sys
from types import ModuleType

import app._vendor.together_types as single

NAMES = {}


class Alias(ModuleType):
    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name in NAMES[self.__name__]:
            setattr(single, NAMES[self.__name__][name], value)


def become(module, names, public):
    NAMES[module] = names
    here = vars(sys.modules[module])
    for name, there in names.items():
        if hasattr(single, there):  # names for type checkers only do not exist at run time
            here[name] = getattr(single, there)
    if public:
        here["__all__"] = public
    sys.modules[module].__class__ = Alias
"""


def main(dest: Path) -> SingleFile:
    vendor.vendor(dest / "app" / "_vendor", single_file=True)
    made = vendor.single_file()
    for key, names in made.names.items():
        package, _, name = key.partition(".")
        names = {**names, "__version__": "__version__"} if name == "__init__" else names
        path = dest / package / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        original = sys.modules.get(package if name == "__init__" else key) or __import__(
            key.removesuffix(".__init__"), fromlist=["*"]
        )
        public = [item for item in getattr(original, "__all__", []) if item in names]
        path.write_text(f"__import__('single_file_alias').become(__name__, {names!r}, {public!r})\n", "utf-8")
    (dest / "pyrightconfig.json").write_text(
        '{"include": ["app"], "typeCheckingMode": "strict", "pythonVersion": "3.9"}'
    )
    (dest / "single_file_alias.py").write_text(HELPER, "utf-8")
    return made


if __name__ == "__main__":
    main(Path(sys.argv[1]))
