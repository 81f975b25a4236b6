"""/api: the endpoints with their arguments, and code with the app's own address in it. All of it is read from what the page offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from gradio.utils import get_function_description

from common.templates import render
from eval.metrics.registry import METRICS
from vocoders.catalogue import COMPARED
from vocoders.recordings.reader import Limits
from vocoders.systems import System


@dataclass(frozen=True)
class Argument:
    """default: as Python writes it; None where there has to be a value."""

    name: str
    kind: str
    default: str | None
    about: str


@dataclass(frozen=True)
class Endpoint:
    """about, returns: paragraphs of its documentation."""

    name: str
    about: str
    arguments: tuple[Argument, ...]
    returns: str


def programs_routes(page: gr.Blocks, systems: Sequence[System], limits: Limits) -> APIRouter:
    """The address of the guide. page: whose endpoints it is about."""
    router = APIRouter(include_in_schema=False)
    known = [system for system in systems if not system.why_not()]

    @router.get("/api")
    def guide(request: Request) -> HTMLResponse:
        endpoints, own = endpoints_of(page)
        html = render(
            "ui/programs/templates/programs.html",
            address=str(request.base_url).rstrip("/"),
            endpoints=endpoints,
            own=own,
            systems=known,
            compared=COMPARED,
            metrics=[metric for metric in METRICS.values() if not metric.why_not()],
            limits=limits,
        )
        return HTMLResponse(html)

    return router


def endpoints_of(page: gr.Blocks) -> tuple[list[Endpoint], list[str]]:
    """(those for programs, names of those that answer with parts of the page)."""
    documented = {f"/{fn.api_name}": get_function_description(fn.fn) for fn in page.fns.values() if fn.fn}
    offered = page.get_api_info()["named_endpoints"]
    own = [name for name, info in offered.items() if any(part["component"] == "Html" for part in info["returns"])]
    return [_endpoint(name, offered[name], documented[name]) for name in offered if name not in own], own


def _endpoint(name: str, info: dict, documented: tuple[str, dict[str, str], list[str]]) -> Endpoint:
    about, meanings, returns = documented
    arguments = tuple(
        Argument(
            argument["parameter_name"],
            argument["python_type"]["type"].removeprefix("None | ").replace("filepath", "file"),
            repr(argument["parameter_default"]) if argument["parameter_has_default"] else None,
            meanings[argument["parameter_name"]],
        )
        for argument in info["parameters"]
    )
    return Endpoint(name, about, arguments, " ".join(returns))
