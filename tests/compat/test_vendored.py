"""The portable tests with copies inside other packages, made by `vendor` and by other tools."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from result_rows import record
from table import ROOT, RUN, interpreters, portable, with_sources
from together_adapters import vendor

NESTED = "together_types=app._vendor.together_types together_adapters=app._vendor.together_adapters"
STREAM = b'data: {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}\n\n'


@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_in_vendored_folders(python: str, tmp_path: Path) -> None:
    vendor.vendor(tmp_path / "app" / "_vendor")
    environment = {**os.environ, "ALIASES": NESTED}
    command = [interpreters()[python], RUN, str(tmp_path)]
    portable(python, command, suite="portable, in app._vendor", of="app/_vendor/together_types", env=environment)


@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_in_renamed_folders(python: str, tmp_path: Path) -> None:
    folder = tmp_path / "app" / "_vendor"
    vendor.vendor(folder)
    (folder / "together_types").rename(folder / "values")
    (folder / "together_adapters").rename(folder / "streams")
    seam = folder / "streams" / "_types.py"
    seam.write_text(seam.read_text("utf-8").replace("from ..together_types", "from ..values"), "utf-8")
    environment = {**os.environ, "ALIASES": "together_types=app._vendor.values together_adapters=app._vendor.streams"}
    portable(
        python,
        [interpreters()[python], RUN, str(tmp_path)],
        suite="portable, renamed",
        of="app/_vendor/values",
        env=environment,
    )


@pytest.mark.parametrize("python", interpreters())
def test_portable_tests_pass_in_a_single_file(python: str, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "tests" / "compat" / "single_file.py"), str(tmp_path)],
        check=True,
        env=with_sources(),
    )
    portable(
        python, [interpreters()[python], "-I", RUN, str(tmp_path)], suite="portable, single file", of=str(tmp_path)
    )


TWO_COPIES = f"""
import sys; sys.path.insert(0, '.')
from one._vendor.together_adapters.stream import iter_chunks as read_by_one
from one._vendor.together_adapters.openai_format import to_openai
from one._vendor.together_types import ChatCompletionChunk as One, ChatCompletionResponse
from two._vendor.together_adapters.stream import iter_chunks as read_by_two
from two._vendor.together_adapters.sse import encode_chunks
from two._vendor.together_adapters.accumulate import accumulate
from two._vendor.together_types import ChatCompletionChunk as Two, UsageData, __version__
assert One is not Two and __version__ == "9.9.9"
ones = list(read_by_one([{STREAM!r}]))
twos = [Two.from_dict(chunk.to_dict()) for chunk in ones]
assert [chunk.to_dict() for chunk in twos] == [chunk.to_dict() for chunk in ones] and twos != ones
assert str(twos[0].choices[0].finish_reason) == ones[0].choices[0].finish_reason
data = b"".join(encode_chunks(chunk.to_dict() for chunk in ones))
assert [chunk.text for chunk in read_by_one([data])][0] == "hi"
response = accumulate(twos).response
assert to_openai(response.to_dict()) == to_openai(ChatCompletionResponse.from_dict(response.to_dict()))
assert to_openai(response) == to_openai(response.to_dict()), "a value of another copy is converted with its to_dict()"
print("two copies")
"""


@pytest.mark.parametrize("python", interpreters())
def test_two_copies_exchange_values_as_dicts(python: str, tmp_path: Path) -> None:
    vendor.vendor(tmp_path / "one" / "_vendor")
    vendor.vendor(tmp_path / "two" / "_vendor")
    other = tmp_path / "two" / "_vendor" / "together_types"
    for path, old, new in (
        ("__init__.py", '__version__ = "0', '__version__ = "9.9.9" or "'),
        ("common.py", 'EOS = "eos"', 'EndOfSequence = "eos"'),
    ):
        text = (other / path).read_text("utf-8")
        assert old in text
        (other / path).write_text(text.replace(old, new), "utf-8")
    started = time.perf_counter()
    done = subprocess.run(
        [interpreters()[python], "-I", "-c", TWO_COPIES], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "two copies\n", done.stderr
    record(python, "two different copies in one process", started)


def test_portable_tests_pass_in_a_copy_by_the_vendoring_tool(tmp_path: Path) -> None:
    pytest.importorskip("vendoring")
    wheels, host = tmp_path / "wheels", tmp_path / "host"
    pip = [sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run(pip, check=True)
    [wheel] = wheels.glob("*.whl")
    target = host / "app" / "_vendor"
    target.mkdir(parents=True)
    (host / "patches").mkdir()
    for path in (host / "app" / "__init__.py", target / "__init__.py"):
        path.touch()
    (target / "vendor.txt").write_text(f"together-types=={wheel.name.split('-')[1]}\n")
    (host / "pyproject.toml").write_text("""
