"""Five programs as users of together-python 1.x write them, with the imports of this library.

Only type checkers read this file.
"""

import asyncio
import json

from together_adapters import AsyncTogether, Together
from typing_extensions import assert_type

from together_types import ChatCompletionChunk, ChatCompletionResponse

client = Together()

# 1. a response
response = client.chat.completions.create(
    model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
    messages=[{"role": "user", "content": "What is the capital of France?"}],
    max_tokens=64,
)
assert_type(response, ChatCompletionResponse)
assert response.choices and response.choices[0].message and response.usage
print(response.choices[0].message.content)
print(f"Finish reason: {response.choices[0].finish_reason}")
print(response.usage.prompt_tokens, response.usage.completion_tokens, response.usage.total_tokens)
print(response.id, response.model, response.created)

# 2. a stream
stream = client.chat.completions.create(
    model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
    messages=[{"role": "user", "content": "Tell me a story"}],
    stream=True,
)
for chunk in stream:
    assert_type(chunk, ChatCompletionChunk)
    if chunk.choices and chunk.choices[0].delta and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
    if chunk.choices and chunk.choices[0].finish_reason:
        print(chunk.choices[0].finish_reason)

# 3. tool calls
answer = client.chat.completions.create(
    model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
    messages=[{"role": "user", "content": "What is the weather in Paris?"}],
    tools=[
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
        }
    ],
)
for choice in answer.choices or ():
    for tool_call in (choice.message and choice.message.tool_calls) or ():
        if tool_call.function and tool_call.function.arguments:
            print(tool_call.function.name, json.loads(tool_call.function.arguments))

# 4. several choices
several = client.chat.completions.create(
    model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
    messages=[{"role": "user", "content": "Name a colour"}],
    n=3,
    seed=7,
)
for choice in several.choices or ():
    print(choice.index, choice.seed, choice.message.content if choice.message else None)


# 5. asyncio
async def main() -> None:
    async_client = AsyncTogether()
    async_stream = await async_client.chat.completions.create(
        model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        messages=[{"role": "user", "content": "Tell me a story"}],
        stream=True,
    )
    async for chunk in async_stream:
        assert_type(chunk, ChatCompletionChunk)
        if chunk.choices and chunk.choices[0].delta:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    whole = await async_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert_type(whole, ChatCompletionResponse)


asyncio.run(main())
