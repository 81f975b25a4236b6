"""What several processes of the app share through a real Redis, and how one alone, or one whose Redis is away, goes on."""

import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from limits import RateLimitItemPerMinute

from common.durable import drawn_once
from common.kept import MemoryKept
from eval.listening.session.preview import Preview
from eval.listening.session.service import Listening
from eval.listening.storage.database import StoreError
from eval.listening.storage.store import Store
from eval.listening.study import Question, Study
from server.results import ResultStore
from server.shared_state import RedisKept, SharedState, check_addresses, require_one_service
from tests.debian import running_redis
from tests.listening import Listener, any_answer, store_silently
from ui.listening.rate_routes import rate_routes


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    yield from running_redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture
def url(redis):
    import redis as package

    address, _ = redis
    package.Redis.from_url(address).flushall()
    return address


@pytest.mark.parametrize("of", ["memory", "redis"])
def test_what_is_kept_is_read_changed_and_removed(url, of):
    kept = MemoryKept() if of == "memory" else SharedState(url).kept
    assert kept.get("one") is None
    assert kept.change("one", lambda value: value.update(n=2)) is None
    kept.put("one", {"n": 1})
    threads = [
        threading.Thread(target=lambda: kept.change("one", lambda value: value.update(n=value["n"] + 1)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.get("one") == {"n": 9}, "each change once"
    kept.remove("one")
    assert kept.get("one") is None


def test_processes_count_a_clients_requests_together(url):
    limit = RateLimitItemPerMinute(3)
    here, there, alone = SharedState(url).limiter, SharedState(url).limiter, SharedState().limiter
    assert [counts.hit(limit, "client", "rule") for counts in (here, there, here, there)] == [True, True, True, False]
    assert not here.test(limit, "client", "rule")
    assert here.test(limit, "another", "rule")
    assert here.test(limit, "client", "another rule")
    assert alone.hit(limit, "client", "rule")


def test_a_redis_that_is_away_is_no_reason_to_refuse_or_to_stop_counting(tmp_path):
    ((url, program),) = [next(starting := running_redis(tmp_path))]
    state, limit = SharedState(url), RateLimitItemPerMinute(1)
    program.kill()
    assert [state.limiter.hit(limit, "client") for _ in range(2)] == [True, False], "counted by this process"
    with pytest.raises(StoreError, match="Redis cannot be used"):
        state.kept.get("one")
    state.refresh()
    starting.close()


def test_a_rehearsal_goes_on_in_another_process(url, tmp_path):
    """Every step is answered by the other of two, which share nothing but the database and Redis."""
    questions = (Question("device", "With what?", ("headphones", "loudspeakers")),)
    address = f"sqlite:///{tmp_path / 'listening.db'}"
    processes = [Listening(Store(address), "one secret") for _ in range(2)]
    public_id = store_silently(processes[0].store, Study("Sequential", "sabx", ("one",), ("a",), questions=questions))
    clients = []
    for listening in processes:
        app = FastAPI()
        app.include_router(rate_routes(listening, kept=SharedState(url).kept))
        clients.append(TestClient(app))

    class InTurn:
        turn = 0

        def __getattr__(self, name):
            self.turn += 1
            return getattr(clients[self.turn % 2], name)

    link = dict(part.split("=", 1) for part in Preview(processes[0]).link(public_id).partition("?")[2].split("&"))
    listener = Listener(InTurn(), public_id, any_answer, address=link, says={"device": "headphones"})
    assert listener.run()["step"] == "done"
    assert all(response.status_code == 200 for response in listener.responses)
    assert processes[0].store.raters(public_id) == []
    for listening in processes:
        listening.store.close()


def test_processes_that_do_not_belong_together_do_not_start(url, tmp_path):
    def listening(secret):
        return Listening(Store(f"sqlite:///{tmp_path / 'listening.db'}"), secret)

    first, second = SharedState(url), SharedState(url)
    require_one_service(first, tmp_path, listening("one secret"))
    require_one_service(second, tmp_path, listening("one secret"))
    with pytest.raises(ValueError, match="give all of them the same LISTENING_SECRET"):
        require_one_service(SharedState(url), tmp_path, listening("another"))
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(ValueError, match="mount one directory for all"):
        require_one_service(SharedState(url), tmp_path / "elsewhere", listening("one secret"))
    require_one_service(SharedState(), tmp_path / "elsewhere", listening("another"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("mysql://lab@db/lab", ""), "--database: allowed is postgresql://USER@HOST/NAME, not mysql"),
        (("", "redis://somewhere"), "--redis is for several processes, which need a database"),
        (("sqlite:///file", "redis://somewhere"), "add --database postgresql://"),
    ],
)
def test_addresses_that_cannot_work_are_told(given, told):
    with pytest.raises(ValueError, match=told):
        check_addresses(*given)


def test_a_redis_that_cannot_be_used_is_told():
    with pytest.raises(ValueError, match="no Redis answers there"):
        SharedState("redis://127.0.0.1:1/0")
    with pytest.raises(ValueError, match="allowed is redis://HOST:PORT/NUMBER"):
        SharedState("http://127.0.0.1")
    for given in (("", ""), ("postgres://lab@db/lab", "redis://redis"), ("postgresql+psycopg://lab@db/lab", "")):
        check_addresses(*given)


def test_of_processes_that_start_at_once_all_read_one_secret(tmp_path):
    found, gate = [], threading.Barrier(8)

    def draw():
        gate.wait()
        found.append(drawn_once(tmp_path / "secret"))

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) >= 32
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["secret"], "no draft is left"
    assert not tmp_path.with_name(f"{tmp_path.name}.lock").exists(), "a container may write nowhere else"
    (tmp_path / "empty").touch()
    assert len(drawn_once(tmp_path / "empty")) >= 32


def test_processes_find_each_others_results(tmp_path):
    here, there = (ResultStore(tmp_path / "results") for _ in range(2))
    folder = here.new()
    (folder.path / "results.json").write_text("{}")
    there.new()
    assert there.find(folder.token, "results.json") == folder.path / "results.json"


def test_what_redis_keeps_has_its_time_and_no_longer(url):
    kept = SharedState(url).kept
    assert isinstance(kept, RedisKept)
    kept.put("one", {})
    import redis as package

    lifetime = package.Redis.from_url(url).ttl("lab:kept:one")
    assert 0 < lifetime <= 4 * 3600
    kept.change("one", lambda value: value.update(n=1))
    assert package.Redis.from_url(url).ttl("lab:kept:one") <= lifetime, "a change does not prolong it"
