"""A comparison that outlives its page: who follows it, when it is stopped, what is kept of it."""

import contextlib
import threading

import pytest

from tests.signals import harmonic_tone
from tests.waiting import until
from ui.compare.job import CompareJob
from ui.compare.keeping.kept import FILE, keep, read_kept
from ui.compare.keeping.live import MAX_LEFT, LiveComparisons
from ui.compare.running import Running
from vocoders.audio import Recording
from vocoders.catalogue import find_systems

LONG = 3600.0  # s of grace: no test waits for it


class Work:
    """Updates that a test lets through one by one."""

    def __init__(self) -> None:
        self.stop, self.ended = threading.Event(), []
        self._allowed = threading.Semaphore(0)

    def updates(self, count: int = 3):
        for number in range(count):
            self._allowed.acquire()
            if self.stop.is_set():
                break
            yield {"player": number, **({"intake": "once"} if not number else {})}

    def go_on(self) -> None:
        self._allowed.release()


def started(lives: LiveComparisons, work: Work, token: str = "token", **options):
    return lives.start(token, work.updates(**options), work.stop, work.ended.append)


def test_a_page_gets_what_changes_and_a_second_one_first_all_there_is():
    lives, work = LiveComparisons(LONG), Work()
    live = started(lives, work)
    first = live.follow()
    work.go_on()
    assert next(first) == {"player": 0, "intake": "once"}
    work.go_on()
    assert next(first) == {"player": 1}
    second = lives.find("token").follow()
    assert next(second) == {"player": 1, "intake": "once"}
    work.go_on()
    assert list(first) == list(second) == [{"player": 2}]
    assert work.ended == [{"player": 2, "intake": "once"}]
    until(lambda: lives.find("token") is None, "it is forgotten")
    assert list(live.follow()) == [{"player": 2, "intake": "once"}], "also after the end"


def test_it_goes_on_without_a_page_and_another_page_follows():
    lives, work = LiveComparisons(LONG), Work()
    pages = started(lives, work).follow()
    work.go_on()
    next(pages)
    pages.close()
    assert not work.stop.is_set()
    again = lives.find("token").follow()
    work.go_on()
    work.go_on()
    assert list(again)[-1]["player"] == 2


def test_without_a_page_it_is_stopped_in_the_end():
    lives, work = LiveComparisons(grace=0.0), Work()
    pages = started(lives, work).follow()
    work.go_on()
    next(pages)
    pages.close()
    assert work.stop.wait(60)
    work.go_on()
    until(lambda: work.ended, "what was reached is kept")


def test_few_go_on_whose_page_was_left():
    lives, works = LiveComparisons(LONG), [Work() for _ in range(MAX_LEFT + 2)]
    pages = [started(lives, work, str(number)).follow() for number, work in enumerate(works)]
    for work, page in zip(works, pages):
        work.go_on()
        next(page)
    for page in pages[1:]:
        page.close()
    assert [work.stop.is_set() for work in works] == [False, True, *[False] * MAX_LEFT]
    for work in works:
        work.stop.set()
        work.go_on()


def test_an_error_reaches_the_page_and_the_comparison_is_forgotten():
    lives, stop = LiveComparisons(LONG), threading.Event()

    def broken():
        yield {"player": 1}
        raise RuntimeError("the reason")

    live = lives.start("token", broken(), stop, lambda shown: None)
    with pytest.raises(RuntimeError, match="the reason"):
        list(live.follow())
    until(lambda: lives.find("token") is None, "it is forgotten")


def test_a_page_that_is_left_takes_its_session_along_but_not_the_comparison():
    running, flag = Running(), threading.Event()
    before = Running.count()
    pages = running.follow("old session", lambda _: (n for n in (1, 2)), flag=flag)
    assert next(pages) == 1
    pages.close()
    assert not flag.is_set()
    assert Running.count() == before + 1
    again = running.follow("new session", lambda _: (n for n in (2, 3)), flag=flag)
    assert next(again) == 2
    running.stop("old session")
    assert not flag.is_set()
    running.stop("new session")
    assert flag.is_set(), "Stop reaches it from the page that shows it"
    with contextlib.closing(again):
        Running.ended(flag)
    assert Running.count() == before


def test_without_a_flag_of_its_own_a_comparison_ends_with_its_page():
    running, flags = Running(), []
    pages = running.follow("a", lambda flag: flags.append(flag) or (n for n in (1, 2)))
    next(pages)
    pages.close()
    assert flags[0].is_set()


def test_what_the_page_showed_is_read_back(store):
    recording = Recording("Song <b>", harmonic_tone(0.5), "WAV, mono.")
    folder = store.new()
    *_, last = CompareJob(recording, find_systems("griffin-lim"), folder).run(threading.Event())
    keep(folder, recording, {"player": last.player, "metrics": "<p>ω</p>"})
    kept, found = read_kept(store, folder.token)
    assert (kept.name, kept.about) == ("Song <b>", "WAV, mono.")
    assert kept.is_done
    assert found == folder
    assert kept.shown["metrics"] == "<p>ω</p>"
    assert [track["id"] for track in kept.shown["player"]["tracks"]] == ["reference", "griffin-lim"]
    (folder.path / FILE).unlink()
    assert read_kept(store, folder.token) is None
    assert read_kept(store, "../../etc") is None
