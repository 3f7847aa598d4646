"""A model of 3 MB whose responses are known in advance: it generates one of several scripts. Needs no downloaded
weights.

The attention and feed-forward layers output zero, so the next token depends only on the last one. Each script is split
into unique tokens, and the output matrix makes every token predict the one after it. `[[name]]` in the last user
message selects a script, by default `hello`: the chat template ends the prompt with the token that starts it.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np

WIDTH, CONTEXT = 256, 4096
CALL = '{"name": "get_weather", "arguments": {"city": "Paris", "unit": "celsius"}}'
MARKS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
SCRIPTS: dict[str, list[str]] = {
    "hello": ["The capital of France is Paris. It lies on the river Seine."],
    "unicode": [
        "Gr\u00fc\u00dfe, \u4e16\u754c! \U0001f600\U0001f44d\U0001f3fd \u201cq\u201d \u2028LS\u2029PS\u0085NEL \U0001f469\u200d\U0001f467 \u05e9\u05dc \ufdfd"
    ],
    "tool": ["<tool_call>", "\n" + CALL + "\n", "</tool_call>"],
    "think": ["<think>", "\nTwo and two are asked for.\n", "</think>", "\n\nThe answer is 4."],
    "json": ['{"answer": 42, "list": [1, 2, 3], "ok": true}'],
}
CHOICES = {" A": 0.70, " B": 0.20, " C": 0.07, " D": 0.03}
LOOP = ["lorem", " ipsu", "m dol", "or si", "t am\u00e9t", ", \U0001f680 c", "onsec", "tetur"]
CONTROLS = ("<|begin|>", "<|im_end|>", "<|im_start|>")

TEMPLATE = """{%- set ns = namespace(script='hello') -%}
{%- for m in messages -%}{%- if m.role == 'user' and m.content is string -%}{%- set ns.script = 'hello' -%}
{%- for name in NAMES -%}{%- if '[[' + name + ']]' in m.content -%}{%- set ns.script = name -%}{%- endif -%}{%- endfor -%}
{%- elif m.role == 'tool' -%}{%- set ns.script = 'hello' -%}{%- endif -%}{%- endfor -%}
{%- if tools -%}{{- '<|im_start|>system\\n# Tools\\n<tools>' -}}{%- for t in tools -%}{{- '\\n' -}}{{- t | tojson -}}{%- endfor -%}
{{- '\\n</tools>\\nFor each function call return a json object within <tool_call></tool_call> tags:\\n<tool_call>\\n' -}}
{{- '{"name": <function-name>, "arguments": <args-json-object>}\\n</tool_call><|im_end|>\\n' -}}{%- endif -%}
{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' -}}
{%- if m.reasoning_content -%}{{- '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' -}}{%- endif -%}
{%- if m.content is string -%}{{- m.content -}}{%- endif -%}
{%- if m.tool_calls -%}{%- for call in m.tool_calls -%}{%- set f = call.function if call.function else call -%}
{{- '<tool_call>\\n{"name": "' + f.name + '", "arguments": ' -}}
{%- if f.arguments is string -%}{{- f.arguments -}}{%- else -%}{{- f.arguments | tojson -}}{%- endif -%}
{{- '}\\n</tool_call>' -}}{%- endfor -%}{%- endif -%}{{- '<|im_end|>\\n' -}}{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n<|script_' + ns.script + '|>' -}}{%- endif -%}
"""


def letters_of_bytes() -> dict[int, str]:
    """Return the character that GPT-2's tokenizer uses for each byte."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {**{byte: chr(byte) for byte in shown}, **{byte: chr(256 + n) for n, byte in enumerate(hidden)}}


LETTERS = letters_of_bytes()


def spelled(piece: bytes) -> str:
    return "".join(LETTERS[byte] for byte in piece)


class Vocabulary:
    """The tokens of the model: every byte, the pieces of the scripts, and named tokens."""

    def __init__(self) -> None:
        self.tokens: list[str] = [LETTERS[byte] for byte in range(256)]
        self.numbers = {token: number for number, token in enumerate(self.tokens)}

    def add(self, token: str) -> int:
        if token in self.numbers:
            raise ValueError(f"the token {token!r} is already in the vocabulary")
        self.numbers[token] = len(self.tokens)
        self.tokens.append(token)
        return self.numbers[token]

    def cut(self, text: str) -> list[int]:
        """Split a text into new tokens of three bytes or more, and return their numbers.

        A token may begin or end within a character.
        """
        data, pieces, start = text.encode(), [], 0
        while start < len(data):
            end = start + 3
            while spelled(data[start:end]) in self.numbers or spelled(data[start:end]) in map(spelled, pieces):
                end += 1
            if len(data) - end < 3:  # the rest is too short to be a token of its own
                end = len(data)
            pieces.append(data[start:end])
            start = end
        return [self.add(spelled(piece)) for piece in pieces]


def build(path: Path) -> None:
    """Write the model as GGUF."""
    vocabulary = Vocabulary()
    marks = {mark: vocabulary.add(mark) for mark in MARKS}
    controls = {name: vocabulary.add(name) for name in CONTROLS}
    names = [*SCRIPTS, "mcq", "endless"]
    starts = {name: vocabulary.add(f"<|script_{name}|>") for name in names}
    end = controls["<|im_end|>"]
    chains = {
        name: [t for part in parts for t in ([marks[part]] if part in marks else vocabulary.cut(part))]
        for name, parts in SCRIPTS.items()
    }
    choices = {vocabulary.add(spelled(text.encode())): chance for text, chance in CHOICES.items()}
    loop = [vocabulary.add(spelled(text.encode())) for text in LOOP]
    merge = (LETTERS[32], "t")  # llama.cpp requires at least one merge
    if "".join(merge) not in vocabulary.numbers:
        vocabulary.add("".join(merge))

    random = np.random.default_rng(7)
    count = len(vocabulary.tokens)
    inputs = random.standard_normal((count, WIDTH)).astype(np.float32)
    inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
    outputs = random.standard_normal((count, WIDTH)).astype(np.float32)
    outputs *= 0.2 / np.linalg.norm(outputs, axis=1, keepdims=True)
    outputs[list(controls.values()) + list(starts.values())] = 0.0
    for name, chain in chains.items():
        for before, after in zip([starts[name], *chain], [*chain, end]):
            outputs[after] += inputs[before]
    for before, after in zip([starts["endless"], *loop], [*loop, loop[0]]):
        outputs[after] += inputs[before]
    # The norm multiplies by the square root of the width: a weight of 1 is a logit of 16. The weights of these four
    # tokens result in exactly their probabilities.
    scale = math.sqrt(WIDTH)
    for token, chance in choices.items():
        weight = 1 + math.log(chance / max(CHOICES.values())) / scale
        outputs[token] += (weight - outputs[token] @ inputs[starts["mcq"]]) * inputs[starts["mcq"]]
        outputs[end] += inputs[token]
    outputs[end] -= (outputs[end] @ inputs[starts["mcq"]]) * inputs[starts["mcq"]]
    _write(
        path,
        vocabulary,
        {**controls, **starts},
        set(marks.values()),
        (inputs, outputs),
        f"{merge[0]} {merge[1]}",
        names,
    )


def _write(
    path: Path,
    vocabulary: Vocabulary,
    controls: dict[str, int],
    marks: set[int],
    matrices: Any,
    merge: str,
    names: list[str],
) -> None:
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("scripted")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(WIDTH // 4)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(vocabulary.tokens))
    writer.add_file_type(0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token.encode() for token in vocabulary.tokens])
    kinds = [3 if n in controls.values() else 4 if n in marks else 1 for n in range(len(vocabulary.tokens))]
    writer.add_token_types(kinds)
    writer.add_token_merges([merge])
    writer.add_bos_token_id(controls["<|begin|>"])
    writer.add_eos_token_id(controls["<|im_end|>"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE.replace("NAMES", str(names)))
    square = (WIDTH, WIDTH)
    random = np.random.default_rng(8)
    small = {
        name: (random.standard_normal(square) * 0.02).astype(np.float32)
        for name in ("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up")
    }
    zero = {name: np.zeros(square, np.float32) for name in ("attn_output", "ffn_down")}
    one = {name: np.ones(WIDTH, np.float32) for name in ("attn_norm", "ffn_norm")}
    tensors = {f"blk.0.{name}.weight": tensor for name, tensor in {**small, **zero, **one}.items()}
    tensors.update(
        {
            "token_embd.weight": matrices[0],
            "output.weight": matrices[1],
            "output_norm.weight": np.ones(WIDTH, np.float32),
        }
    )
    for name, tensor in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
