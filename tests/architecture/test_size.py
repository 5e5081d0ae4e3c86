"""Small rooms: a file holds one noun, a function one thought."""

from tests.support.source import functions, modules

FILE_LINES = 400
FUNCTION_LINES = 40


def test_files_are_short() -> None:
    lengths = {module.file: len(module.path.read_text(encoding="utf-8").splitlines()) for module in modules()}
    assert not {file: length for file, length in lengths.items() if length > FILE_LINES}


def test_functions_are_short() -> None:
    lengths = {
        f"{module.file}:{function.lineno} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for module in modules()
        for function in functions(module.tree)
    }
    assert not {name: length for name, length in lengths.items() if length > FUNCTION_LINES}
