"""The hover texts of an editor: those that pyright's language server returns for public names.

`python tests/typing/hover.py` prints them, and exits with 1 if one does not contain the text in NAMES.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCE = """\
from together_adapters import Together
from together_adapters.openai_format import to_openai
from together_adapters.sse import ServerSentEvent
from together_adapters.stream import iter_chunks
from together_types import ChatCompletionResponse, FinishReason

response = ChatCompletionResponse.from_json(b"{}")
response.to_dict()
Together().chat.completions.create(model="m", messages=[])
FinishReason.EOS
"""
# A place in SOURCE, and the beginning of the docstring whose text is expected there.
NAMES = [
    ("ChatCompletionResponse.from_json", "Return the value that JSON text describes. By"),
    ("response.to_dict", "Return the JSON object as a new dict"),
    ("completions.create", "Create a chat completion"),
    ("import iter_chunks", "Return an iterator over the chunks of a stream of bytes"),
    ("import to_openai", "Return a value in OpenAI's format"),
    ("import ServerSentEvent", "One event of a stream"),
    ("import Together", "A client of Together"),
    ("import ChatCompletionResponse", "The response to a request without streaming"),
    ("FinishReason.EOS", "The model wrote its end-of-sequence token"),
]


class LanguageServer:
    """A process of pyright's language server, which is used over its standard input and output."""

    def __init__(self) -> None:
        program = Path(sys.executable).with_name("pyright-langserver")
        self._process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._last = 0

    def send(self, method: str, **params: Any) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, **params: Any) -> Any:
        self._last += 1
        self._write({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while True:
            message = self._read()
            if "method" in message and "id" in message:  # a request for settings, which are left at their defaults
                asked = json.dumps(message.get("params")).count('"section"')
                self._write({"jsonrpc": "2.0", "id": message["id"], "result": [None] * asked})
            elif message.get("id") == self._last:
                return message.get("result")

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps(message).encode("ascii")
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (line := self._process.stdout.readline()).strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise SystemExit("the language server ended before it answered")
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message

    def stop(self) -> None:
        self.ask("shutdown")
        self.send("exit")
        self._process.communicate(timeout=20)


def hover_texts(source: str, places: list[str]) -> list[str]:
    """Return the hover text at the end of each place in the source."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "example.py")
        path.write_text(source, "utf-8")
        extra = [str(ROOT), str(ROOT / "adapters")]
        Path(folder, "pyrightconfig.json").write_text(json.dumps({"extraPaths": extra}), "utf-8")
        server = LanguageServer()
        uri = Path(folder).resolve().as_uri()
        folders = [{"uri": uri, "name": "example"}]
        server.ask("initialize", processId=None, rootUri=uri, workspaceFolders=folders, capabilities={})
        server.send("initialized")
        document = f"{uri}/example.py"
        server.send(
            "textDocument/didOpen", textDocument={"uri": document, "languageId": "python", "version": 1, "text": source}
        )
        texts: list[str] = []
        for place in places:
            end = source.index(place) + len(place) - 1
            position = {"line": source.count("\n", 0, end), "character": end - source.rfind("\n", 0, end) - 1}
            found = server.ask("textDocument/hover", textDocument={"uri": document}, position=position)
            texts.append(found["contents"]["value"] if found else "")
        server.stop()
    return texts


def main() -> int:
    missing = 0
    for (place, beginning), text in zip(NAMES, hover_texts(SOURCE, [place for place, _ in NAMES])):
        plain = re.sub(r"\s+", " ", text.replace("&nbsp;", " ").replace("\\", ""))
        missing += beginning not in plain
        print(f"== {place}\n{text.strip()}\n")
    if missing:
        print(f"{missing} of {len(NAMES)} hover texts do not contain the expected docstring")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
