"""The rules of this code base that no linter knows.

A rule takes one module and yields its breaches; `BREACHES` shows each of them finding one.
"""

import ast
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = ROOT / "remediator"

FILE_LINES = 300
FUNCTION_LINES = 40
CATCH_EVERYTHING = {"supervise", "call_step"}
CLOCKS = {"remediator/clock.py", "remediator/sandbox/kubernetes/clock.py"}
WORDS_NOT_USED = re.compile(r"(handler|manager|helper|util|common|playbook|workflow)s?")
STEP_FOLDERS = {
    "guards": "Guard",
    "diagnostics": "Diagnostic",
    "actions": "Action",
    "verifications": "Verification",
    "notifiers": "Notifier",
}
MADE_BY_TOOLS = {".git", ".venv", ".cache", ".hypothesis", "__pycache__", "dist"}

SQL_CLOCK = re.compile(
    r"\b(?:now|(?:clock|statement|transaction)_timestamp)\(\)|\b(?:current_timestamp|localtimestamp)\b",
    re.IGNORECASE,
)
OUR_SQL_CLOCK = re.compile(
    r"create\s+(?:or\s+replace\s+)?function\s+(?:\w+\.)?remediator_now\(\).*?(?:(\$\w*\$).*?\1|;)",
    re.IGNORECASE | re.DOTALL,
)
SQL_COMMENT = re.compile(r"--[^\n]*")
REGISTRY = re.compile(rb"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|proxy\.golang\.org")
MACHINE_PATH = re.compile(rb"(?<![\w./-])/(?:work|root|home/\w+|opt/pypi[\w-]*|opt/wheels)/|\.\./shared\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[str, str], Iterator[str]]


def a_file_has_at_most_300_lines(path: str, source: str) -> Iterator[str]:
    if (lines := len(source.splitlines())) > FILE_LINES:
        yield f"{path}: {lines} lines"


def a_function_has_at_most_40_lines_below_its_docstring(path: str, source: str) -> Iterator[str]:
    for function in functions(source):
        lines = last_line(function) - function.lineno + 1
        if ast.get_docstring(function, clean=False) is not None:
            docstring = function.body[0]
            lines -= last_line(docstring) - docstring.lineno + 1
        if lines > FUNCTION_LINES:
            yield f"{path}:{function.lineno}: {function.name} has {lines} lines"


def everything_is_caught_in_two_functions_only(path: str, source: str) -> Iterator[str]:
    tree = ast.parse(source)
    excused = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, Function) and function.name in CATCH_EVERYTHING
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if catches_everything(node) and id(node) not in excused:
            yield f"{path}:{getattr(node, 'lineno', 0)}: catches everything"


def what_is_raised_has_a_name(path: str, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if dotted(raised) in {"Exception", "BaseException"}:
                yield f"{path}:{node.lineno}: raises {dotted(raised)}"


def only_the_clock_reads_the_clock(path: str, source: str) -> Iterator[str]:
    if path in CLOCKS:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and re.search(
            r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time(?:_ns)?)$", dotted(node)
        ):
            yield f"{path}:{node.lineno}: {dotted(node)}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for name in {"time", "time_ns"} & {alias.name for alias in node.names}:
                yield f"{path}:{node.lineno}: from time import {name}"


def sql_asks_remediator_now(path: str, source: str) -> Iterator[str]:
    if path.endswith(".sql"):
        for found in SQL_CLOCK.finditer(OUR_SQL_CLOCK.sub("", SQL_COMMENT.sub("", source))):
            yield f"{path}: {found.group()}"
        return
    tree = ast.parse(source)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            for found in SQL_CLOCK.finditer(SQL_COMMENT.sub("", node.value)):
                yield f"{path}:{node.lineno}: {found.group()}"


def names_say_what_a_thing_is(path: str, source: str) -> Iterator[str]:
    named = [(1, part) for part in Path(path).with_suffix("").parts]
    named += [
        (node.lineno, node.name) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)
    ]
    for line, name in named:
        # Kubernetes' own word for who wrote a field.
        words = snake_case(name).replace("field_manager", "").split("_")
        if any(WORDS_NOT_USED.fullmatch(word) for word in words):
            yield f"{path}:{line}: {name}"


PYTHON_RULES: list[Rule] = [
    a_file_has_at_most_300_lines,
    a_function_has_at_most_40_lines_below_its_docstring,
    everything_is_caught_in_two_functions_only,
    what_is_raised_has_a_name,
    only_the_clock_reads_the_clock,
    sql_asks_remediator_now,
    names_say_what_a_thing_is,
]

