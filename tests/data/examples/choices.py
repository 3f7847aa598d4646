from together_adapters import Together

client = Together()

response = client.chat.completions.create(
    model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
    messages=[{"role": "user", "content": "What is the capital of France?"}],
    n=3,
    temperature=0.9,
)
for choice in response.choices:
    print(f"Choice {choice.index} (seed {choice.seed}): {choice.message.content}")
