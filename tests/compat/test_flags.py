"""The portable tests with options of the interpreter, in the C locale, and without modules of the standard library."""

from __future__ import annotations

import os

import pytest
from table import RUN, SOURCES, interpreters, portable

FLAGS = {
    "-O": ["-O"],
    "-OO": ["-OO"],
    "-I -S -E": ["-I", "-S", "-E"],
    "-bb -W error -X dev": ["-bb", "-W", "error", "-X", "dev"],
}
BARE = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("python", interpreters("COMPAT_ALL_PYTHONS"))
def test_portable_tests_pass_on_every_interpreter(python: str) -> None:
    portable(python, [interpreters("COMPAT_ALL_PYTHONS")[python], RUN, *SOURCES], cwd="/")


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_with_interpreter_flags(python: str, flags: str) -> None:
    portable(python, [interpreters()[python], *FLAGS[flags], RUN, *SOURCES], suite=f"portable, {flags}", cwd="/")


@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_in_the_c_locale(python: str) -> None:
    portable(
        python, [interpreters()[python], "-X", "utf8=0", RUN, *SOURCES], suite="portable, -X utf8=0, C locale", env=BARE
    )


@pytest.mark.parametrize(
    "missing",
    [
        "ssl _ssl asyncio threading",
        "_hashlib zlib ctypes sqlite3 lzma bz2",
        "typing_extensions email http socket _socket",
    ],
)
@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_without_modules(python: str, missing: str) -> None:
    environment = {**os.environ, "BLOCKED": missing}
    portable(python, [interpreters()[python], RUN, *SOURCES], suite=f"portable, without {missing}", env=environment)