BREACHES: list[tuple[Rule, str, str]] = [
    (a_file_has_at_most_300_lines, "long.py", "\n" * 301),
    (
        a_function_has_at_most_40_lines_below_its_docstring,
        "long.py",
        'def f():\n    """One.\n\n    Two."""\n' + "    pass\n" * 40,
    ),
    (everything_is_caught_in_two_functions_only, "broad.py", "try:\n    f()\nexcept:\n    g()\n"),
    (
        everything_is_caught_in_two_functions_only,
        "broad.py",
        "try:\n    f()\nexcept (OSError, Exception):\n    g()\n",
    ),
    (
        everything_is_caught_in_two_functions_only,
        "broad.py",
        "with contextlib.suppress(Exception):\n    f()\n",
    ),
    (what_is_raised_has_a_name, "nameless.py", "raise Exception('no')\n"),
    (only_the_clock_reads_the_clock, "clock.py", "import datetime\nx = datetime.datetime.now(UTC)\n"),
    (only_the_clock_reads_the_clock, "clock.py", "from time import time\n"),
    (sql_asks_remediator_now, "store.py", "QUERY = 'select now()'\n"),
    (sql_asks_remediator_now, "0001_start.sql", "create table t (at timestamptz default current_timestamp);"),
    (names_say_what_a_thing_is, "alert_utils.py", ""),
    (names_say_what_a_thing_is, "alert.py", "class AlertHandler:\n    pass\n"),
]


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule: Rule) -> None:
    assert [
        breach for path in sorted(PRODUCT.rglob("*.py")) for breach in rule(relative(path), path.read_text())
    ] == []


@pytest.mark.parametrize(("rule", "path", "source"), BREACHES)
def test_a_breach_of_the_rule_is_found(rule: Rule, path: str, source: str) -> None:
    assert len(list(rule(path, source))) == 1


def test_only_the_definition_of_remediator_now_reads_postgresqls_clock() -> None:
    migrations = sorted(PRODUCT.rglob("*.sql"))
    assert [
        breach for path in migrations for breach in sql_asks_remediator_now(relative(path), path.read_text())
    ] == []


@pytest.mark.parametrize(
    "definition",
    [
        "create function remediator_now() returns timestamptz language sql as $$ select now() $$;",
        "create or replace function remediator_now() returns timestamptz return now();",
    ],
)
def test_the_definition_of_remediator_now_is_no_breach(definition: str) -> None:
    assert list(sql_asks_remediator_now("0001_start.sql", definition)) == []


def test_no_function_but_the_two_is_called_like_them() -> None:
    places = [
        f"{relative(path)}: {function.name}"
        for path in sorted(PRODUCT.rglob("*.py"))
        for function in functions(path.read_text())
        if function.name in CATCH_EVERYTHING
    ]
    assert len(places) == len({place.split()[-1] for place in places}), places


@pytest.mark.parametrize(("folder", "base"), STEP_FOLDERS.items())
def test_a_step_file_holds_the_one_step_it_is_named_after(folder: str, base: str) -> None:
    for path in sorted((PRODUCT / folder).glob("[!_]*.py")):
        steps = [
            snake_case(node.name)
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.ClassDef) and any(dotted(parent).endswith(base) for parent in node.bases)
        ]
        assert steps == [path.stem], f"{relative(path)} defines the steps {steps}"


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    found = [
        f"{relative(path)}: {match.group().decode()}"
        for path in our_files()
        for pattern in (REGISTRY, MACHINE_PATH)
        for match in pattern.finditer(path.read_bytes())
    ]
    assert found == []


def test_every_dependency_is_justified_in_the_decisions() -> None:
    decisions = (ROOT / "docs" / "decisions.md").read_text().lower().replace("_", "-")
    unexplained = [
        name
        for name in direct_dependencies()
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", decisions)
    ]
    assert unexplained == []


def functions(source: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield node


def last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def catches_everything(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        if node.type is None:
            return True
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    elif isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
        caught = node.args
    else:
        return False
    return any(dotted(kind) in {"Exception", "BaseException"} for kind in caught)


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?<!_)(?=[A-Z])", "_", name).lower()


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def our_files() -> Iterator[Path]:
    for directory, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE_BY_TOOLS and not name.endswith("_cache")]
        yield from (Path(directory) / file for file in files)


def direct_dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    requirements = [entry for entries in lists for entry in entries if isinstance(entry, str)]
    return sorted({re.split(r"[^\w.-]", entry)[0].lower().replace("_", "-") for entry in requirements})
