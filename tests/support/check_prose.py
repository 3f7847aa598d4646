"""Find sentences that break the project's rules for English, in docstrings, comments, messages and Markdown.

Each rule is a regular expression and the advice that is printed with it. `python tests/support/check_prose.py` prints
each fault with its file and line, and exits with 1 if there is one; `--count` prints only a number for each rule.
Other paths than the project's can be given.
"""

import argparse
import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PATHS = ("*.md", ".github", "tox.ini", "setup.cfg", ".ci/run", "together_types", "adapters", "stubs", "tests")
SUFFIXES = {".py", ".pyi", ".md", ".ini", ".cfg", ".yml", ".sh", ""}
# recorded and rebuilt data is quoted as it is, and so are the generated tables of other programs' names
SKIPPED = ("tests/data/", "tests/support/check_prose.py", "LICENSE", "__pycache__", ".tox", ".venv")


class Rule(NamedTuple):
    """A searchable fault of style: its name, its pattern, and what to write instead."""

    name: str
    pattern: "re.Pattern[str]"
    advice: str


def _rule(name: str, pattern: str, advice: str) -> Rule:
    return Rule(name, re.compile(pattern, re.IGNORECASE), advice)


IN_SENTENCES = (
    _rule("is no", r"(?<!there )(?<!here )\b(?:is|are|was|were|be) (?-i:no|none)\b(?! (?:longer|more|one|way)\b)",
          "negate the verb: 'is not valid JSON', 'is absent'"),
    _rule("stands", r"\bstand(?:s|ing)?\b(?!-|ard| alone| for\b)", "use is, appears, is kept"),
    _rule("old words", r"\b(?:beside|borne|bent|mend(?:s|ed)?|spelt|deserves?|for ever|gone on|nobody's|whoever|"
          r"asked for leave|honest(?:ly)?|anew|thereof|whereof|lest|nobody|no one|glued?|account for|in the clear"
          r"|g(?:ive|iven|ives|ave|iving) up|go(?:es)? (?:on|out|there)|leads? here|lets? no|turned line ends"
          r"|with (?:its|their) use|may not be there|tak(?:e|es|en) (?:\w+ ){0,4}for no)\b|\bmade up\b(?! of)"
          r"|\b(?:is|was|are|were|as|for|passes) whole\b(?! \w+s?\b(?<!enough))", "use the usual word"),
    _rule("otherwise", r"\botherwise than\b|\b(?:read|ha(?:ve|s|d)|spelled|written|streams?|sent|answer(?:ed)?|d(?:o|oes|one)"
          r"|declared?) otherwise\b", "state the difference: 'is read differently', 'differs in'"),
    _rule("requests as questions", r"\b(?:is|are|was|were) asked\b|\b(?:each|event|shape|form) asks for\b"
          r"(?! (?:an?|the) )", "a request is sent, a client requires or expects"),
    _rule("is to be", r"(?<!that )(?<!which )\b(?:is|are) to be\b", "use must be, or write what happens"),
    _rule("data that speaks", r"\b(?:says?|said|tells?|told|speaks?|spoken|knows of)\b",
          "data contains, declares, indicates or reports"),
    _rule("headless clause", r"(?:^|[.;] )(?:What|Whatever|Whoever|Whether)\b(?![^.]*\?)", "begin with the noun it means"),
    _rule("what is none", r"\b(?:what|which|that|who) (?:is|are) none\b|\bmay want one\b|\bcannot be (?:are|is)\b"
          r"|\bby this(?=[:;,.])|\bwhat (?:fits|refuses|comes|goes|of (?:it|them|the)|cannot|no one|nobody)\b"
          r"|\bas (?:its|their|the) \w+ ha(?:s|ve) it\b", "name the noun"),
    _rule("ritual negative", r"(?:^|[.] )Nothing (?:here|is|else|of)\b|(?:^|[.] )It never\b|(?:^|[.] )Never \w+s\b",
          "write the invariant in one line: 'Does no I/O.'"),
    _rule("semicolon", r"\w[)\"'’`]?;(?: |$)", "write two sentences"),
)  # fmt: skip
LONG = Rule("long sentence", re.compile(r"(?:\S+\s+){44,}\S+"), "write at most 44 words in a sentence")
FIRST_WORD = _rule(
    "docstring without a verb",
    r"^(?:An?|The|What|Whether|How|Where|Which|Who|Every|Each|All|No|None|Nothing|This|That|It|Its|One|If|As|In|For|With|Like)\b",
    "begin a function's docstring with a verb in the imperative",
)
TEST_NAME = _rule(
    "test name",
    r"(?<![a-z])(?:is_no|are_no|is_none|are_none|stands?|beside|mended|spelt|deserves?|for_ever|says?|said|tells?|told"
    r"|what|whatever|whoever|whether|nobody|honest|odd|torn|knows)(?![a-z])|^test(?:_[^_]+){1,3}$",
    "name a test subject_condition_result",
)
RULES = (*IN_SENTENCES, LONG, FIRST_WORD, TEST_NAME)


class Text(NamedTuple):
    """A piece of prose: its line in the file, its text, and whether it is a function's docstring or a test's name."""

    line: int
    text: str
    kind: str = "prose"


def _is_property(node: ast.AST) -> bool:
    names = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
    return any(name.rpartition(".")[2] in {"property", "cached_property", "fixture", "overload"} for name in names)


