"""Run the portable tests without pytest: `python run.py PATH...`.

The paths are put first on `sys.path`. The last line of the output contains the counts:
`portable: 1752 passed, 0 failed, 0 skipped in 4.5 s`.

The modules that the environment variable BLOCKED names cannot be imported. The variable ALIASES, such as
`together_types=app._vendor.together_types ...`, replaces a package with a copy that has another name.
"""

import importlib
import importlib.machinery
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Blocked:
    """An import hook that hides modules of the standard library, as in an interpreter that was built without them."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)


class Aliased:
    """An import hook that imports the package `real`, and the modules in it, under another `name`."""

    def __init__(self, name, real):
        self.name = name
        self.real = real

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == self.name:
            return importlib.machinery.ModuleSpec(name, self, is_package=name == self.name)
        return None

    def create_module(self, spec):
        self.module = importlib.import_module(self.real + spec.name[len(self.name) :])
        self.spec = self.module.__spec__
        return self.module

    def exec_module(self, module):
        module.__spec__ = self.spec  # the import system has replaced it with the alias's


def main(paths):
    sys.path[:0] = [*paths, HERE, os.path.join(os.path.dirname(HERE), "support")]
    sys.dont_write_bytecode = True
    for alias in os.environ.get("ALIASES", "").split():
        sys.meta_path.insert(0, Aliased(*alias.split("=")))
    blocked = os.environ.get("BLOCKED", "").split()
    if blocked:
        for name in list(sys.modules):
            if name.partition(".")[0] in blocked:
                del sys.modules[name]
        sys.meta_path.insert(0, Blocked(blocked))
    for name in blocked:
        try:
            __import__(name)
        except ImportError:
            continue
        raise SystemExit(name + " is not blocked")
    import unittest

    import together_types

    started = time.perf_counter()

    suite = unittest.defaultTestLoader.loadTestsFromName("test_portable")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed - len(result.skipped)
    seconds = time.perf_counter() - started
    print("of " + str(together_types.__file__ or together_types.__spec__.origin))
    print("portable: %d passed, %d failed, %d skipped in %.1f s" % (passed, failed, len(result.skipped), seconds))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
