"""The owner's walk through a study: as a listener's session, and afterwards nothing is there."""

import pytest
import sqlalchemy as sa

from eval.listening.recruiting.launch import pay_words, per_hour
from eval.listening.recruiting.terms import Pay, Quotas, Recruiting
from eval.listening.session import preview
from eval.listening.session.preview import Preview
from eval.listening.storage import tables
from eval.listening.storage.store import Store
from eval.listening.study import Question, Study
from tests.listening import Listener, any_answer, store_silently
from ui.listening.outlook import outlook_of

DEVICE = Question("device", "With what?", ("headphones", "loudspeakers"))
PROLIFIC = Recruiting("prolific", completed="DONE", quotas=Quotas(1, {"device": {"headphones": 1}}))


def owner(http, listening, study: str, **more) -> Listener:
    address = dict(part.split("=", 1) for part in Preview(listening).link(study).partition("?")[2].split("&"))
    assert address["study"] == study
    return Listener(http, study, any_answer, address=address, says={"device": "headphones"}, **more)


def everything(store: Store) -> dict[str, list]:
    with store.snapshot() as connection:
        return {table.name: connection.execute(sa.select(table)).all() for table in tables.metadata.sorted_tables}


@pytest.mark.parametrize("recruiting", [None, PROLIFIC], ids=["plain", "prolific"])
def test_a_rehearsal_is_a_whole_session_that_leaves_nothing(http, listening, recruiting):
    study = Study("Which one?", "acr", ("one", "two"), ("a",), questions=(DEVICE,), recruiting=recruiting)
    public_id = store_silently(listening.store, study)
    before = everything(listening.store)
    for _ in range(3):  # more than there are places
        listener = owner(http, listening, public_id)
        done = listener.run()
        assert done["step"] == "done"
        assert done["code"] == ("DONE" if recruiting else "PREVIEW")
        assert len(listener.trials) == study.length + 2, "with its training"
        assert all(sound.status_code == 200 for step in listener.trials for sound in step["sounds"])
    assert everything(listening.store) == before
    real = Listener(
        http, public_id, any_answer, fetch=False, address={"PROLIFIC_PID": "5f1"}, says={"device": "headphones"}
    )
    assert real.run()["step"] == "done"
    assert [row["row"] for row in listening.store.raters(public_id)] == [0], "the first row was still free"


def test_a_rehearsal_of_a_sequential_test_ends_where_it_is_decided(http, listening):
    study = Study("Is it audible?", "sabx", ("one", "two"), ("a",))
    listener = owner(http, listening, store_silently(listening.store, study))
    assert listener.run()["step"] == "done"
    assert len(listener.trials) < study.length


def test_a_rehearsal_goes_on_after_a_reload_and_also_of_a_closed_study(http, listening):
    public_id = store_silently(listening.store, Study("Which one?", "acr", ("one", "two"), ("a",)))
    listening.store.set_closed(public_id, True)
    listener = owner(http, listening, public_id)
    step = listener.run(until=lambda step: step["step"] == "trial" and not step["training"])
    assert listener.open()["nonce"] == step["nonce"]
    assert listener.post("forget", token=listener.token).json() == {"step": "forgotten"}
    assert listener.open()["step"] == "welcome"


def test_tokens_of_rehearsals_and_of_listeners_open_nothing_of_each_other(http, listening):
    public_id = store_silently(listening.store, Study("Which one?", "acr", ("one", "two"), ("a",)))
    rehearses, real = owner(http, listening, public_id), Listener(http, public_id, any_answer)
    rehearses.join()
    real.join()
    bare = rehearses.token.removeprefix("preview.")
    for token in (bare, f"preview.{real.token}"):
        refused = http.post("/listening/next", json={"token": token, "done": "volume"})
        assert refused.json()["error"] == "bad_token"


def test_a_link_is_good_for_its_study_and_its_day(http, listening, monkeypatch):
    one, other = (store_silently(listening.store, Study("Which one?", "acr", ("one",), ("a",))) for _ in range(2))
    listener = owner(http, listening, one)
    for study, address in ((other, listener.address), (one, {"preview": "forged"}), (one, {"preview": 5})):
        for path in ("open", "join"):
            refused = http.post(f"/listening/{path}", json={"study": study, "address": address})
            assert (refused.status_code, refused.json()["error"]) == (403, "bad_preview")
    monkeypatch.setattr(preview, "MAX_LINK_SECONDS", -1)
    assert listener.post("open", study=one, address=listener.address).json()["error"] == "bad_preview"
    assert listening.store.raters(one) == listening.store.raters(other) == []


def test_pay_is_said_by_the_hour():
    pay = Pay(2.5, "GBP")
    assert per_hour(pay, 10) == 15.0
    words = pay_words(pay, 10, 40)
    assert words.startswith("2.50 GBP for about 10 minutes are 15.00 GBP an hour; 40 raters cost 100.00 GBP")
    html = outlook_of("acr", ["a", "b"], False, None, ["x", "y"], 12, 0, 1, 1, 1, pay=pay)
    assert "GBP an hour; 12 raters cost 30.00 GBP" in html
    assert "an hour" not in outlook_of("acr", ["a", "b"], False, None, ["x", "y"], 12, 0)
