"""As much of the hub as publishing a Space needs, in memory: what arrives is kept for the tests to look at."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

MAX_GIT_FILE_BYTES = 10_000_000


class SpaceHub:
    def __init__(self) -> None:
        self.repos: dict[str, dict] = {}  # "space lab/demo" -> what it was created with
        self.files: dict[str, bytes] = {}  # of the Space; those outside git as they were uploaded
        self.outside_git: set[str] = set()
        self.settings: dict[str, tuple[str, str]] = {}  # "secrets" or "variables" -> (name, value)
        self.commits: list[str] = []
        self.tokens: set[str] = set()
        self._objects: dict[str, bytes] = {}

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        """Its address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    def post(self, path: str, body: bytes, host: str) -> object:
        if path == "/api/repos/create":
            wanted = json.loads(body)
            name = f"{wanted['organization']}/{wanted['name']}"
            self.repos[f"{wanted['type']} {name}"] = wanted
            return {"url": f"http://{host}/{wanted['type']}s/{name}", "name": name, "id": name}
        if path.endswith(("/secrets", "/variables")):
            given = json.loads(body)
            self.settings[path.rsplit("/")[-1]] = (given["key"], given["value"])
            return {}
        if "/preupload/" in path:
            return {"files": [self._mode(file) for file in json.loads(body)["files"]]}
        if path.endswith("/info/lfs/objects/batch"):
            return {"transfer": "basic", "objects": [_where(o, host) for o in json.loads(body)["objects"]]}
        if "/commit/" in path:
            self._commit(map(json.loads, body.splitlines()))
            page = path.removeprefix("/api").removesuffix("/main")
            return {"commitUrl": f"http://{host}{page}/{'0' * 40}", "commitOid": "0" * 40, "pullRequestUrl": None}
        assert path == "/api/validate-yaml", path
        return {"errors": [], "warnings": []}

    def put(self, oid: str, body: bytes) -> None:
        assert hashlib.sha256(body).hexdigest() == oid
        self._objects[oid] = body

    def get(self, path: str) -> object | None:
        """None: there is no such repository."""
        _, _, kind, *words = path.split("/")
        owner_and_name, more = "/".join(words[:2]), words[2:]
        if f"{kind.removesuffix('s')} {owner_and_name}" not in self.repos:
            return None
        if more[:1] == ["tree"]:
            return [{"type": "file", "path": p, "size": len(c), "oid": "0" * 40} for p, c in self.files.items()]
        return {"id": owner_and_name, "sha": "0" * 40}

    @staticmethod
    def _mode(file: dict) -> dict:
        outside = file["size"] > MAX_GIT_FILE_BYTES or b"\0" in base64.b64decode(file["sample"])
        return {"path": file["path"], "uploadMode": "lfs" if outside else "regular", "shouldIgnore": False}

    def _commit(self, entries) -> None:
        for entry in entries:
            value = entry["value"]
            if entry["key"] == "header":
                self.commits.append(value["summary"])
            elif entry["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                self.files[value["path"]] = self._objects[value["oid"]]
                self.outside_git.add(value["path"])
            else:
                assert entry["key"] == "deletedFile"
                del self.files[value["path"]]


def _where(wanted: dict, host: str) -> dict:
    return wanted | {"actions": {"upload": {"href": f"http://{host}/objects/{wanted['oid']}"}}}


class _Handler(BaseHTTPRequestHandler):
    hub: SpaceHub

    def do_POST(self) -> None:
        self.hub.tokens.add(self.headers.get("Authorization", ""))
        self._answer(self.hub.post(urlsplit(self.path).path, self._body(), self.headers["Host"]))

    def do_PUT(self) -> None:
        self.hub.put(self.path.rsplit("/")[-1], self._body())
        self._answer({})

    def do_GET(self) -> None:
        self._answer(self.hub.get(urlsplit(self.path).path))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, reply: object | None) -> None:
        content = json.dumps({"error": "not found"} if reply is None else reply).encode()
        self.send_response(404 if reply is None else 200)
        if reply is None:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass
