"""Copies of some parts: their modules, their use without the other parts, and the form that a copy keeps."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from itertools import combinations
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
from http_server import serving
from snippet_server import respond
from together_adapters import vendor
from together_adapters.vendor._imports import own_imports
from together_adapters.vendor._parts import ALL, PARTS
from together_adapters.vendor._source_edits import Edits
from vendored_copies import PACKAGES, run

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8").split("## Copying it in")[1].split("\n## ")[0]
# How each part is used, from a copy that contains nothing else. The names of modules are those of the packages.
USES = {
    "types": """
from together_types import ChatCompletionResponse
print(ChatCompletionResponse.from_json('{"choices": [{"message": {"content": "hi"}}]}').text)
""",
    "streams": """
from together_adapters.errors import IncompleteStreamError
from together_adapters.passthrough import PassThrough
from together_adapters.stream import iter_chunks
frame = b'data: {"choices": [{"index": 0, "delta": {"content": "hi"}, "logprobs": {"content": []}}]}\\n\\n'
stream = iter_chunks([frame, frame[:30]])
try:
    for chunk in stream:
        print(chunk.text)
except IncompleteStreamError as error:
    print(error.completion.response.text, error.completion.state)
proxy = PassThrough()
print(b"".join(proxy.over([frame])) == frame, proxy.chunks)
""",
    "openai": """
from together_adapters.openai_format import from_openai, to_openai, to_openai_with_loss
from together_adapters.sse import Decoder, encode_chunks, response_to_chunks
from together_types import ChatCompletionResponse
data = {"choices": [{"index": 0, "finish_reason": "eos", "message": {"role": "assistant", "content": "hi"}}]}
response = ChatCompletionResponse.from_dict(data)
print(to_openai(response)["choices"][0]["finish_reason"], from_openai(to_openai(response)) == response)
print("choices[0].finish_reason" in [loss.path for loss in to_openai_with_loss(response, only_openai=True)[1]])
print(Decoder().feed(b"".join(encode_chunks(response_to_chunks(response))))[-1].data)
""",
    "client": """
import asyncio, os
from together_adapters import AsyncTogether, Timeout, Together
question = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
options = {"api_key": "test-key", "base_url": os.environ["BASE_URL"], "timeout": Timeout(10)}
with Together(**options) as client:
    print(client.chat.completions.create(**question).text)
    print("".join(chunk.text for chunk in client.chat.completions.create(stream=True, **question)))
async def main():
    async with AsyncTogether(**options) as client:
        print((await client.chat.completions.create(**question)).text)
asyncio.run(main())
""",
    "lambda": """
