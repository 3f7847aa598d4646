"""Event streams, chunks and completions of Together and OpenAI-format servers, on the standard library alone."""
