"""The portable tests with packages that are zipped, compiled or frozen, and for a user without write access."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest
from compat import FREE_THREADED
from table import PACKAGES, ROOT, RUN, SOURCES, interpreters, portable


def copied(folder: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_in_a_zip(python: str, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "both"), "zip", copied(tmp_path / "src"))
    portable(python, [interpreters()[python], "-I", RUN, packed], suite="portable, zip", of="both.zip")


@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_in_a_zipapp(python: str, tmp_path: Path) -> None:
    folder = copied(tmp_path / "src")
    (folder / "__main__.py").write_text(
        "import runpy, sys\nsys.argv = ['run.py']\nrunpy.run_path(sys.path.pop(), run_name='__main__')\n"
    )
    zipapp.create_archive(folder, tmp_path / "app.pyz", compressed=True)
    code = f"import runpy, sys; sys.path.append({RUN!r}); runpy.run_path({str(tmp_path / 'app.pyz')!r}, run_name='__main__')"
    portable(python, [interpreters()[python], "-I", "-c", code], suite="portable, zipapp", of="app.pyz")


@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_in_a_zip_of_bytecode(python: str, tmp_path: Path) -> None:
    folder, command = copied(tmp_path / "src"), interpreters()[python]
    options = ["-q", "-b", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([command, "-m", "compileall", *options, folder], check=True)
    for path in folder.rglob("*.py"):
        path.unlink()
    packed = shutil.make_archive(str(tmp_path / "compiled"), "zip", folder)
    portable(python, [command, "-I", RUN, packed], suite="portable, .pyc-only zip", of=".pyc")


def may_mount() -> bool:
    """Return whether this process may create mounts. In containers, even root often may not."""
    tools = all(map(shutil.which, ("unshare", "setpriv", "mount", "/usr/bin/python3")))
    return tools and not subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode


@pytest.mark.skipif(not may_mount(), reason="this user may not create mounts")
def test_portable_tests_pass_for_a_user_without_write_access(tmp_path: Path) -> None:
    """Services for functions run code like this: without write access, user name, home folder and bytecode."""
    shutil.copytree(
        ROOT / "tests", tmp_path / "task" / "tests", ignore=shutil.ignore_patterns("__pycache__", ".hypothesis")
    )
    copied(tmp_path / "task")
    mounts = """
        mount -t tmpfs tmpfs /mnt && mkdir /mnt/task && mount --bind "$1" /mnt/task
        mount -o remount,ro,bind /mnt/task && mount -o remount,ro /mnt && mount -o remount,ro,bind /
        if touch /x /tmp/x /mnt/x /mnt/task/x 2>/dev/null; then exit 99; fi
        cd / && exec env -i PATH=/usr/bin:/bin setpriv --reuid=993 --regid=990 --clear-groups --no-new-privs \
            python3 /mnt/task/tests/portable/run.py /mnt/task
    """
    command = ["unshare", "-m", "--propagation", "private", "sh", "-ec", mounts, "sh", str(tmp_path / "task")]
    version = subprocess.run(
        ["/usr/bin/python3", "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True
    )
    portable(
        f"CPython {version.stdout.strip()}", command, suite="portable, read-only, foreign user, no HOME", of="/mnt/task"
    )


def test_portable_tests_pass_under_pyinstaller(tmp_path: Path) -> None:
    pytest.importorskip("PyInstaller")
    folder = copied(tmp_path / "src")
    for path in (ROOT / "tests" / "support" / "corpus.py", ROOT / "tests" / "portable" / "test_portable.py", Path(RUN)):
        shutil.copy(path, folder)
    options = [
        "--onefile",
        "--log-level",
        "ERROR",
        "--distpath",
        tmp_path,
        "--workpath",
        tmp_path / "work",
        "--specpath",
        tmp_path,
    ]
    found = [f"--collect-submodules={package.name}" for package in PACKAGES]
    data = f"--add-data={ROOT / 'tests' / 'data'}:data"
    command = [
        sys.executable,
        "-m",
        "PyInstaller",
        *options,
        *found,
        data,
        "--hidden-import=test_portable",
        folder / "run.py",
    ]
    subprocess.run(command, check=True, cwd=folder)
    [python] = [name for name, path in interpreters().items() if path == sys.executable] or [""]
    portable(
        python or f"CPython {sys.version.split()[0]}",
        [str(tmp_path / "run")],
        suite="portable, PyInstaller",
        of="_MEI",
        cwd="/",
        env={"TMPDIR": str(tmp_path)},
    )


SUBINTERPRETER = """
import sys
from concurrent import interpreters
inside = interpreters.create()
inside.exec("import sys; sys.argv = " + repr(sys.argv[1:]) + '''
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
import run
assert run.main(sys.argv[1:]) == 0
''')
"""


@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_in_a_subinterpreter(python: str) -> None:
    command = interpreters()[python]
    if subprocess.run([command, "-c", "import concurrent.interpreters"], capture_output=True).returncode:
        pytest.skip("this Python lacks concurrent.interpreters")
    portable(python, [command, "-c", SUBINTERPRETER, RUN, *SOURCES], suite="portable, subinterpreter")


def test_portable_tests_pass_in_a_free_threaded_build() -> None:
    found = [path for name in FREE_THREADED if (path := shutil.which(name))]
    if not found:
        pytest.skip("no free-threaded build found")
    for command in found:
        portable(
            command.rpartition("/")[2],
            [command, "-X", "gil=0", RUN, *SOURCES],
            suite="portable, free-threaded",
        )
