"""The request that a client sends for `extra_headers`, `extra_query` and `extra_body`, printed as JSON.

`extra_parameters.py MODULE` prints the path, the fields of the query, selected headers and the body. MODULE is
`together_adapters` or an SDK (`together` or `openai`).
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from comparison import RESPONSE, client_of
from http_server import reply, serving


def main() -> None:
    module = importlib.import_module(sys.argv[1])
    with serving(lambda _: [reply(RESPONSE % b"stop")]) as server:
        client_of(module, server.base_url).chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hi"}],
            logit_bias={"1": 1},
            extra_headers={"AUTHORIZATION": "Bearer other", "x-trace": "1"},
            extra_query={"a b": "\u00e9 &", "n": 5, "yes": True, "no": False, "none": None, "list": ["1", "2"]},
            extra_body={"logit_bias": {"2": 2}, "top_k": 5, "stop": None, "model": "other"},
        )
        (request,) = server.requests
    target = urlsplit(request.line.split()[1])
    headers = {name: request.headers[name] for name in ("authorization", "x-trace")}
    print(json.dumps([target.path, parse_qsl(target.query), headers, request.json]))


if __name__ == "__main__":
    main()
