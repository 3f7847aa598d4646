"""The npm packages openai and together-ai, called by a script for Node, client.mjs.

The environment variable NODE_MODULES is the directory of the packages. `reading` describes the names that this module
defines.
"""

import json
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from reading import of_completion, of_stream

MODULES = Path(os.environ.get("NODE_MODULES", "node_modules"))
PACKAGE = os.environ.get("NPM_PACKAGE", "openai")
NAME = f"npm {PACKAGE}"
VERSION = json.loads((MODULES / PACKAGE / "package.json").read_text("utf-8"))["version"]


class JavaScriptError(Exception):
    """An error that the SDK has thrown."""


FAILURES: tuple[type[BaseException], ...] = (JavaScriptError,)


def _run(mode: str, base_url: str, asked: dict[str, Any]) -> list[Any]:
    asked = {key: value for key, value in asked.items() if key != "stream"}
    if PACKAGE == "together-ai" and "top_logprobs" in asked:  # Together's form of the parameter
        asked["logprobs"] = asked.pop("top_logprobs")
    script = Path(__file__).with_name("client.mjs")
    command = ["node", "--no-warnings", str(script), str(MODULES.resolve()), PACKAGE, mode, base_url, json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    said = json.loads(done.stdout)
    if "threw" in said:
        raise JavaScriptError(said["threw"])
    objects: list[Any] = said["objects"]
    return objects


MODES = {
    "create": of_completion(partial(_run, "plain")),
    "stream: true": of_stream(partial(_run, "stream")),
    ".stream()": of_completion(partial(_run, "helper")),
}
