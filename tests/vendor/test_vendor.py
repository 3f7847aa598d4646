"""Copies of the packages, as folders, as one file and from a zip, and the check of a copy with `--check`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from together_adapters import vendor
from together_adapters.vendor._scopes import global_uses
from vendored_copies import PACKAGES, run

import together_types


def script(code: str, cwd: Path) -> str:
    code = "import sys; sys.path.insert(0, '.')\n" + code
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True, cwd=cwd
    ).stdout


READ = (
    'chunks = m.iter_chunks([b\'data: {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}\\n\\n\'])\n'
    "print([c.text for c in chunks], sorted(n for n in sys.modules if n.startswith('together')))"
)


def test_folders_copied_by_hand_into_a_package_are_imported(tmp_path: Path) -> None:
    """Nesting as described in README.md, which changes one word in one module."""
    for package in PACKAGES:
        shutil.copytree(package, tmp_path / "app" / package.name)
    seam = tmp_path / "app/together_adapters/_types.py"
    seam.write_text(seam.read_text("utf-8").replace("from together_types", "from ..together_types"), "utf-8")
    assert script("import app.together_adapters.stream as m; " + READ, tmp_path) == "['hi'] []\n"


def test_copy_without_removed_modules_names_the_missing_part(tmp_path: Path) -> None:
    """The client and the encoder are imported when they are used. The error names the part that contains them."""
    vendor.vendor(tmp_path / "app")
    for name in ("sse/_encoding", "client", "aio"):
        (tmp_path / "app/together_adapters" / f"{name}.py").unlink()
    shutil.rmtree(tmp_path / "app/together_adapters/http")
    assert script("import app.together_adapters.stream as m; " + READ, tmp_path) == "['hi'] []\n"
    uses = {"m.Together": "client", "m.AsyncTogether": "client", "m.Timeout": "client"}
    uses |= {f"m.sse.{name}([])": "openai" for name in ("encode_chunks", "aencode_chunks", "response_to_chunks")}
    for use, part in uses.items():
        code = f"import app.together_adapters as m, app.together_adapters.sse\ntry: {use}\nexcept ImportError as e: print(e)"
        output = script(code, tmp_path)
        assert "cannot be imported: No module named 'app.together_adapters." in output
        assert output.endswith(f"copy it again with `--only {part}` added to the options of `vendor`\n")


def test_copy_in_a_package_is_used_and_copied_again(tmp_path: Path) -> None:
    done = run("together_adapters", "vendor", "-v", str(tmp_path / "app" / "_vendor"))
    assert (done.returncode, done.stderr) == (0, b"")
    *listed, _, _ = done.stdout.decode().splitlines()
    written = {*listed}
    assert {
        "together_types/LICENSE",
        "together_types/py.typed",
        "together_adapters/stream/__init__.py",
        vendor.MANIFEST,
    } <= written
    assert written == {str(path.relative_to(tmp_path / "app" / "_vendor")) for path in (tmp_path / "app" / "_vendor").rglob("*.*")} | {
        "together_types/LICENSE", "together_adapters/LICENSE",
    }  # fmt: skip
    copy = tmp_path / "app/_vendor/together_adapters"
    changed = [
        path.name
        for path in PACKAGES[1].rglob("*.py")
        if path.read_bytes() != (copy / path.relative_to(PACKAGES[1])).read_bytes()
    ]
    assert changed == ["_types.py"]
    assert script("import app._vendor.together_adapters.stream as m; " + READ, tmp_path) == "['hi'] []\n"
    (tmp_path / "app").rename(tmp_path / "renamed")
    done = run("renamed._vendor.together_adapters", "vendor", "--check", "renamed/_vendor", path=".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"") and b"outdated" not in done.stdout
    # A copy can be copied again.
    copied = run("renamed._vendor.together_adapters", "vendor", "a", "--only", "streams", path=".", cwd=tmp_path)
    assert (copied.returncode, copied.stderr) == (0, b"")
    vendor.vendor(tmp_path / "b", only=["streams"])
    a, b = (tmp_path / name / vendor.MANIFEST for name in "ab")
    assert json.loads(a.read_text("utf-8"))["files"] == json.loads(b.read_text("utf-8"))["files"]


def test_absolute_copy_on_the_path_is_imported(tmp_path: Path) -> None:
    vendor.vendor(tmp_path, absolute=True)
    assert "together_types.common" in script("import together_adapters.stream as m; " + READ, tmp_path)


def test_new_folder_in_a_package_becomes_a_package(tmp_path: Path) -> None:
    """Otherwise the copy is missing from wheels, and from zips that do not list folders."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "there").mkdir()
    (tmp_path / "app" / "there" / "data.txt").touch()
    for name in ("_vendor", "_vendor", "there"):
        vendor.vendor(tmp_path / "app" / name)
    assert vendor.vendor(tmp_path / "app" / "path", absolute=True)[-1] == vendor.MANIFEST
    assert vendor.check(tmp_path / "app" / "_vendor").added == []
    packages = sorted(path.parent.name for path in (tmp_path / "app").glob("*/__init__.py"))
    assert packages == ["_vendor"]
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for path in (tmp_path / "app").rglob("*.py"):
            archive.write(path, path.relative_to(tmp_path))
    code = "sys.path[0] = 'app.zip'; import app._vendor.together_adapters.stream as m; "
    assert script(code + READ, tmp_path) == "['hi'] []\n"


