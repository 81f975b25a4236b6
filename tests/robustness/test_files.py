"""Nothing of this server's disk and nothing of its network can be had through the app: paths, addresses, Gradio's own routes.

python -m pytest tests/robustness/test_files.py --proof -s

In short, every file is given in every form, and every event gets each of them, but not every event each file in each form; of
the paths, each two parts meet (prefix, file, form, spelling); of forged events, each gets every length, with other values; of wrong
keys, every event gets some.
"""

import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import soundfile

from common.paths import ROOT
from tests.conftest import harmonic_tone
from tests.robustness.requests_by_hand import ask, run_event, spellings
from tests.robustness.studied_app import StudiedApp, studied_app

PREFIXES = (
    "/gradio_api/file=", "/gradio_api/file/", "/rate/gradio_api/file=", "/results/", "/results/aaaaaaaaaaaaaaaaaaaaaaaa/", "/static/",
    "/assets/", "/svelte/", "/listening/stim/", "/gradio_api/custom_component/a/client/b/", "/rate/static/", "/rate/assets/", "/",
    "/gradio_api/stream/", "/gradio_api/proxy=", "/gradio_api/proxy=file://", "/gradio_api/file=file://", "/gradio_api/run-history/",
)  # fmt: skip
CLOSED = (  # of Gradio: what this app does not need, and nobody shall have
    "/monitoring", "/monitoring/summary", "/gradio_api/dev/reload", "/gradio_api/vibe-code", "/gradio_api/vibe-edit", "/login",
    "/gradio_api/process_recording", "/gradio_api/runs", "/gradio_api/profiling/traces", "/docs", "/redoc",
)  # fmt: skip


QUEUE_FULL = "Queue is full. Max size is 16 and size is 16."
BROKEN = "Internal Server Error"  # all that Gradio says of an event that does not exist


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[StudiedApp]:
    with studied_app(tmp_path_factory.mktemp("files")) as app:
        yield app


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Path:
    """A recording on this machine that nobody has uploaded."""
    path = tmp_path_factory.mktemp("private") / "diary.wav"
    soundfile.write(path, harmonic_tone(1.0), 22_050)
    return path


@pytest.fixture(scope="module")
def events(app) -> list[dict]:
    """Every event of the page, by what its own script knows of them."""
    with app.client() as http:
        return http.get("/config").json()["dependencies"]


def secrets_of(app: StudiedApp) -> dict[str, bytes]:
    """{path: how its content begins}"""
    paths = [app.data / "listening" / "secret", app.data / "listening" / "listening.db", app.data / "log.txt"]
    paths += [
        ROOT / "app.py",
        ROOT / "ui" / "listening" / "rate_routes.py",
        ROOT / "requirements.txt",
        Path("/etc/passwd"),
    ]
    return {str(path): path.read_bytes()[:60] for path in paths}


def forms(path: str) -> list[str]:
    """One file as it may be asked for."""
    relative = str(Path(path).relative_to(ROOT)) if path.startswith(str(ROOT)) else path.lstrip("/")
    return [path, relative, "../" * 12 + path.lstrip("/"), f"../{relative}", f"listening/{Path(path).name}"]


def probes(paths: list[str], every: bool) -> Iterator[str]:
    """Each file in each form and spelling behind each prefix; not every: so many that of these four each two meet."""
    count = len(list(spellings("")))
    if every:
        for prefix, path in itertools.product(PREFIXES, paths):
            yield from (prefix + spelling for form in forms(path) for spelling in spellings(form))
        return
    for (place, prefix), number in itertools.product(enumerate(PREFIXES), range(count)):
        path = paths[(place + number) % len(paths)]
        form = forms(path)[(2 * place + number) % len(forms(path))]
        yield prefix + list(spellings(form))[number]


def test_no_path_leads_out_of_what_is_served(app, scale):
    secrets, tried = secrets_of(app), 0
    for address in probes(list(secrets), every=bool(scale(0, 1))):
        tried += 1
        status, content = ask(app.url, address)
        assert status < 500, address
        found = [name for name, beginning in secrets.items() if beginning and beginning in content]
        assert not found, f"{address} gave {found}"
    print(f"\npaths: {tried:,} cases, nothing but what is served, 0 crashed")


@pytest.mark.parametrize("path", CLOSED)
def test_what_is_not_needed_is_closed(app, path):
    for prefix, method in itertools.product(("", "/rate"), ("GET", "POST")):
        status, content = ask(app.url, prefix + path, method)
        assert 400 <= status < 500, (prefix + path, method, status)
        assert b"Traceback" not in content


def payloads(path: str, url: str | None = None) -> list[dict]:
    """The forms in which Gradio takes a file."""
    meta = {"meta": {"_type": "gradio.FileData"}}
    return [
        {"path": path, **meta},
        {"path": path, "url": url or path, "orig_name": "a.wav", "size": 9, "is_stream": False, **meta},
        {"path": path, "is_stream": True, **meta},
        {"path": path, "mime_type": "audio/wav"},
        {"path": "a.wav", "url": url or path, **meta},
    ]


