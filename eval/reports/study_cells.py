"""Shared by the parts of a study's report: titles of systems, and estimates as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from eval.compare.intervals import Estimate


class Names(dict):
    """{system id: title}; an id without a title stands for itself."""

    def __missing__(self, key: str) -> str:
        return key


def plain_estimate(content: Mapping | None) -> Estimate | None:
    """An `Estimate` from its stored fields, and from none that a subclass adds; None for one without a mean."""
    if content is None or content["mean"] is None:
        return None
    return Estimate(**{field.name: content[field.name] for field in fields(Estimate)})
