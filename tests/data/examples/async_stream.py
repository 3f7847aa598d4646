import asyncio

from together_adapters import AsyncTogether

client = AsyncTogether()


async def main() -> None:
    stream = await client.chat.completions.create(
        model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        stream=True,
    )
    async for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="", flush=True)


asyncio.run(main())
