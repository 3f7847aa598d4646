"""A batch job's output file for the tests of engines: recorded responses in Together's format, and invalid lines."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from corpus import BODIES, objects
from together_adapters.batch import BatchError, BatchResult, iter_results


def write(path: Path, times: int = 1) -> list[tuple[str, ...]]:
    """Write the file and return the `summary` of each line, as read in one process."""
    with path.open("w", encoding="utf-8") as file:
        for round_ in range(times):
            for number, body in enumerate(BODIES):
                status = body.name.split(".")[-2]  # not a number for some recordings
                for data in objects(body):
                    line = {
                        "custom_id": f"{round_}-{number}",
                        "response": {"status_code": int(status) if status.isdecimal() else None, "body": data},
                    }
                    file.write(json.dumps(line, ensure_ascii=number % 2 == 0) + "\n")
            file.write(
                '{"custom_id": "late", "error": {"message": "expired", "code": "batch_expired"}}\n{"custom_id": "cut", "resp\n'
            )
    return [summary(item) for item in iter_results(path)]


def summary(item: BatchResult | BatchError) -> tuple[str, ...]:
    """Return the parts of a result that are the same in every process. The line number may differ."""
    if isinstance(item, BatchError):
        return ("error", item.custom_id or "", item.message)
    return (
        "result",
        item.custom_id or "",
        item.response.text,
        str(item.response.usage and item.response.usage.total_tokens),
    )


def snippet(name: str) -> dict[str, Any]:
    """Run the code block of SCALING.md that begins with the comment `# name`, and return the names that it defines."""
    page = (Path(__file__).parent / "SCALING.md").read_text("utf-8")
    [code] = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if block.startswith(f"# {name}")]
    namespace: dict[str, Any] = {"__name__": "snippet"}
    exec(code, namespace)
    return namespace