from together_adapters.aws_lambda import parse_event, respond, respond_error, respond_stream
from together_adapters.lambda_runtime import RuntimeAPI
event = {"version": "2.0", "rawPath": "/", "body": '{"a": 1}', "requestContext": {"http": {"method": "POST", "path": "/"}}}
print(parse_event(event).json(), respond({"b": 2}, event)["body"])
print(respond_error(RuntimeError("secret"), event)["statusCode"], "[DONE]" in respond_stream([], event)["body"])
""",
}
ANSWER = "The capital of France is Paris.\n"
PRINTED = {
    "types": "hi\n",
    "streams": "hi\nhi cut_off\nTrue 1\n",
    "openai": "stop True\nTrue\n[DONE]\n",
    "client": ANSWER * 3,
    "lambda": "{'a': 1} {\"b\":2}\n500 True\n",
}
FORMS = {
    "folders": {},
    "no-typing": {"typing": False},
    "absolute": {"absolute": True},
    "single-file": {"single_file": True},
    "single-file-no-typing": {"single_file": True, "typing": False},
}
# Each part, and each pair of parts.
COMBINATIONS = [*combinations(PARTS, 1), *combinations([part for part in PARTS if part != "types"], 2)]


def use(folder: Path, code: str, **form: bool) -> str:
    """Run code in a Python that has only a copy, `folder/app`, on its path, and return its output."""
    prefix, path = ("", folder / "app") if form.get("absolute") else ("app.", folder)
    names = r"together_(?:types|adapters)[.\w]*"
    code = re.sub(names, lambda found: prefix + ("together_types" if form.get("single_file") else found.group()), code)
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(path)!r})\n{code}"]
    with serving(respond) as server:
        variables = {"BASE_URL": server.base_url}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder, env=variables)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def modules_in(folder: Path) -> set[str]:
    """Return the dotted names of the modules of a copy."""
    names = [".".join(path.relative_to(folder).with_suffix("").parts) for path in folder.glob("together_*/**/*.py")]
    return {name.removesuffix(".__init__") for name in names}


def size_of(folder: Path) -> int:
    """Return the number of lines of all files below a folder."""
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("*") if path.is_file())


# ---- the modules of a part


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("part", PARTS)
def test_copy_of_one_part_runs_its_example(part: str, form: str, tmp_path: Path) -> None:
    vendor.vendor(tmp_path / "app", only=[part], **FORMS[form])
    assert use(tmp_path, USES[part], **FORMS[form]) == PRINTED[part]


@pytest.mark.parametrize("parts", [parts for parts in COMBINATIONS if len(parts) == 2], ids="-".join)
def test_copy_of_two_parts_runs_both_examples(parts: tuple[str, ...], tmp_path: Path) -> None:
    vendor.vendor(tmp_path / "app", only=parts)
    assert use(tmp_path, "".join(USES[part] for part in parts)) == "".join(PRINTED[part] for part in parts)


@pytest.mark.parametrize("parts", COMBINATIONS, ids="-".join)
def test_copy_has_only_the_modules_that_it_imports(parts: tuple[str, ...], tmp_path: Path) -> None:
    """The standard library's ModuleFinder reads the bytecode of the copy. It also follows the imports in functions."""
    vendor.vendor(tmp_path, only=parts, absolute=True)
    roots = [f"together_adapters.{name}" for part in parts for name in PARTS[part].modules]
    roots += [f"together_types.{path.stem}" for path in PACKAGES[0].glob("*.py") if path.stem != "__init__"]
    (tmp_path / "main.py").write_text("".join(f"import {name}\n" for name in roots))
    finder = ModuleFinder([str(tmp_path)])
    finder.run_script(str(tmp_path / "main.py"))
    assert modules_in(tmp_path) == {name for name in finder.modules if name.startswith("together_")}
    missing, perhaps = finder.any_missing_maybe()
    assert [name for name in missing + perhaps if name.startswith("together_")] == []


@pytest.mark.parametrize("part", [ALL, *PARTS])
def test_no_typing_omits_the_modules_for_type_checkers(part: str, tmp_path: Path) -> None:
    with_typing = {*vendor.vendor(tmp_path / "typing", only=[part])}
    without = {*vendor.vendor(tmp_path / "app", only=[part], typing=False)}
    left_out = {
        "together_types/wire.py",
        "together_types/py.typed",
        "together_adapters/protocols.py",
        "together_adapters/py.typed",
    }
    assert without == with_typing - left_out
    names = sorted(modules_in(tmp_path / "app") - {"together_adapters.__main__"})
    use(tmp_path, "\n".join(f"import {name}" for name in names))


def test_sizes_are_those_of_the_readme(tmp_path: Path) -> None:
    shown = dict(re.findall(r"^\| `(\w+)` \| .* \| ([\d,]+) \|$", README, re.MULTILINE))
    assert shown.keys() == PARTS.keys()
    for part, lines in shown.items():
        vendor.vendor(tmp_path / part, only=[part])
        size = size_of(tmp_path / part / "together_adapters")
        assert size == pytest.approx(int(lines.replace(",", "")), rel=0.1)
        if part == "streams":
            assert size <= 5000


