"""Shared by the parts of a study's report: titles of systems, and estimates as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from eval.compare.intervals import Estimate
from eval.listening.tasks.scores.comparison import BETWEEN


class Names(dict):
    """{system id: title}; an id without a title stands for itself, and the name of a pair for both of its titles."""

    def __missing__(self, key: str) -> str:
        return BETWEEN.join(self[one] for one in key.split(BETWEEN)) if BETWEEN in key else key


def plain_estimate(content: Mapping | None) -> Estimate | None:
    """An `Estimate` from its stored fields, and from none that a subclass adds; None for one without a mean."""
    if content is None or content["mean"] is None:
        return None
    return Estimate(**{field.name: content[field.name] for field in fields(Estimate)})