def given_to_events(events: list[dict], payload: object) -> Iterator[tuple[int, list]]:
    """(index, data) of every event that takes a file or many, with that one in every place."""
    for event in events:
        if event["inputs"]:
            yield event["id"], [payload for _ in event["inputs"]]
            yield event["id"], [[payload] for _ in event["inputs"]]
    yield from given_to_public(events, payload)


def given_to_public(events: list[dict], payload: object) -> Iterator[tuple[int, list]]:
    """(index, data) of the events that are described to everybody, with that file in its place."""
    rest = {"compare": [["griffin-lim"], [], False], "compare_json": [["griffin-lim"]], "score": [payload, ["M-STFT"]]}
    for event in events:
        if event["api_visibility"] == "public":
            yield event["id"], [payload, *rest[event["api_name"]]]


def test_a_file_that_nobody_uploaded_is_not_read(app, events, elsewhere, scale):
    """Else anyone hears what lies on this disk, or finds out what does."""
    lying = [
        str(elsewhere),
        *secrets_of(app),
        str(app.data / "nothing"),
        "/dev/zero",
        "/proc/self/environ",
        "../../../../etc/passwd",
    ]
    said = {}
    with app.client() as http:
        for number, path in enumerate(lying):
            for place, payload in enumerate(payloads(path)):
                cases = list(scale(given_to_public, given_to_events)(events, payload))
                for index, data in scale(cases[(number + place) % len(cases) :][:1], cases):
                    session = f"files-{number}-{place}-{len(said)}"
                    said[session, path] = run_event(http, index, data, session)
        assert http.get("/healthz").text == "ok"
    tells = ("is not a WAV", "no such file", "page-mel", '"tracks"', '"takes"', '"M-STFT"')
    read = {(path, text[-300:]) for (_, path), (_, text) in said.items() if any(words in text for words in tells)}
    print(f"\nfiles on the server, given as uploads: {len(said)} cases, {len(said) - len(read)} refused, 0 crashed")
    assert read == set(), "these were opened, though nobody had uploaded them"


NAMES = (
    "..",
    "../../app.py",
    "a/../../b.wav",
    "..\\..\\c.wav",
    "/etc/cron.d/x",
    "\u202e.wav",
    "a\0b.wav",
    "x" * 4_000,
    ".htaccess",
    "CON",
    "",
)


def test_an_upload_lies_where_uploads_lie(app):
    """Under every name."""
    uploads = app.data / "uploads"
    before = {path for path in app.data.rglob("*") if not path.is_relative_to(uploads)}
    stored = 0
    with app.client() as http:
        for name in NAMES:
            response = http.post("/gradio_api/upload", files={"files": (name, b"whatever")})
            assert response.status_code in (200, 400) or response.text == BROKEN, name
            for path in response.json() if response.status_code == 200 else []:
                stored += 1
                assert Path(path).resolve().is_relative_to(uploads.resolve())
                assert Path(path).read_bytes() == b"whatever"
    assert {path for path in app.data.rglob("*") if not path.is_relative_to(uploads)} - before == set()
    print(f"\nnames of uploads: {len(NAMES)} cases, {len(NAMES) - stored} refused, 0 outside their folder")