def test_types_only_copy_has_no_adapters(tmp_path: Path) -> None:
    written = vendor.vendor(tmp_path / "app", types_only=True)
    assert not [name for name in written if "adapters" in name]
    assert (
        script(
            "from app.together_types import UsageData as U; print(U.from_dict({'total_tokens': 3}).to_json())", tmp_path
        )
        == '{"total_tokens":3}\n'
    )


def test_single_file_is_imported_alone(tmp_path: Path) -> None:
    assert vendor.vendor(tmp_path / "app", single_file=True) == ["together_types.py", vendor.MANIFEST]
    text = (tmp_path / "app" / "together_types.py").read_text("utf-8")
    assert "Permission is hereby granted" in text and f'__version__ = "{together_types.__version__}"' in text
    assert script("import app.together_types as m; " + READ, tmp_path) == "['hi'] []\n"
    loaded = script("import app.together_types, json; print(json.dumps(list(sys.modules)))", tmp_path)
    if sys.implementation.name == "cpython":  # PyPy loads more by itself
        assert not {"typing", "dataclasses", "inspect", "urllib", "asyncio", "socket", "argparse"} & set(
            json.loads(loaded)
        )


def test_single_file_has_every_public_name() -> None:
    made = vendor.single_file()
    for key, names in made.names.items():
        if not any(part.startswith("_") for part in key.removesuffix(".__init__").split(".")[1:]):
            module = __import__(key.removesuffix(".__init__"), fromlist=["*"])
            public = getattr(module, "__all__", [])
            assert {name: names.get(name, name) for name in public} == {name: name for name in public}, key


def test_copy_made_from_a_zip_equals_one_made_from_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for package in PACKAGES:
            for path in package.rglob("*"):
                if path.is_file():
                    archive.write(path, path.relative_to(package.parent))
    for options in ("", "--single-file", "--only streams", "--only openai --single-file", "--no-typing"):
        for path, dest in (("both.zip", "a"), (":".join(str(package.parent) for package in PACKAGES), "b")):
            done = run("together_adapters", "vendor", dest, *options.split(), path=path, cwd=tmp_path)
            assert (done.returncode, done.stderr) == (0, b"")
        one, other = (
            {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
            for root in (tmp_path / "a", tmp_path / "b")
        )
        assert one == other
        shutil.rmtree(tmp_path / "a")
        shutil.rmtree(tmp_path / "b")


def test_check_of_an_edited_old_copy_reports_edits_and_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    vendor.vendor(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1700000000 + 40 * 86400))
    assert vendor.check(tmp_path) == vendor.CheckReport(together_types.__version__, "2023-11-14", 40, [], [], [], [])
    (tmp_path / "together_types" / "common.py").write_text("# mine\n")
    (tmp_path / "together_adapters" / "batch.py").unlink()
    (tmp_path / "together_adapters" / "mine.py").touch()
    manifest = json.loads((tmp_path / vendor.MANIFEST).read_text("utf-8"))
    manifest["files"]["together_types/error.py"] = "0"
    (tmp_path / vendor.MANIFEST).write_text(json.dumps(manifest))
    report = vendor.check(tmp_path)
    assert report.modified == ["together_types/common.py", "together_types/error.py"]
    assert (report.missing, report.added) == (["together_adapters/batch.py"], ["together_adapters/mine.py"])
    assert report.outdated == ["together_types/error.py"]
    done = run("together_adapters", "vendor", "--check", str(tmp_path))
    assert (
        done.returncode == 1
        and b"modified: together_types/common.py\n" in done.stdout
        and b"outdated: version 0" in done.stdout
    )


