"""The addresses of files to send: beside the other files of the comparison, made when they are asked for."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from common.durable import DiskFull
from server.results import ResultStore
from ui.compare.sharing.document import BLIND, FULL, GONE, OPEN, shared_file


def sharing_routes(store: ResultStore) -> APIRouter:
    """Before the route of all results, which would find the files once they are made, and show them in this origin."""
    router = APIRouter(include_in_schema=False)

    def sent(token: str, blind: bool) -> FileResponse:
        try:
            found = shared_file(store, token, blind)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        except DiskFull as error:
            raise HTTPException(503, FULL) from error
        if found is None:
            raise HTTPException(404, GONE)
        path, name = found
        return FileResponse(path, filename=name, headers={"Cache-Control": "private, max-age=3600"})  # as an attachment

    @router.get(f"/results/{{token}}/{OPEN}")
    def with_names(token: str) -> FileResponse:
        return sent(token, blind=False)

    @router.get(f"/results/{{token}}/{BLIND}")
    def with_letters(token: str) -> FileResponse:
        return sent(token, blind=True)

    return router
