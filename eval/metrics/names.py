"""The names of the metrics and which way each is better, read from the declarations without importing what computes them:
a command lists them in its help, within a second."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from eval.metrics import MODULES


def directions() -> dict[str, str]:
    """Name of each metric -> "lower", "higher" or, for a signed comparison, "nearest 0"; in the order of the table."""
    return dict(pair for module in MODULES for pair in _declared_in(Path(__file__).with_name(f"{module}.py")))


def _declared_in(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for call in getattr(node, "decorator_list", ()):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "metric":
                named = {keyword.arg: keyword.value for keyword in call.keywords}
                better = named.get("better", ast.Constant("lower"))
                yield ast.literal_eval(call.args[0]), ast.literal_eval(better)
