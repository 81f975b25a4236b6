"""The HTTP side of a listening session: every call of the rating page, and the sounds it plays."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from common.kept import Kept
from eval.listening.session.errors import RequestError
from eval.listening.session.preview import Preview
from eval.listening.session.service import Listening
from eval.listening.storage.database import StoreError

MAX_BODY_BYTES = 64 * 1024  # of a request; an answer takes one or two thousand
_STATUS = {
    "unknown_study": 404,
    "closed": 403,
    "no_participant": 403,
    "bad_token": 403,
    "bad_preview": 403,
    "stale": 409,
    "storage": 503,
}
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_log = logging.getLogger(__name__)


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


Body = TypeVar("Body", bound=_Body)


class Open(_Body):
    """Asks for the state of a session."""

    study: str = Field(max_length=64)
    token: str | None = Field(None, max_length=400)
    address: dict = Field(default_factory=dict)  # the parameters of the page's address: ids of a recruiting platform


class Join(_Body):
    """Begins a session."""

    study: str = Field(max_length=64)
    language: str = Field("en", max_length=16)
    device: dict = Field(default_factory=dict)
    address: dict = Field(default_factory=dict)


class Next(_Body):
    """Reports that a step is done, with its result, and asks for the next."""

    model_config = ConfigDict(extra="allow")  # the result of the step
    token: str = Field(max_length=400)
    done: str = Field(max_length=40)


class Answer(_Body):
    """The answer of one trial, with the rater's behaviour in it."""

    token: str = Field(max_length=400)
    nonce: str = Field(max_length=64)
    answer: int | str | list
    heard: list = Field(default_factory=list)
    plays: list = Field(default_factory=list)
    switches: int | float = 0
    dwell_ms: int | float = 0
    comment: str = ""


class Questionnaire(_Body):
    """The answers of the questionnaire."""

    token: str = Field(max_length=400)
    answers: dict = Field(default_factory=dict)


class Own(_Body):
    """Asks for everything that is stored about a rater."""

    token: str = Field(max_length=400)


class About(_Body):
    """Asks what a study stores."""

    study: str = Field(max_length=64)


class Forget(_Body):
    """Asks for a rater's data to be deleted."""

    token: str = Field(max_length=400)


def rate_routes(listening: Listening, kept: Kept | None = None) -> APIRouter:
    """The HTTP interface of listening sessions, below /listening. kept: where rehearsals live; None: in the memory of this process."""
    router = APIRouter(prefix="/listening")

    def call(path: str, model: type[Body], work: Callable[[Body], dict]) -> None:
        async def endpoint(request: Request) -> Response:
            body = await _read(request)
            if body is None:
                return _refusal("invalid_answer", "The request is too large.", 413)
            try:
                return _json(await run_in_threadpool(work, model.model_validate_json(body)))
            except ValidationError:
                return _refusal("invalid_answer", "The request is not as it should be.", 422)
            except RequestError as error:
                return _refusal(error.code, error.detail, _STATUS.get(error.code, 422))
            except StoreError as error:
                _log.error("%s", error)
                return _refusal("storage", "Your answer could not be stored just now; it is tried again.", 503)

        router.add_api_route(path, endpoint, methods=["POST"], include_in_schema=False)

    preview = Preview(listening, kept)

    def opened(body: Open | Join) -> Listening:
        return preview.opened(body.study, body.address)

    def of(body: Next | Answer | Questionnaire | Own | Forget) -> Listening:
        return preview.holding(body.token)

    call("/open", Open, lambda body: opened(body).resume(body.study, body.token, body.address))
    call("/join", Join, lambda body: opened(body).join(body.study, body.language, body.device, body.address))
    call("/next", Next, lambda body: of(body).next(body.token, body.done, body.model_extra or {}))
    call("/answer", Answer, lambda b: of(b).answer(b.token, b.nonce, b.answer, b.model_dump()))
    call("/questionnaire", Questionnaire, lambda body: of(body).questionnaire(body.token, body.answers))
    call("/mine", Own, lambda body: of(body).own_data(body.token))
    call("/privacy", About, lambda body: listening.privacy(body.study))
    call("/forget", Forget, lambda body: of(body).delete_rater(body.token))

    @router.get("/stim/{token}", include_in_schema=False)
    def stimulus(token: str) -> Response:
        """The wav file without any header that could tell which system made it: no name, date or ETag."""
        try:
            return Response(preview.holding(token).audio(token), media_type="audio/wav", headers=_NO_STORE)
        except (RequestError, OSError):
            return _refusal("bad_token", "There is no such sound.", 404)
        except StoreError as error:
            _log.error("%s", error)
            return _refusal("storage", "The sound cannot be looked up just now; try again.", 503)

    return router


def with_slash(request: Request) -> RedirectResponse:
    """Redirects links to the rating page that lack the last slash."""
    return RedirectResponse(f"rate/?{request.url.query}")


async def _read(request: Request) -> bytes | None:
    """The body; None as soon as it is larger than MAX_BODY_BYTES."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return body


def _json(content: dict, status: int = 200) -> JSONResponse:
    return JSONResponse(content, status, headers=_NO_STORE)


def _refusal(code: str, detail: str, status: int) -> JSONResponse:
    return _json({"error": code, "detail": detail}, status)
