"""The shape of the code: short functions and modules, few positional parameters, and no test that cannot fail."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "gate").rglob("*.py"))
TESTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))
MOST_LINES = 300
MOST_FUNCTION_LINES = 40
MOST_POSITIONAL = 3
# Beginnings of calls that fail where something is not so, beside `assert` itself.
FAILING = ("assert_", "expect", "fail", "raises")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def parsed(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def positional(function: Function) -> list[str]:
    """Names of what can be given by place; what a method is called on does not count."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def called(node: ast.AST) -> Iterator[str]:
    """Names that are called, without the modules or objects that they are called on."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            yield call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def asserts(node: ast.AST) -> bool:
    """Whether there is anything that can fail."""
    return any(isinstance(one, ast.Assert) for one in ast.walk(node)) or any(
        name.startswith(FAILING) for name in called(node)
    )


@pytest.mark.parametrize("name", MODULES)
def test_modules__are_short_and_so_are_their_functions(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    lengths = {one.name: (one.end_lineno or 0) - one.lineno + 1 for one in functions(parsed(name))}
    assert {one: length for one, length in lengths.items() if length > MOST_FUNCTION_LINES} == {}


@pytest.mark.parametrize("name", MODULES)
def test_functions__take_few_parameters_by_place(name: str) -> None:
    taken = {one.name: positional(one) for one in functions(parsed(name))}
    assert {one: names for one, names in taken.items() if len(names) > MOST_POSITIONAL} == {}


@pytest.mark.parametrize("name", TESTS)
def test_tests__can_fail(name: str) -> None:
    tests = [one for one in functions(parsed(name)) if one.name.startswith("test_")]
    assert [one.name for one in tests if not asserts(one)] == []


@pytest.mark.parametrize(
    ("body", "can_fail"),
    [
        ("run()", False),
        ("with pytest.raises(ValueError):\n        run()", True),
        ("for _ in range(2):\n        assert run()", True),
        ("expect(page).to_have_title('x')", True),
        ("assert_harmless(run())", True),
    ],
)
def test_asserts__sees_what_can_fail(body: str, can_fail: bool) -> None:
    assert asserts(ast.parse(f"def test():\n    {body}\n")) is can_fail