def _string(node: ast.AST) -> str:
    """Return the text of a string or an f-string, with `x` for each replacement field."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_string(part) if isinstance(part, ast.Constant) else "x" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _docstring(node: ast.AST) -> Iterator[Text]:
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and _string(first.value):
            function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not _is_property(node)
            test = getattr(node, "name", "").startswith("test_")
            yield Text(first.lineno, _string(first.value), "function" if function and not test else "prose")


def _of_python(source: str, messages: bool) -> Iterator[Text]:
    """Yield docstrings, comments and test names, and with `messages` every other string of five words or more."""
    documented: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        for text in _docstring(node):
            documented.add(text.line)
            yield text
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            yield Text(node.lineno, node.name, "test name")
    if messages:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.lineno not in documented:
                text = _string(node)
                if len(re.findall(r"\b[a-z]{2,}\b", text)) >= 5:
                    yield Text(node.lineno, text)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    yield from _paragraphs(
        (token.start[0], token.string.lstrip("#:! "), token.line.strip().startswith("#"))
        for token in tokens
        if token.type == tokenize.COMMENT
        and not re.match(r"#\s*(?:type:|noqa|pragma|fmt:|pyright|mypy|ruff)", token.string)
    )


def _paragraphs(lines: Iterator[tuple[int, str, bool]]) -> Iterator[Text]:
    """Join the lines of a comment that follow each other."""
    start, last, text = 0, -1, ""
    for number, line, joins in lines:
        if text and joins and number == last + 1:
            text += " " + line
        else:
            if text:
                yield Text(start, text)
            start, text = number, line
        last = number
    if text:
        yield Text(start, text)


def _of_markdown(source: str) -> Iterator[Text]:
    """Yield the lines outside of code blocks; those of a paragraph are joined."""
    code = False
    start, text = 1, ""
    for number, line in enumerate(source.splitlines(), 1):
        fence = line.lstrip().startswith("```")
        if fence or code or not line.strip() or re.match(r"\s*(?:[-*|#]|\d+\.) ?", line):
            if text:
                yield Text(start, text)
            start, text = number, ""
        if fence:
            code = not code
        elif not code and line.strip():
            text = f"{text} {line.strip()}".strip()
    if text:
        yield Text(start, text)


def _of_settings(source: str) -> Iterator[Text]:
    lines = ((number, line.strip().lstrip("# "), True) for number, line in enumerate(source.splitlines(), 1)
             if re.match(r"\s*#(?!!)|description ?=", line))  # fmt: skip
    yield from _paragraphs(lines)


def texts_of(path: Path) -> Iterator[Text]:
    """Yield the prose of one file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix in {".py", ".pyi"}:
        return _of_python(source, messages="tests" not in path.parts)
    return _of_markdown(source) if path.suffix == ".md" else _of_settings(source)


def _sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text without its code: examples, indented blocks, and what is between backquotes."""
    text = re.sub(r"(?m)^[ \t]*(?:>>>|\.\.\. ).*$|^(?: {8,}|\t).*$|`+[^`]*`+", "X", text)
    for paragraph in re.split(r"\n\s*\n|\n\s*[-*] |\n\s*\|| \| ", text):
        yield from re.split(r"(?<=[.?!])\s+(?=[A-Z`\"'(])", " ".join(paragraph.split()))


def faults_of(text: Text) -> Iterator[tuple[Rule, str]]:
    """Yield each rule that a text breaks, with the passage."""
    if text.kind == "test name":
        if TEST_NAME.pattern.search(text.text):
            yield TEST_NAME, text.text
        return
    if text.kind == "function" and FIRST_WORD.pattern.search(text.text.strip()):
        yield FIRST_WORD, text.text.strip().splitlines()[0]
    for sentence in _sentences(text.text):
        for rule in (*IN_SENTENCES, LONG):
            for found in rule.pattern.finditer(sentence):
                yield rule, sentence[max(0, found.start() - 40) : min(found.end(), found.start() + 40) + 40]


def files_of(root: Path, patterns: "tuple[str, ...]") -> Iterator[Path]:
    """Yield the files with prose that the patterns name under `root`; a folder stands for everything in it."""
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                name = file.relative_to(root).as_posix()
                if file.is_file() and file.suffix in SUFFIXES and not any(part in name for part in SKIPPED):
                    yield file


def main() -> int:
    """Print the faults, or their number for each rule."""
    parser = argparse.ArgumentParser(description="find sentences that break the project's rules for English")
    parser.add_argument("--count", action="store_true", help="print only the number of faults for each rule")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that the patterns are relative to")
    parser.add_argument("patterns", nargs="*", default=PATHS)
    args = parser.parse_args()
    counts: Counter[str] = Counter()
    for path in files_of(args.root, tuple(args.patterns)):
        for text in texts_of(path):
            for rule, passage in faults_of(text):
                counts[rule.name] += 1
                if not args.count:
                    print(f"{path.relative_to(args.root)}:{text.line}: {rule.name}: {passage.strip()} ({rule.advice})")
    if args.count:
        for rule in RULES:
            print(f"{rule.name:26}{counts[rule.name]:6}")
    return int(bool(counts))


if __name__ == "__main__":
    raise SystemExit(main())
