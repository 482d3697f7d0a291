"""The rules of the house: one place for each parameter, imports one way, documents that are true."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disk_faults import Fault
from tests.documents import ROOT, TABLES, filled
from tests.faults import FAULTS
from tui_chat.core.params import PARAMETERS

PACKAGE = ROOT / "tui_chat"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
NAMES = {parameter.name for parameter in PARAMETERS} - {"stop", "verbosity"}  # Everyday words.
MAY_NAME = {
    # The wire: some servers want the most tokens under another name.
    "core/learned.py": {"max_tokens"},
    # The length that a reply may have counts in what the model's window holds.
    "core/overflow.py": {"max_tokens"},
    # ChatGPT's word for a reply that ended there.
    "core/formats/chatgpt.py": {"max_tokens"},
    # The built-in server's own defaults, set so that what is not sent changes nothing.
    "core/local/child.py": {"top_k", "top_p", "min_p"},
    # What each of them does to the probabilities.
    "core/sampling.py": NAMES - {"max_tokens", "seed"},
    "core/knobs.py": NAMES - {"max_tokens", "seed"},
    "core/places.py": {"frequency_penalty", "presence_penalty"},
    "core/engines.py": NAMES - {"max_tokens", "seed"},
    "core/caveats.py": NAMES - {"max_tokens", "seed"},
    "core/bounds.py": NAMES - {"max_tokens", "seed"},
}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def _spelled(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_parameter_is_named_in_one_file_only(path: Path) -> None:
    place = str(path.relative_to(PACKAGE))
    if place == "core/params.py":
        return
    spelled = _spelled(ast.parse(path.read_text("utf-8"))) & NAMES
    assert spelled <= MAY_NAME.get(place, set())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


def test_files_of_tests_stay_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in TESTS
    }
    assert not {name: length for name, length in lengths.items() if length > LONGEST_FILE}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def _loaded_by(module: str) -> set[str]:
    code = f"import {module}, sys; print(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_core_loads_neither_the_screen_nor_a_client() -> None:
    loaded = _loaded_by("tui_chat.core.world")
    assert not loaded & {"textual", "rich", "openai", "tiktoken", "xllamacpp", "genai_prices"}


def test_the_app_starts_without_what_only_a_request_needs() -> None:
    loaded = _loaded_by("tui_chat.app")
    assert "textual" in loaded
    assert not loaded & {
        "openai",
        "tiktoken",
        "xllamacpp",
        "genai_prices",
        "markdown_it",
        "pygments",
    }


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """All of a module but what only a type checker reads."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                yield from _run(other)
        else:
            yield from _run(node)


@pytest.mark.parametrize(
    ("driver", "importers"),
    [
        ("openai", {"core/client.py"}),
        ("tiktoken", {"core/counting.py"}),
        ("xllamacpp", {"core/local/child.py"}),
        ("sqlite3", {"core/database.py"}),
    ],
)
def test_each_driver_has_one_importer(driver: str, importers: set[str]) -> None:
    found = set()
    for path in SOURCES:
        text = path.read_text("utf-8")
        if driver not in text:
            continue
        for node in _run(ast.parse(text)):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(name.split(".")[0] == driver for name in names):
                found.add(str(path.relative_to(PACKAGE)))
    assert found <= importers


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_in_the_documents_are_current(name: str) -> None:
    written = (ROOT / name).read_text("utf-8")
    assert written == filled(name), "run: python -m tests.documents"


def test_readme_has_both_commands_word_for_word() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/tui-chat" in readme
    assert (
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest" in readme
    )


def test_the_top_level_holds_only_what_the_project_is() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    top = {name.split("/")[0] for name in tracked}
    assert top <= {
        ".ci",
        ".gitattributes",
        ".gitignore",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "tests",
        "tui_chat",
    }


@pytest.mark.parametrize("fault", [one for faults in FAULTS.values() for one in faults], ids=str)
def test_each_fault_has_tests_that_are_there(fault: Fault) -> None:
    for named in fault.tests.split():
        place, _, test = named.partition("::")
        tree = ast.parse((ROOT / "tests" / place).read_text("utf-8"))
        names = {getattr(node, "name", "") for node in ast.walk(tree)}
        assert test in names if test else any(name.startswith("test_") for name in names)
