"""Links to comparisons: how long they live, how many there are, who may delete them, what is served with them."""

import argparse
import sys

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import app as app_module
from server.middleware.stack import protect
from server.shared import links as module
from server.shared.links import MAX_PER_HOUR, LinkRefused, SharedLinks, parse_lifetime
from server.shared.routes import shared_routes

PAGE = b"<!doctype html><title>x</title>" + b"x" * 1000


class Clock:
    """Seconds that pass when a test says so."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def links_in(tmp_path, clock, lifetime=3600.0, **bounds) -> SharedLinks:
    return SharedLinks(tmp_path / "shared", lifetime, clock=clock, **bounds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 30 * 86_400), ("12h", 12 * 3600), ("1h", 3600), ("off", None), ("9999d", 9999 * 86_400)],
)
def test_times_to_keep(text, seconds):
    assert parse_lifetime(text) == seconds


@pytest.mark.parametrize("text", ["", "0d", "30", "30m", "-1d", "1.5d", "30 d", "OFF", "10000d", "30d\n"])
def test_other_times_are_refused_with_the_allowed_ones(text):
    with pytest.raises(ValueError, match=r"days \(30d\), hours \(12h\) and off"):
        parse_lifetime(text)


def test_the_setting_comes_from_the_command_line_or_the_environment(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["app.py"])
    monkeypatch.delenv("KEEP_COMPARISONS", raising=False)
    assert app_module.parse_args().keep_comparisons is None
    monkeypatch.setenv("KEEP_COMPARISONS", "12h")
    assert app_module.parse_args().keep_comparisons == 12 * 3600
    monkeypatch.setattr(sys, "argv", ["app.py", "--keep-comparisons", "2d"])
    assert app_module.parse_args().keep_comparisons == 2 * 86_400
    monkeypatch.setattr(sys, "argv", ["app.py", "--keep-comparisons", "forever"])
    with pytest.raises((SystemExit, argparse.ArgumentTypeError)):
        app_module.parse_args()
    assert "'forever' is no time to keep comparisons" in capsys.readouterr().err


def test_a_link_opens_until_its_time_is_over_also_after_a_restart(tmp_path, clock):
    link = links_in(tmp_path, clock).add(PAGE, "client")
    assert link.expires == clock.now + 3600
    again = links_in(tmp_path, clock)
    clock.now += 3599
    assert again.find(link.token).read_bytes() == PAGE
    again.sweep()
    clock.now += 1
    assert again.find(link.token) is None
    again.sweep()
    assert list((tmp_path / "shared").iterdir()) == []


def test_a_token_has_128_bits_and_no_other_name_is_looked_up(tmp_path, clock):
    links = links_in(tmp_path, clock)
    link, other = links.add(PAGE, "client"), links.add(PAGE, "client")
    assert len(link.token) == 22  # of 6 bits
    assert len({link.token, other.token, link.key, other.key}) == 4
    (tmp_path / "secret.html").write_text("secret")
    for name in ("", "../secret", link.token[:-1], link.token + "A", f"{link.token}/..", "a" * 22):
        assert links.find(name) is None


def test_links_are_off_unless_the_operator_keeps_comparisons(tmp_path, clock):
    link = links_in(tmp_path, clock).add(PAGE, "client")
    off = links_in(tmp_path, clock, lifetime=None)
    assert off.find(link.token) is None
    with pytest.raises(LinkRefused, match="keeps no comparisons"):
        off.add(PAGE, "client")
    clock.now += 3600
    off.sweep()
    assert list((tmp_path / "shared").iterdir()) == []


def test_only_the_key_deletes_and_it_is_not_stored(tmp_path, clock):
    links = links_in(tmp_path, clock)
    link, other = links.add(PAGE, "client"), links.add(PAGE, "client")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "shared").iterdir())
    assert link.key.encode() not in stored
    assert not links.remove(link.token, other.key)
    assert not links.remove(link.token, "")
    assert not links.remove("../" + link.token, link.key)
    assert links.remove(link.token, link.key)
    assert not links.remove(link.token, link.key)
    assert links.find(link.token) is None
    assert links.find(other.token)


def test_beyond_the_bounds_the_oldest_go(tmp_path, clock):
    links = links_in(tmp_path, clock, max_links=3, max_bytes=2.5 * len(PAGE))
    made = []
    for _ in range(4):
        made.append(links.add(PAGE, "client"))
        clock.now += 1
    assert [links.find(link.token) is not None for link in made] == [False, False, True, True]
    few = links_in(tmp_path, clock, max_links=1)
    last = few.add(PAGE, "client")
    assert [path.stem for path in (tmp_path / "shared").glob("*.html")] == [last.token]
    with pytest.raises(LinkRefused, match="too large for a link"):
        links.add(PAGE * 3, "client")
    assert few.find(last.token), "what is refused removes nothing"


def test_one_client_cannot_make_many(tmp_path, clock):
    links = links_in(tmp_path, clock)
    for _ in range(MAX_PER_HOUR):
        links.add(PAGE, "a client")
    with pytest.raises(LinkRefused, match=f"At most {MAX_PER_HOUR} links an hour"):
        links.add(PAGE, "a client")
    links.add(PAGE, "another client")


def test_a_full_disk_is_said(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(module, "is_full", lambda folder: True)
    with pytest.raises(LinkRefused, match="disk is nearly full"):
        links_in(tmp_path, clock).add(PAGE, "client")


def test_remains_of_an_interrupted_write_are_no_link_and_are_swept(tmp_path, clock):
    links = links_in(tmp_path, clock)
    kept = links.add(PAGE, "client")
    folder = tmp_path / "shared"
    for name in (f"{'a' * 22}.html", f"{'b' * 22}.html.part", f"{kept.token}.json.part", f"{'c' * 22}.json"):
        (folder / name).write_text("{}")
    assert links.find("a" * 22) is None
    assert links.find("c" * 22) is None
    links.sweep()
    assert sorted(path.name for path in folder.iterdir()) == [f"{kept.token}.html", f"{kept.token}.json"]


@pytest.fixture
def served(tmp_path, clock):
    """(client of an app with all middleware, its links)."""
    links, app = links_in(tmp_path, clock), FastAPI()
    app.include_router(shared_routes(links))
    protect(app, max_file_bytes=1000, uploads=tmp_path, requests_per_minute=40)
    return TestClient(app), links


def test_a_shared_page_is_served_apart_from_the_app_and_kept_from_search_engines(served):
    client, links = served
    link = links.add(PAGE, "client")
    answer = client.get(f"/c/{link.token}")
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    (sandbox,) = (part for part in policy if part.startswith("sandbox"))
    assert "allow-same-origin" not in sandbox
    assert client.head(f"/c/{link.token}").status_code == 200
    missing = client.get("/c/" + "a" * 22)
    assert missing.status_code == 404
    assert missing.headers["x-robots-tag"] == "noindex, nofollow"
    assert "its time is over, or it was deleted" in missing.json()["detail"]


def test_an_address_alone_deletes_nothing_and_its_button_does(served):
    client, links = served
    link = links.add(PAGE, "client")
    address = f"/c/{link.token}/delete?key={link.key}"
    asked = client.get(address)
    assert "Delete it" in asked.text
    assert asked.headers.get("referrer-policy") != "no-referrer", (
        "else the browser's form names no origin, and is refused"
    )
    assert links.find(link.token)
    assert client.post(f"/c/{link.token}/delete?key=wrong").status_code == 403
    assert client.post(address, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert links.find(link.token)
    assert "was deleted" in client.post(address, headers={"Origin": "http://testserver"}).text
    assert links.find(link.token) is None
    assert client.get(address).status_code == 404


def test_keys_cannot_be_tried_one_after_the_other(served):
    client, links = served
    link = links.add(PAGE, "client")
    answers = [client.post(f"/c/{link.token}/delete?key={number}").status_code for number in range(12)]
    assert answers == [403] * 10 + [429] * 2
