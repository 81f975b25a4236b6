"""A process that is killed at any moment leaves nothing half done: studies, answers, uploads.

python -m pytest tests/robustness/test_kills.py --proof -s
"""

import contextlib
import hashlib
import itertools
import math
import os
import random
import signal
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from eval.listening.session.open import open_listening, open_store
from server.sweep import sweep
from tests import warm_python
from tests.conftest import free_port, running_app, start_app
from tests.listening import Listener, any_answer
from tests.robustness.rating_server import start_server
from tests.robustness.requests_by_hand import run_event
from tests.robustness.studied_app import add_study
from tests.robustness.test_faults import stored_answers
from tests.waiting import random_moment, until

STIMULI = (
    2 * (2 + 2) + 1 + 5
)  # per clip two systems, reference and anchor; once the ruined stimulus and five kinds of beeps


def check_studies(data: Path) -> int:
    """How many there are, each whole: every stimulus is there, and is what its hash says."""
    store = open_store(data)
    studies = [store.study(about["public_id"]) for about in store.studies()]
    for stored in studies:
        assert len(stored.stimuli) == STIMULI, f"{stored.study.name} lacks stimuli"
        for stimulus in stored.stimuli:
            wav = store.wav(stimulus.sha256)
            assert hashlib.sha256(wav).hexdigest() == stimulus.sha256
            assert wav[:4] == b"RIFF"
    store.check()
    store.close()
    return len(studies)


