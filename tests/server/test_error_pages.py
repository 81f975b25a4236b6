"""A refusal is a page for a person and JSON for a program."""

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from server.error_pages import NOTHING_THERE, add_error_pages
from server.middleware.closed_routes import ClosedRoutesMiddleware

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    add_error_pages(app)

    @app.get("/gone")
    def gone() -> None:
        raise HTTPException(410, "It is gone <b>for good</b>.", {"Cache-Control": "private, no-store"})

    return TestClient(app, root_path="/lab")


def test_a_person_reads_a_sentence_and_finds_the_way_to_the_lab(client):
    page = client.get("/gone", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (410, "text/html; charset=utf-8")
    assert "<p>It is gone &lt;b&gt;for good&lt;/b&gt;.</p>" in page.text
    assert '<a href="/lab/">' in page.text
    assert page.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_a_program_reads_json(client, accept):
    answer = client.get("/gone", headers={"Accept": accept})
    assert (answer.status_code, answer.json()) == (410, {"detail": "It is gone <b>for good</b>."})


def test_an_address_that_never_was_is_answered_by_the_mounted_app_likewise():
    app, mounted = FastAPI(), FastAPI()
    app.mount("/page", mounted)
    add_error_pages(app)
    client = TestClient(app)
    page = client.get("/page/nowhere", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<p>There is nothing at this address.</p>" in page.text
    assert client.get("/page/nowhere").json() == {"detail": "Not Found"}


def test_what_the_middleware_refuses_is_a_page_for_a_person_too():
    app = FastAPI()
    app.add_middleware(ClosedRoutesMiddleware)
    client = TestClient(app, root_path="/lab")
    page = client.get("/lab/monitoring/summary", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert f"<p>{NOTHING_THERE}</p>" in page.text
    assert '<a href="/lab/">' in page.text
    assert client.get("/lab/monitoring/summary").json() == {"error": "refused", "detail": NOTHING_THERE}