[tool.vendoring]
destination = "app/_vendor/"
requirements = "app/_vendor/vendor.txt"
namespace = "app._vendor"
protected-files = ["__init__.py", "vendor.txt"]
patches-dir = "patches"
[tool.vendoring.transformations]
drop = ["*.dist-info"]
""")
    environment = {**os.environ, "PIP_FIND_LINKS": str(wheels)}
    subprocess.run(["git", "init", "-q", "."], check=True, cwd=host)
    subprocess.run([sys.executable, "-m", "vendoring", "sync"], check=True, cwd=host, env=environment)
    for package in ("together_types", "together_adapters"):
        assert (target / package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
        assert (target / package / "py.typed").exists()
    assert "from app._vendor.together_types import" in (target / "together_adapters" / "_types.py").read_text("utf-8")
    environment = {**os.environ, "ALIASES": NESTED}
    portable(
        f"CPython {sys.version.split()[0]}",
        [sys.executable, RUN, str(host)],
        suite="portable, pip's vendoring",
        of="app/_vendor",
        env=environment,
    )


MODULE = (
    """#!/usr/bin/python
import sys
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.acme.llm.plugins.module_utils import together_types as tt

def main():
    module = AnsibleModule(argument_spec={})
    stream = tt.iter_chunks([%r])
    texts = [chunk.text for chunk in stream]
    batch = [type(item).__name__ for item in tt.iter_results([b'{"custom_id": "a", "response": {"status_code": 200, "body": {"choices": []}}}\\nno'])]
    module.exit_json(texts=texts, state=stream.completion.state, batch=batch, python=sys.version.split()[0], file=tt.__file__)

if __name__ == "__main__":
    main()
"""
    % STREAM
)


def test_ansible_module_imports_the_single_file(tmp_path: Path) -> None:
    """AnsiballZ finds the imports in the source, and runs the module from a zip on the target."""
    ansible = shutil.which("ansible", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not ansible:
        pytest.skip("ansible is not installed")
    plugins = tmp_path / "ansible_collections" / "acme" / "llm" / "plugins"
    (plugins / "modules").mkdir(parents=True)
    vendor.vendor(plugins / "module_utils", single_file=True)
    (plugins / "modules" / "probe.py").write_text(MODULE)
    (plugins.parent / "galaxy.yml").write_text("namespace: acme\nname: llm\nversion: 1.0.0\nauthors: [a]\nreadme: R\n")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    tried = 0
    for name, python in interpreters("COMPAT_ALL_PYTHONS").items():
        started = time.perf_counter()
        local = [ansible, "localhost", "-c", "local", "-e", f"ansible_python_interpreter={shutil.which(python)}"]
        ping = subprocess.run([*local, "-m", "ansible.builtin.ping"], capture_output=True, env=environment, timeout=120)
        if ping.returncode:
            continue  # this release of Ansible does not support this interpreter
        done = subprocess.run(
            [*local, "-m", "acme.llm.probe"], capture_output=True, text=True, env=environment, timeout=120
        )
        assert done.returncode == 0 and "=>" in done.stdout, (done.stdout + done.stderr)[-2000:]
        answer = json.loads(done.stdout[done.stdout.index("{") :])
        assert (answer["texts"], answer["state"], answer["batch"]) == (
            ["hi"],
            "finished",
            ["BatchResult", "BatchError"],
        )
        assert ".zip" in answer["file"] and name.endswith(answer["python"])
        record(name, "single file under AnsiballZ", started)
        tried += 1
    assert tried