def test_parts_have_no_alias_modules_for_pickles(tmp_path: Path) -> None:
    for parts, count in (([*PARTS], 0), ([ALL], 5)):
        vendor.vendor(tmp_path, only=parts)
        texts = [path.read_text("utf-8") for path in tmp_path.glob("together_adapters/*.py")]
        assert sum("0.1.0" in text and text.count("\n") <= 5 for text in texts) == count


def test_every_part_includes_the_types(tmp_path: Path) -> None:
    assert vendor.vendor(tmp_path / "a", only=["types", "openai"]) == vendor.vendor(tmp_path / "b", only="openai")
    manifest = json.loads((tmp_path / "a" / vendor.MANIFEST).read_text("utf-8"))
    assert manifest["only"] == ["openai"]
    assert vendor.vendor(tmp_path / "c", types_only=True) == vendor.vendor(tmp_path / "d", only=["types"])
    assert vendor.vendor(tmp_path / "e", only=["openai", "all"]) == vendor.vendor(tmp_path / "f")


@pytest.mark.parametrize(("only", "received"), [(["stream"], "'stream'"), ([], "no name"), ("x", "'x'")])
def test_unknown_part_is_refused(only: list[str], received: str, tmp_path: Path) -> None:
    expected = f"expected parts from types, streams, openai, client, lambda and all, got {received}"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        vendor.vendor(tmp_path / "app", only=only)
    with pytest.raises(ValueError, match=f"^{expected}$"):
        vendor.single_file(only=only)
    assert not (tmp_path / "app").exists()


# ---- a missing part


@pytest.mark.parametrize("name", ["encode_chunks", "aencode_chunks", "response_to_chunks"])
@pytest.mark.parametrize("form", ["folders", "single-file"])
def test_missing_encoder_names_the_part_to_add(name: str, form: str, tmp_path: Path) -> None:
    vendor.vendor(tmp_path / "app", only=["streams"], **FORMS[form])
    code = f"""
from together_adapters.sse import {name}
try:
    {name}([])
except ImportError as error:
    print(error)
    print(type(error.__cause__).__name__)
"""
    lines = use(tmp_path, code, **FORMS[form]).splitlines()
    assert lines[0].startswith("the encoder of sse cannot be imported: ") and "_encoding" in lines[0]
    assert lines[0].endswith("copy it again with `--only openai` added to the options of `vendor`")
    assert lines[1] == "ModuleNotFoundError"


@pytest.mark.parametrize("name", ["Together", "AsyncTogether", "Timeout"])
def test_missing_client_names_the_part_to_add(name: str, tmp_path: Path) -> None:
    vendor.vendor(tmp_path / "app", only=["streams", "openai", "lambda"])
    code = f"""
import sys
try:
    from together_adapters import {name}
except ImportError as error:
    print(error)
from together_adapters import *
package = sys.modules[APIError.__module__.rpartition(".")[0]]
print({name!r} in dir(package), hasattr(package, "Nothing"))
"""
    error, rest = use(tmp_path, code).splitlines()
    assert error.startswith(f"{name} cannot be imported: ")
    assert error.endswith("copy it again with `--only client` added to the options of `vendor`")
    assert rest == "False False"


# ---- the form of a copy


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "options",
    [
        "--only streams --only openai",
        "--types-only",
        "--single-file --no-typing",
        "--only client --absolute",
        "--only all",
    ],
)
def test_copy_without_new_options_keeps_its_form(options: str, tmp_path: Path) -> None:
    run("together_adapters", "vendor", str(tmp_path / "a"), *options.split())
    before = files_below(tmp_path / "a")
    done = run("together_adapters", "vendor", str(tmp_path / "a"))
    assert files_below(tmp_path / "a") == before
    shown = options.replace("--types-only", "--only types")
    shown = shown if "--only" in shown else f"--only all {shown}"
    assert f"kept the form of the copy: {shown}\n" in done.stdout.decode()
    done = run("together_adapters", "vendor", str(tmp_path / "a"), "--check")
    assert (done.returncode, f"form: {shown}\n" in done.stdout.decode()) == (0, True)