def test_edited_file_is_overwritten_only_with_force(tmp_path: Path) -> None:
    vendor.vendor(tmp_path)
    edited = tmp_path / "together_types" / "common.py"
    edited.write_text("# mine\n")
    done = run("together_adapters", "vendor", str(tmp_path))
    assert done.returncode == 1 and b"together_types/common.py" in done.stderr and done.stderr.count(b"\n") == 1
    assert edited.read_text() == "# mine\n"
    assert run("together_adapters", "vendor", str(tmp_path), "--force").returncode == 0
    vendor.vendor(tmp_path, types_only=True)  # removes the other files
    assert not (tmp_path / "together_adapters" / "batch.py").exists() and vendor.check(tmp_path).modified == []


def test_converted_line_ends_are_not_edits(tmp_path: Path) -> None:
    """git may convert the line ends in the project that contains the copy."""
    vendor.vendor(tmp_path)
    for path in tmp_path.rglob("*.*"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    report = vendor.check(tmp_path)
    assert (report.modified, report.missing, report.outdated) == ([], [], [])
    vendor.vendor(tmp_path)
    assert b"\r" not in (tmp_path / "together_types" / "common.py").read_bytes()


def test_copy_in_another_form_replaces_the_first(tmp_path: Path) -> None:
    vendor.vendor(tmp_path)
    (tmp_path / "together_types" / "__pycache__").mkdir()
    vendor.vendor(tmp_path, single_file=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["together_types.py", vendor.MANIFEST]
    vendor.vendor(tmp_path, single_file=False)
    (tmp_path / "together_adapters" / "mine.py").touch()
    vendor.vendor(tmp_path, types_only=True)
    assert [path.name for path in (tmp_path / "together_adapters").iterdir()] == ["mine.py"]


def test_package_that_would_hide_the_single_file_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PACKAGES[0], tmp_path / "a" / "together_types")
    done = run("together_adapters", "vendor", str(tmp_path / "a"), "--single-file", "--force")
    assert done.returncode == 1 and b"instead of together_types.py" in done.stderr
    assert not (tmp_path / "a" / "together_types.py").exists()
    vendor.vendor(tmp_path / "b", single_file=True)
    shutil.copytree(PACKAGES[0], tmp_path / "b" / "together_types")
    assert "together_types/__init__.py" in vendor.check(tmp_path / "b").added


@pytest.mark.parametrize("link", ["together_types", "together_adapters/batch.py", vendor.MANIFEST])
def test_copy_through_a_link_is_refused(link: str, tmp_path: Path) -> None:
    vendor.vendor(tmp_path / "original")
    (tmp_path / "copy" / link).parent.mkdir(parents=True)
    (tmp_path / "copy" / link).symlink_to(tmp_path / "original" / link)
    done = run("together_adapters", "vendor", str(tmp_path / "copy"), "--force")
    assert done.returncode == 1 and link.encode() in done.stderr and done.stderr.count(b"\n") == 1
    report = vendor.check(tmp_path / "original")
    assert (report.modified, report.missing) == ([], [])


def test_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "together_types").touch()
    done = run("together_adapters", "vendor", str(tmp_path))
    assert done.returncode == 1 and str(tmp_path / "together_types").encode() in done.stderr
    done = run("together_adapters", "vendor", "", cwd=tmp_path)
    assert done.returncode == 1 and b"DEST is empty" in done.stderr