def processor_seconds(process: int) -> float:
    """So far; of one that has ended, all."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_study_is_there_as_a_whole_or_not_at_all(tmp_path, scale):
    chance, numbers = random.Random(0), itertools.count()
    killed, whole, usual = 0, 0, math.inf

    def make(after: float = math.inf) -> None:
        """after: seconds of processor time that the maker gets until it is killed."""
        nonlocal killed, whole, usual
        arguments = ["-m", "tests.robustness.study_maker", str(tmp_path), f"Study {next(numbers)}"]
        maker = warm_python.start(arguments, tmp_path / "log.txt")
        until(lambda: maker.ended or processor_seconds(maker.pid) >= after, "the study is made, or under way")
        used = processor_seconds(maker.pid)
        maker.kill()
        code = maker.wait()
        assert code in (0, -signal.SIGKILL), (tmp_path / "log.txt").read_text()
        killed += code == -signal.SIGKILL
        whole += code == 0
        usual = min(usual, used) if code == 0 else usual

    make()
    for _ in range(scale(3, 120)):
        make(chance.uniform(0.3, 1.1) * usual)
        # Killed between the last write and the exit, it may be there although nobody was told
        assert whole <= check_studies(tmp_path) <= whole + killed
    make()
    found = check_studies(tmp_path)
    assert killed > 0
    print(f"\nkilled while making a study: {killed} of {killed + whole}, {found} studies whole, 0 in parts")


def test_a_confirmed_answer_outlives_the_server(tmp_path, scale):
    """Eight listeners; the server is killed under them again and again, and they go on."""
    public_id, _ = add_study(tmp_path)
    port, chance, kills = free_port(), random.Random(1), scale(1, 60)
    process, ended = start_server(tmp_path, port), threading.Event()
    confirmed: dict[str, int] = {}
    sent: dict[str, list[int]] = {}  # to the same trial again where no confirmation came
    gone: list[int] = []

    def listen(number: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            while not ended.is_set():
                listener, step = Listener(http, public_id, any_answer, fetch=False), {"step": "welcome"}
                while step["step"] != "done":
                    try:
                        step = go_on(listener, step, number)
                    except httpx.TransportError:  # the server is gone; the page asks again where it is
                        gone.append(number)
                        ended.wait(0.1)
                        if listener.token:
                            step = {"step": "lost"}

    def go_on(listener: Listener, step: dict, number: int) -> dict:
        if step["step"] == "welcome":
            return listener.join()
        if step["step"] == "lost":
            found = listener.post("open", study=public_id, token=listener.token).json()
            assert found["step"] != "welcome", "the session was forgotten"
            return found
        if step["step"] != "trial":
            return listener.go_on(step)
        answer, nonce = 1 + (number + len(sent)) % 5, step["nonce"]
        sent.setdefault(nonce, []).append(answer)
        response = listener.send(step, answer)
        assert response.status_code == 200, response.text
        confirmed.setdefault(nonce, answer)
        return response.json()

    def answered(more: int) -> None:
        wanted = len(confirmed) + more
        until(lambda: len(confirmed) >= wanted, f"{more} more answers are confirmed")

    threads = [threading.Thread(target=listen, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            answered(chance.randrange(1, 20))
            process.kill()
            process.wait()
            process = start_server(tmp_path, port)
        answered(8)
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)
        process.kill()
        process.wait()
    stored = stored_answers(tmp_path, public_id)
    assert len(confirmed) > kills
    assert gone
    assert confirmed.keys() <= stored.keys() <= sent.keys()
    assert all(stored[nonce] in sent[nonce] for nonce in stored)
    first = {nonce: answers[0] for nonce, answers in sent.items() if len(answers) == 1}
    assert all(stored[nonce] == confirmed[nonce] for nonce in confirmed if nonce in first)
    check_plans(tmp_path, public_id)
    print(
        f"\nserver killed {kills} times under 8 listeners: {len(confirmed):,} answers confirmed, {len(stored):,} stored, 0 lost, 0 doubled"
    )


def check_plans(data: Path, public_id: str) -> None:
    """No listener has answered a trial before the one in front of it, or one twice."""
    listening = open_listening(data)
    numbers: dict[str, list[int]] = {}
    for row in listening.store.answers(public_id):
        numbers.setdefault(row["rater"], []).append(row["number"])
    listening.store.close()
    assert all(found == list(range(len(found))) for found in numbers.values())


def test_an_upload_that_was_cut_off_harms_nothing(tmp_path, scale):
    """The app is killed while a checkpoint arrives. It starts again, studies are whole, and the fragment is nobody's upload:
    it goes when room is needed."""
    public_id, _ = add_study(tmp_path)
    chance = random.Random(2)
    for _ in range(scale(1, 4)):
        process, url = start_app(tmp_path)
        address = urlsplit(url)
        head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="mine.safetensors"\r\n\r\n'
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(
                b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                b"Content-Length: 60000000\r\n\r\n" + head
            )
            for _ in range(chance.randrange(5, 40)):
                connection.sendall(bytes(10**6))
            process.kill()
            process.wait()
        with running_app(tmp_path) as url:
            step = httpx.post(f"{url}/listening/open", json={"study": public_id}).json()
            assert step["step"] == "welcome"
            left = [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]
            assert [path for path in left if path.suffix == ".safetensors"] == []
            assert sweep(tmp_path / "uploads", 0) == len(left)
    print(f"\nkilled while a file arrived: {scale(1, 4)} times, the fragment swept, 0 studies harmed")


def add_checkpoint(http: httpx.Client, checkpoint: Path) -> str:
    """Upload a generator and press the button that adds it; everything the app said."""
    names = (checkpoint, checkpoint.with_name("config.json"))
    stored = http.post("/gradio_api/upload", files=[("files", (path.name, path.read_bytes())) for path in names]).json()
    config = http.get("/config").json()
    button = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == "add-own")
    event = next(event for event in config["dependencies"] if [button, "click"] in event["targets"])
    files = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in stored]
    return run_event(http, event["id"], [None, files, "hw2", False, []], "adds-one")[1]


def test_a_kill_while_a_checkpoint_is_read_leaves_nothing(jik876, tmp_path, scale):
    """Stored, sent to its own process, taken apart, loaded: the app is killed anywhere on the way, and starts as if new."""
    data, chance, cut_off = tmp_path / "data", random.Random(5), 0
    data.mkdir()
    for _ in range(scale(1, 20)):
        process, url = start_app(data)
        said: list[str] = []

        def add(url: str = url, said: list[str] = said) -> None:
            with contextlib.suppress(httpx.TransportError), httpx.Client(base_url=url, timeout=60) as http:
                said.append(add_checkpoint(http, jik876))

        adding = threading.Thread(target=add)
        adding.start()
        random_moment(chance, 4.0)
        process.kill()
        process.wait()
        adding.join(60)
        cut_off += not any("is now among the systems" in words for words in said)
    with running_app(data) as url, httpx.Client(base_url=url, timeout=60) as http:
        assert [path for path in (data / "uploads").rglob("*") if path.is_file()] == []
        assert "is now among the systems" in add_checkpoint(http, jik876)
        left = {path.name for path in (data / "uploads").rglob("*") if path.is_file() and path.stat().st_size}
        assert left == {jik876.name, "config.json"}
    print(
        f"\nkilled while a checkpoint was read: {scale(1, 20)} times, {cut_off} of them before its end; nothing was left, and it can be added"
    )