def test_copy_with_new_options_keeps_no_earlier_option(tmp_path: Path) -> None:
    vendor.vendor(tmp_path / "a", only=["streams"], typing=False, absolute=True)
    done = run("together_adapters", "vendor", str(tmp_path / "a"), "--only", "lambda")
    assert "changed the form of the copy from: --only streams --absolute --no-typing\n" in done.stdout.decode()
    vendor.vendor(tmp_path / "b", only=["lambda"])
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")
    vendor.vendor(tmp_path / "a", single_file=False)
    vendor.vendor(tmp_path / "b", only=["all"])
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")
    assert (tmp_path / "a/together_adapters/vendor/__init__.py").exists()


@pytest.mark.parametrize("key", ["types_only", "single_file", "absolute"])
def test_copy_of_0_1_0_keeps_its_form(key: str, tmp_path: Path) -> None:
    vendor.vendor(tmp_path, **{key: True})
    before = files_below(tmp_path)
    manifest = json.loads((tmp_path / vendor.MANIFEST).read_text("utf-8"))
    written = {**manifest, "types_only": False, "single_file": False, "absolute": False, key: True}
    del written["only"], written["typing"]
    (tmp_path / vendor.MANIFEST).write_text(json.dumps(written))
    assert vendor.check(tmp_path).outdated == []
    vendor.vendor(tmp_path)
    assert files_below(tmp_path) == before


def test_unknown_part_in_a_manifest_is_named_with_its_version(tmp_path: Path) -> None:
    (tmp_path / vendor.MANIFEST).write_text('{"files": {}, "version": "9.0", "only": ["movies"]}')
    for options in ([], ["--check"]):
        done = run("together_adapters", "vendor", str(tmp_path), *options)
        assert done.returncode == 1 and b"written by version 9.0" in done.stderr and b"'movies'" in done.stderr


# ---- the command


def test_vendor_command_prints_a_summary_and_imports(tmp_path: Path) -> None:
    (tmp_path / "src/app").mkdir(parents=True)
    (tmp_path / "src/app/__init__.py").touch()
    done = run("together_adapters", "vendor", "src/app/_vendor", "--only", "streams", "--only", "client", cwd=tmp_path)
    first, *rest = done.stdout.decode().splitlines()
    written = files_below(tmp_path / "src/app/_vendor")
    size = sum(map(len, written.values()))
    assert re.fullmatch(rf"version \S+: {len(written)} files, {size:,} bytes in src/app/_vendor", first)
    assert rest == [
        "import it with: from app._vendor.together_adapters.stream import iter_chunks",
        "import it with: from app._vendor.together_adapters import Together",
    ]
    done = run("together_adapters", "vendor", "src/app/_vendor", "-v", cwd=tmp_path)
    assert {*done.stdout.decode().splitlines()} >= {*written} - {"__init__.py"}


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], "lib.one.together_adapters import Together"),
        (["--absolute"], "together_adapters import Together"),
        (["--single-file"], "lib.one.together_types import Together"),
        (["--only", "types", "--single-file", "--absolute"], "together_types import ChatCompletionResponse"),
    ],
)
def test_output_shows_how_to_import_the_copy(options: list[str], shown: str, tmp_path: Path) -> None:
    done = run("together_adapters", "vendor", "lib/one", *options, cwd=tmp_path)
    statement = f"from {shown}"
    assert done.stdout.decode().splitlines()[1:] == [f"import it with: {statement}"]
    path = "lib/one" if "--absolute" in options else "."
    code = f"import sys; sys.path.insert(0, {path!r}); {statement}"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd=tmp_path)


