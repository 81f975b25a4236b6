"""The files of runs that may be downloaded, each below its unguessable token."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from ui.training.run import file_of


def training_routes(root: Path) -> APIRouter:
    """root: of the runs."""
    router = APIRouter()

    @router.get("/training/{token}/{name}")
    def given(token: str, name: str) -> FileResponse:
        path = file_of(root, token, name)
        if path is None:
            raise HTTPException(404, "This training is no longer here.")
        return FileResponse(path, headers={"Cache-Control": "private, no-cache"})

    return router
