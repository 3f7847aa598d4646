from openai.types.completion_usage import CompletionUsage as CompletionUsage