class _Inner(BaseHTTPRequestHandler):
    """A service that only this machine can reach. It remembers who came."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"RIFF inner secret")

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - the names that http.server calls

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def inner() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Inner)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _Inner.asked.clear()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


def test_nothing_is_fetched_for_anybody(app, events, inner, scale):
    port = inner.rpartition(":")[2]
    hosts = [
        inner,
        f"localhost:{port}",
        f"0.0.0.0:{port}",
        f"[::ffff:127.0.0.1]:{port}",
        f"2130706433:{port}",
        f"127.1:{port}",
        f"x@{inner}",
    ]
    addresses = [
        f"{scheme}://{host}/a.wav" for scheme in ("http", "HTTP", " http", "https", "ftp", "file") for host in hosts
    ]
    tried = 0
    with app.client() as http:
        for number, address in enumerate(addresses if scale(0, 1) else addresses[:9]):
            for place, payload in enumerate(payloads(address)):
                given = given_to_events if scale(0, 1) and number < 3 else given_to_public
                cases = [*given(events, payload), *given_to_public(events, address)]
                for index, data in scale(cases[(number + place) % len(cases) :: 2], cases):
                    tried += 1
                    status, text = run_event(http, index, data, f"fetch-{number}-{place}-{tried}")
                    assert "inner secret" not in text
            for prefix in (
                "/gradio_api/file=",
                "/gradio_api/file/",
                "/gradio_api/proxy=",
                "/rate/gradio_api/file=",
                "/rate/gradio_api/proxy=",
            ):
                for spelling in (
                    address.strip(),
                    address.strip().replace("://", ":/"),
                    address.strip().replace(":", "%3a"),
                ):
                    tried += 1
                    status, content = ask(app.url, prefix + spelling)
                    assert b"inner secret" not in content
                    assert status < 500
    assert _Inner.asked == [], "the server fetched what it was told to"
    print(f"\naddresses of this machine: {tried} cases, 0 fetched, 0 crashed")


REFUSALS = ("No study with this id and key", "No study has this key", "wrong keys within a minute")


def test_a_private_event_gives_nothing_that_needs_a_key(app, events, scale):
    """Gradio's "private" hides an event from its description and its client; a request with its number can still trigger it, as
    the page itself does. So nothing may depend on its being hidden: results need the study's key in every case."""
    described = {name.strip("/") for name in json.loads(ask(app.url, "/gradio_api/info")[1])["named_endpoints"]}
    private = [event for event in events if event["api_visibility"] == "private"]
    assert not described & {event["api_name"] for event in private}
    studies = (app.study, "", "%", "' OR 1=1 --", app.study.upper())
    keys = ("x", "", app.key[:-1], "None", "\0")
    pairs = list(itertools.product(studies, keys))
    with app.client() as http:
        named = {c["props"].get("elem_id"): c["id"] for c in http.get("/config").json()["components"]}
        reading = [event for event in private if named["results-key"] in event["inputs"]]
        assert len(reading) >= 3, "the events that show results: the button, Enter, and closing"
        tried = 0
        # Each event once before any of them again: after some wrong keys a client is refused whatever it asks for
        for turn, (place, event) in itertools.product(range(scale(5, len(pairs))), enumerate(reading)):
            tried += 1
            is_rotated = turn and scale(1, 0)  # in short each pair meets some events, and the first pair all of them
            study, key = pairs[(4 * place + turn) % len(pairs) if is_rotated else turn]
            given = {named["results-key"]: key, named["results-study"]: study}
            data = [given.get(component) for component in event["inputs"]]
            _, text = run_event(http, event["id"], data, f"key-{tried}")
            is_refused = any(said in text for said in REFUSALS) or '"success":false' in text.replace(" ", "")
            assert is_refused or '"value"' not in text, text[-500:]  # or the page is left as it is
            assert "results/" not in text
    print(f"\nresults without their key: {tried} cases, {tried} refused, 0 crashed")


def test_forged_events_are_refused_in_gradios_words(app, events, scale):
    """Numbers of events that do not exist, data of the wrong kind, sessions of others. Gradio answers some of it with a bare 500:
    that shows nothing, and it goes on."""
    odd = (
        None,
        True,
        -1,
        10**30,
        "x" * 50_000,
        "\0",
        "\ud800",
        [],
        {},
        [[]] * 3,
        {"path": None},
        {"meta": {"_type": "gradio.FileData"}},
        "${7*7}",
    )
    statuses: dict[int, int] = {}
    with app.client() as http:
        # In three sessions: of each new one Gradio writes down the whole page, which takes longer than to refuse an event
        for number, event in enumerate(events):
            lengths = (len(event["inputs"]), 1, 0, 40)
            some = ((odd[(4 * number + place) % len(odd)], length) for place, length in enumerate(lengths))
            for value, length in itertools.product(odd, lengths) if scale(0, 1) else some:
                content = {"fn_index": event["id"], "data": [value] * length, "session_hash": f"odd-{number % 3}"}
                written = json.dumps(content).encode("utf-8", "surrogatepass")
                response = http.post(
                    "/gradio_api/queue/join", content=written, headers={"Content-Type": "application/json"}
                )
                statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
                assert "Traceback" not in response.text
        for content in (
            {},
            {"fn_index": 0},
            {"fn_index": "0", "data": [], "session_hash": "a"},
            {"fn_index": 0, "data": {}, "session_hash": []},
            {"fn_index": 10**6, "data": [], "session_hash": "a"},
            {"fn_index": -1, "data": [], "session_hash": "a"},
        ):
            response = http.post("/gradio_api/queue/join", json=content)
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            assert response.status_code in (200, 400, 404, 422, 503) or response.text == BROKEN, content
        for path in (
            "/gradio_api/queue/data?session_hash=nobody",
            "/gradio_api/call/compare/nobody",
            "/gradio_api/call/nobody",
        ):
            status, content = ask(app.url, path)
            assert status < 500 or content.decode() == BROKEN, path
        for path in (
            "call/nobody",
            "call/v2/nobody",
            "call/run",
            "run/nobody",
            "api/nobody",
            "run/halt",
            "cancel",
            "reset",
            "component_server",
        ):
            for content in (
                {},
                {"data": []},
                {"data": [None] * 9},
                {"event_id": "a", "session_hash": "b", "fn_index": 0},
            ):
                response = http.post(f"/gradio_api/{path}", json=content)
                statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
                quiet = response.text == BROKEN or response.json() in ({"error": None}, {"detail": QUEUE_FULL})
                assert response.status_code < 500 or quiet, path
        assert http.get("/healthz").text == "ok"
    print(f"\nforged events: {sum(statuses.values())} cases, 0 crashed; {dict(sorted(statuses.items()))}")
