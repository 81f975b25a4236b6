"""Requests that no client library would send: bytes on a socket, and paths that nothing has tidied."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import httpx


def ask(url: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """(status, body) for a path that is sent as it is; an endless answer is read for a second."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        if connection.sock:
            connection.sock.settimeout(1)
        try:
            content = response.read()
        except http.client.IncompleteRead as cut:
            content = cut.partial
        except TimeoutError:
            content = b""
        return response.status, content
    finally:
        connection.close()


def send_bytes(url: str, request: bytes) -> tuple[int | None, bytes]:
    """(status, answer); None where the server hung up without a word, as it may on nonsense, or waits for more."""
    address = urlsplit(url)
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=3) as connection:
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.sendall(request)
        with contextlib.suppress(ConnectionError, TimeoutError):
            while chunk := connection.recv(65_536):
                answer += chunk
                if len(answer) > 10**6:
                    break
    found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    return (int(found[1]) if found else None), answer


def run_event(client: httpx.Client, index: int, data: list, session: str, prefix: str = "") -> tuple[int, str]:
    """One of Gradio's events as the page's own script triggers it: (status of the queue, everything it said)."""
    joined = client.post(
        f"{prefix}/gradio_api/queue/join",
        content=json.dumps({"fn_index": index, "data": data, "session_hash": session, "event_data": None}),
        headers={"Content-Type": "application/json"},
    )
    if joined.status_code != 200:
        return joined.status_code, joined.text
    said = []
    with client.stream("GET", f"{prefix}/gradio_api/queue/data", params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            said.append(line)
            if '"process_completed"' in line or '"close_stream"' in line or '"unexpected_error"' in line:
                break
    return 200, "\n".join(said)


def spellings(path: str) -> Iterator[str]:
    """One path in the ways that filters overlook."""
    yield path
    yield path.replace("..", "%2e%2e")
    yield quote(path, safe="")
    yield quote(quote(path, safe=""), safe="")
    yield path.replace("/", "%2f")
    yield path.replace("/", "%5c").replace("..", "%2e.")
    yield path.replace("/", "\\")
    yield path.replace("../", "....//")
    yield path.replace("..", "%c0%ae%c0%ae")
    yield path.replace("/", "//")
    yield f"{path}%00.wav"
    yield f"{path}?x=.wav"
    yield f"./{path}"
    yield f"{path}/."
