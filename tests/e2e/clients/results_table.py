"""Write the table in README.md from the files in `results/`: `python tests/e2e/clients/results_table.py`."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
README = HERE / "README.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of the table -->"
ORDER = ["openai", "together 1.x", "together 3.x", "litellm", "langchain-openai", "npm openai", "npm together-ai"]


def rendered() -> str:
    """Return the table as Markdown, with a row for each client and mode and a column for each case."""
    clients = {
        result["name"]: result
        for result in [json.loads(path.read_text("utf-8")) for path in HERE.glob("results/*.json")]
    }
    cases = list(next(iter(next(iter(clients.values()))["modes"].values())))
    lines = [f"| client | mode | {' | '.join(cases)} |", "|---" * (len(cases) + 2) + "|"]
    for name in ORDER:
        for mode, outcomes in clients[name]["modes"].items():
            cells = [outcomes[case] for case in cases]
            lines.append(
                f"| {name.removesuffix(' 1.x').removesuffix(' 3.x')} {clients[name]['version']} | `{mode}` | {' | '.join(cells)} |"
            )
    assert set(clients) == set(ORDER)
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    """Return the text of the README with the current table."""
    head, _, rest = text.partition(BEGIN)
    return head + BEGIN + rendered() + END + rest.partition(END)[2]


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
