"""The copy of every answer: readable lines, and its way into a dataset repository."""

import base64
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from common.paths import ROOT
from eval.listening.storage.durability import outlives_the_process
from eval.listening.storage.hashes import hash_of
from eval.listening.storage.jsonl_mirror import Mirror, mirror_from_environment
from tests.waiting import until


def test_lines_are_appended_and_survive_a_cut(tmp_path):
    mirror = Mirror(tmp_path)
    mirror.append("response", "study", {"rater": "a", "answer": 3})
    (path,) = tmp_path.glob("study.*.jsonl")
    with path.open("a") as file:
        file.write('{"table": "resp')  # the power went here, in another file's life
        file.write("\n")
    mirror.append("response", "study", {"rater": "b", "answer": 4})
    mirror.delete_rater("study", "a")
    lines = path.read_text().splitlines()
    assert lines[0] == '{"table": "resp'
    assert json.loads(lines[1])["answer"] == 4
    assert len(lines) == 2


def test_a_copy_that_cannot_be_written_is_no_reason_to_refuse_an_answer(tmp_path, caplog):
    mirror = Mirror(tmp_path / "answers")
    (tmp_path / "answers").rmdir()
    mirror.append("response", "study", {"answer": 3})
    assert "could not be written" in caplog.text


def test_nothing_is_written_while_the_folder_is_uploaded(tmp_path):
    lock = threading.Lock()
    mirror = Mirror(tmp_path, lock)
    with lock:
        writer = threading.Thread(target=mirror.append, args=("response", "study", {}))
        writer.start()
        writer.join(0.2)
        assert list(tmp_path.iterdir()) == []
    writer.join()
    assert len(list(tmp_path.iterdir())) == 1


class Hub(BaseHTTPRequestHandler):
    """As much of a model hub as an upload of small files needs."""

    committed: dict[str, str] = {}  # noqa: RUF012
    squashed: list[str] = []  # since the last commit  # noqa: RUF012

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/create"):
            reply = {
                "url": f"http://{self.headers['Host']}/datasets/lab/answers",
                "name": "lab/answers",
                "id": "lab/answers",
            }
        elif "/super-squash/" in self.path:
            self.squashed.append(self.path)
            reply = {}
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            reply = {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]}
        else:
            self.squashed.clear()
            for entry in map(json.loads, body.splitlines()):
                if entry["key"] == "file":
                    self.committed[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"]).decode()
            reply = {
                "commitUrl": "https://huggingface.co/datasets/lab/answers/commit/0",
                "commitOid": "0",
                "pullRequestUrl": None,
            }
        content = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


PUSH = """
import sys
from pathlib import Path
import eval.listening.storage.jsonl_mirror as mirror
mirror.PUSH_INTERVAL_MINUTES = 0.01
copy = mirror.mirror_from_environment(Path(sys.argv[1]))
copy.append("response", "study", {"rater": "a", "answer": 5})
sys.stdin.read()
"""


def pushed(tmp_path, program: str, done) -> None:
    """Runs the program with a hub at hand until `done`."""
    Hub.committed.clear()
    Hub.squashed.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_TOKEN": "hf_made_up",
        "LISTENING_DATASET": "lab/answers",
        "HF_HOME": str(tmp_path / "hub"),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "answers")], cwd=ROOT, env=environment, stdin=subprocess.PIPE
    )
    try:
        until(done, "the hub has it")
    finally:
        process.kill()
        process.wait()
        server.shutdown()


def test_answers_are_pushed_to_the_dataset(tmp_path):
    pushed(tmp_path, PUSH, lambda: any("answer" in text for text in Hub.committed.values()))
    ((path, text),) = Hub.committed.items()
    assert Hub.squashed == []
    assert path.startswith("study.")
    assert path.endswith(".jsonl")
    assert json.loads(text)["answer"] == 5


def test_a_deletion_reaches_the_dataset_and_its_history(tmp_path):
    """The file is pushed without the rater's lines, and no earlier version of it stays."""
    deletes = PUSH.replace("sys.stdin", 'copy.delete_rater("study", "a")\nsys.stdin')

    def is_gone() -> bool:
        return bool(Hub.squashed) and not any('"answer"' in text for text in Hub.committed.values())

    pushed(tmp_path, deletes, is_gone)
    assert Hub.squashed[0].endswith("/datasets/lab/answers/super-squash/main")
    assert any(hash_of("a") in text for text in Hub.committed.values())


def test_a_dataset_that_cannot_be_reached_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("LISTENING_DATASET", "nobody/nothing")
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match="LISTENING_DATASET=nobody/nothing"):
        mirror_from_environment(tmp_path)


def test_a_space_without_a_database_forgets(tmp_path, monkeypatch):
    for name in ("SPACE_ID", "LISTENING_DATASET", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    sqlite = f"sqlite:///{tmp_path}/x.db"
    assert outlives_the_process("postgresql+psycopg://somewhere", tmp_path)
    monkeypatch.setenv("SPACE_ID", "somebody/lab")
    assert not outlives_the_process(sqlite, tmp_path)
    assert outlives_the_process("postgresql+psycopg://somewhere", tmp_path)
    monkeypatch.setenv("LISTENING_DATASET", "somebody/answers")
    assert outlives_the_process(sqlite, tmp_path)
