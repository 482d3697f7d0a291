"""The tables in README.md and ARCHITECTURE.md, made from the code: `python -m tests.documents` writes them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def parameter_table() -> str:
    from tui_chat.core.params import PARAMETERS

    rows = ["| parameter | range | flag | what it does |", "|---|---|---|---|"]
    for one in PARAMETERS:
        where = " *(endpoints that know it)*" if one.extension else ""
        rows.append(f"| {one.label} | {one.range} | `{one.flag}` | {one.explanation}{where} |")
    return "\n".join(rows)


def endpoint_table() -> str:
    """The endpoints that come along, with what is known of each."""
    from tui_chat.core.endpoint_tables import known_endpoints
    from tui_chat.core.params import label_of

    rows = ["| endpoint | name | key | texts | probabilities | not heeded by all or some models |", "|---|---|---|---|---|---|"]  # fmt: skip
    for one in known_endpoints():
        keys = " or ".join(f"`{key}`" for key in one.key_names) or ("any" if one.local else "")
        keys = "none" if one.served_here else keys
        texts = "yes" if one.apis and "completions" in one.apis else "no"
        most = {0: "none", None: "as the model gives"}.get(one.most_logprobs, f"{one.most_logprobs} at a place")  # fmt: skip
        named = [field for rule in one.rules for field in rule.fields]
        fields = ", ".join(label_of(name).lower() for name in dict.fromkeys(named) if name != "logprobs")  # fmt: skip
        rows.append(f"| {one.title} | `{one.name}` | {keys} | {texts} | {most} | {fields or '–'} |")
    return "\n".join(rows)


def key_table() -> str:
    from tui_chat.app import help_sections

    rows = ["| where | key | what it does |", "|---|---|---|"]
    for section in help_sections({}):
        if section.title not in ("Typed commands", "Search filters", "Parameters", "What is saved"):
            place = section.title.lower()
            rows += [f"| {place} | {keys} | {words} |" for keys, words in section.rows]
    return "\n".join(rows)


def command_table() -> str:
    from tui_chat.rooms.chat.commands import COMMANDS

    rows = ["| command | what it does |", "|---|---|"]
    for one in COMMANDS:
        if not one.parameter:
            typed = f"/{one.name} {one.argument}".strip()
            rows.append(f"| `{typed}` | {one.explanation} |")
    return "\n".join(rows)


def filter_table() -> str:
    from tui_chat.app import help_sections

    (section,) = [one for one in help_sections({}) if one.title == "Search filters"]
    rows = ["| filter | finds |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{typed}` | {words} |" for typed, words in section.rows)])


def file_table() -> str:
    rows = ["| file | what it is for |", "|---|---|"]
    for path in sorted((ROOT / "tui_chat").rglob("*.py")):
        doc = ast.get_docstring(ast.parse(path.read_text("utf-8")))
        if doc:
            first = " ".join(doc.split("\n\n")[0].split())
            rows.append(f"| `{path.relative_to(ROOT)}` | {first} |")
    return "\n".join(rows)


def fault_tables() -> str:
    """What can go wrong, and the tests that show what happens then."""
    from tests.faults import FAULTS

    parts = []
    for title, faults in FAULTS.items():
        rows = ["| what goes wrong | what happens | tests |", "|---|---|---|"]
        for one in faults:
            tests = "<br>".join(f"`{test}`" for test in one.tests.split())
            rows.append(f"| {one.what} | {one.then} | {tests} |")
        parts.append("\n".join([f"**{title}**", "", *rows]))
    return "\n\n".join(parts)


TABLES = {
    "README.md": {
        "parameters": parameter_table,
        "endpoints": endpoint_table,
        "keys": key_table,
        "filters": filter_table,
        "commands": command_table,
    },
    "ARCHITECTURE.md": {"files": file_table, "faults": fault_tables},
}


def filled(name: str) -> str:
    """The document with its tables as the code has them now."""
    text = (ROOT / name).read_text("utf-8")
    for mark, table in TABLES[name].items():
        pattern = re.compile(rf"(<!-- {mark} -->\n).*?(\n<!-- /{mark} -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{name} has no place for the table of {mark}")
        content = table()
        found = pattern.search(text)
        assert found is not None
        text = text[: found.start()] + found[1] + content + found[2] + text[found.end() :]
    return text


def main() -> None:
    for name in TABLES:
        (ROOT / name).write_text(filled(name), "utf-8")


if __name__ == "__main__":
    main()