def test_check_of_an_outdated_copy_fails(tmp_path: Path) -> None:
    vendor.vendor(tmp_path, only=["types"])
    manifest = json.loads((tmp_path / vendor.MANIFEST).read_text("utf-8"))
    text = "# of another version\n"
    (tmp_path / "together_types/error.py").write_text(text)
    manifest["files"]["together_types/error.py"] = hashlib.sha256(text.encode()).hexdigest()
    (tmp_path / vendor.MANIFEST).write_text(json.dumps(manifest))
    done = run("together_adapters", "vendor", str(tmp_path), "--check")
    output = done.stdout.decode()
    assert done.returncode == 1 and "no local edits\n" in output and "would change 1 file\n" in output
    assert (
        "outdated: together_types/error.py\n"
        in run("together_adapters", "vendor", str(tmp_path), "--check", "-v").stdout.decode()
    )
    assert run("together_adapters", "vendor", str(tmp_path)).returncode == 0
    assert run("together_adapters", "vendor", str(tmp_path), "--check").returncode == 0


def test_unusable_options_are_reported_on_one_line(tmp_path: Path) -> None:
    done = run("together_adapters", "vendor", str(tmp_path), "--only", "stream")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"argument --only: expected parts from types, streams, openai, client, lambda and all" in done.stderr
    vendor.vendor(tmp_path)
    done = run("together_adapters", "vendor", str(tmp_path), "--check", "--only", "streams")
    assert done.returncode == 1 and b"reads the form of the copy from its manifest" in done.stderr


def test_help_of_vendor_lists_all_parts() -> None:
    shown = run("together_adapters", "vendor", "--help").stdout.decode()
    listed = shown.split("parts for --only:\n")[1].split("\n\n")[0]
    assert {line.split()[0] for line in listed.splitlines()} == {*PARTS, ALL}
    assert {*re.findall(r"^\| `(\w+)` \|", README.split("| `--only` |")[1].split("\n\n")[0], re.M)} == {*PARTS, ALL}


# ---- reading and changing sources


def test_import_in_function_type_check_or_guard_is_found() -> None:
    code = """
from __future__ import annotations
import os
from .a import x
if TYPE_CHECKING:
    from ..b import y
else:
    from .a import z
def f():
    try:
        from .a import x
        def g():
            from ..b import y
    except ImportError:
        from .c import z
    try:
        from .a import x
    except OSError:
        pass
class C:
    async def h(self):
        with x:
            from ..b import y
"""
    keys = {"p.__init__", "p.b", "p.q.__init__", "p.q.a", "p.q.c"}
    found = [
        (item.module, item.function.name if item.function else "", item.checked, item.guarded)
        for item in own_imports("p.q.__init__", ast.parse(code), keys)
    ]
    assert found == [
        ("p.q.a", "", False, False),
        ("p.b", "", True, False),
        ("p.q.a", "", False, False),
        ("p.q.a", "f", False, True),
        ("p.b", "f", False, True),
        ("p.q.c", "f", False, False),
        ("p.q.a", "f", False, False),
        ("p.b", "h", False, False),
    ]
    for statement in ("from . import a", "from .d import x", "from .. import q"):
        with pytest.raises(ValueError, match=r"p\.q\.c, line 1: only `from \.module import name`"):
            own_imports("p.q.c", ast.parse(statement), keys)


def test_source_edit_that_empties_a_block_adds_pass() -> None:
    code = """if TYPE_CHECKING:
    import a
    if x:
        import b
        import c
try:
    import d
except ImportError:
    e
try:
    import d
finally:
    f
if x:
    import g
    import h
"""
    tree, edits = ast.parse(code), Edits(code)
    edits.drop(tree, [node for node in ast.walk(tree) if isinstance(node, ast.Import) and node.names[0].name != "a"])
    assert (
        edits.text()
        == """if TYPE_CHECKING:
    import a
    if x:
        pass
try:
    pass
finally:
    f
if x:
    pass
"""
    )
