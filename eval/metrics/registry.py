"""The table of all metrics, by group, and the choice of some by name."""

from __future__ import annotations

import importlib

from eval.metrics import MODULES
from eval.metrics.metric import DECLARED, GROUPS, Metric

for _module in MODULES:
    importlib.import_module(f"eval.metrics.{_module}")
METRICS: dict[str, Metric] = dict(sorted(DECLARED.items(), key=lambda item: GROUPS.index(item[1].group)))


def choose_metrics(text: str | None) -> list[Metric]:
    """Metrics from a comma-separated list; those computed unasked when None, every one for "all".

    Errors: ValueError listing the known names.
    """
    if text is None:
        return [metric for metric in METRICS.values() if not metric.on_request]
    if text.strip() == "all":
        return list(METRICS.values())
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        raise ValueError(f"unknown metric {', '.join(unknown) or '(none)'!r}; known: {', '.join(METRICS)}")
    return [METRICS[name] for name in names]