def test_many_edited_files_are_listed_on_one_line(tmp_path: Path) -> None:
    files = [name for name in vendor.vendor(tmp_path) if name.startswith("together_adapters/")]
    for name in files:
        (tmp_path / name).write_text("mine\n")
    done = run("together_adapters", "vendor", str(tmp_path))
    assert done.returncode == 1 and done.stderr.count(b"together_adapters/") == 10
    assert b" and %d more (use --force" % (len(files) - 10) in done.stderr


@pytest.mark.parametrize(
    "manifest",
    [
        "[]",
        "{",
        "{}",
        '{"files": {"../x": ""}}',
        '{"files": {"together_types/../../x": ""}}',
        '{"files": 7}',
        '{"files": ["together_types.py"]}',
        '{"files": {"together_types.py": 7}}',
        '{"files": {}, "made": 7}',
        '{"files": {}, "made": "yesterday"}',
        '{"files": {}, "single_file": "no"}',
        '{"files": {}, "version": 7}',
        '{"files": {}, "only": [7]}',
    ],
)
def test_invalid_manifest_is_refused(tmp_path: Path, manifest: str) -> None:
    (tmp_path / vendor.MANIFEST).write_text(manifest)
    for options in ([], ["--check"]):
        done = run("together_adapters", "vendor", str(tmp_path), *options)
        assert done.returncode == 1 and b"is not a valid manifest" in done.stderr and done.stderr.count(b"\n") == 1


def test_check_without_a_copy_is_an_error(tmp_path: Path) -> None:
    done = run("together_adapters", "vendor", "--check", str(tmp_path))
    assert done.returncode == 1 and b"is not a copy made by vendor" in done.stderr
    done = run("together_adapters", "vendor", "--check", str(tmp_path / "none"))
    assert done.returncode == 1 and b"No such file" in done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("together_types/LICENSE", None, None, b"cannot copy together_types: its source files are not installed"),
        ("together_adapters/_types.py", "from together_types", "from  together_types", b"_types.py must import from"),
    ],
    ids=["no sources", "other import"],
)
def test_copy_from_unsuitable_sources_is_an_error(
    file: str, old: str | None, new: str | None, problem: bytes, tmp_path: Path
) -> None:
    for package in PACKAGES:
        shutil.copytree(package, tmp_path / package.name)
    if old is None or new is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text((tmp_path / file).read_text("utf-8").replace(old, new), "utf-8")
    done = run("together_adapters", "vendor", str(tmp_path / "copy"), path=str(tmp_path))
    assert done.returncode == 1 and problem in done.stderr and done.stderr.count(b"\n") == 1
    assert not (tmp_path / "copy").exists()


def test_each_folder_has_the_licence() -> None:
    licences = [package / "LICENSE" for package in PACKAGES]
    top = Path(__file__).parents[2] / "LICENSE"
    assert len({path.read_bytes() for path in [*licences, top]}) == 1


def test_name_in_nested_scopes_is_global_by_the_scope_rules() -> None:
    import ast

    code = """
import a
x = [y for y in x if (z := y)]
def f(b, c=x, *d: x, **e):
    global g
    g = b = h
    def i():
        nonlocal b
        b = c = [d for d in e]
        return lambda x: x + k
    class L(M):
        n = o = x
        def p(self): return n, self.o, f"{q}"
    try: pass
    except R as s: return s
    return {t: u for t, u in x}
"""
    uses = [
        (use.node.id, use.function.name if use.function else "") for use in global_uses(ast.parse(code)) if use.runs
    ]
    inside = {name for name, function in uses if function == "f"}
    assert inside == {"g", "h", "k", "M", "n", "q", "R", "x"}
    assert {name for name, function in uses if not function} == {"x", "z"}
