"""What is stored of a person: given to the person, kept for as long as the study says, and gone from copies and backups too."""

import dataclasses
import json
import tarfile

import pytest
import sqlalchemy as sa

from eval.listening.analysis.screening import Flag
from eval.listening.recruiting.platform import Visit
from eval.listening.recruiting.terms import Recruiting
from eval.listening.storage import tables
from eval.listening.storage.backup import DELETED, back_up, restore
from eval.listening.storage.hashes import hash_of
from eval.listening.storage.jsonl_mirror import deleted_in, mirror_from_environment
from eval.listening.storage.store import Store
from eval.listening.study import Study, StudyError, study_from
from tests.listening import Listener, any_answer, store_silently

DAY = 24 * 3600.0
RESPONSE = {"answer": 4, "heard": [2.0], "plays": [1], "switches": 0, "dwell_ms": 2500}
STUDY = Study("Which one?", "acr", ("one", "two"), ("a",), recruiting=Recruiting("prolific", completed="DONE"))


def take_part(store: Store, public_id: str, participant: str = "5f1"):
    rater = store.add_rater(public_id, "en", {"width": 1}, Visit(participant, "60a", "61b"))
    store.add_event(rater, "volume", {"level": 0.5})
    store.add_response(rater, store.show(rater, 0), RESPONSE, [Flag(rater.id, "gold", 1, "why")])
    return rater


def text_of(store: Store) -> str:
    """Every row of every table."""
    with store.snapshot() as connection:
        return str([connection.execute(sa.select(table)).all() for table in tables.metadata.sorted_tables])


def text_in(folder) -> str:
    return "".join(path.read_text() for path in folder.glob("*.jsonl"))


def test_a_study_states_owner_contact_and_time():
    content = {"name": "x", "mode": "acr", "items": ["one"], "systems": ["a"]}
    found = study_from({**content, "owner": "A. Person", "contact": "a@example.org", "keep_days": 90})
    assert (found.owner, found.contact, found.keep_days) == ("A. Person", "a@example.org", 90)
    assert study_from(json.loads(json.dumps(dataclasses.asdict(found)))) == found
    for wrong, match in (
        ({"keep_days": 0}, "1 to 3650"),
        ({"keep_days": 1.5}, "whole number"),
        ({"owner": "x" * 201}, "200"),
    ):
        with pytest.raises(StudyError, match=match):
            study_from({**content, **wrong})


def test_everything_of_a_rater_goes_when_the_time_is_over(store, clock, tmp_path):
    kept, forever = (store_silently(store, dataclasses.replace(STUDY, keep_days=days)) for days in (30, None))
    old = take_part(store, kept, "5f1-old")
    other = take_part(store, forever, "5f2-other")
    clock.now += 29 * DAY
    new = take_part(store, kept, "5f3-new")
    assert store.delete_expired() == []
    clock.now += DAY + 1
    assert store.delete_expired() == [old.id]
    assert store.delete_expired() == []
    everything = text_of(store) + text_in(tmp_path / "answers")
    assert old.id not in everything
    assert "5f1-old" not in everything
    assert {row["rater"] for row in store.raters(kept) + store.raters(forever)} == {new.id, other.id}
    assert [row["participant"] for row in store.participants(kept)] == ["5f3-new"]
    again = store.add_rater(kept, "en", {}, Visit("5f1-old"))
    assert again.id != old.id, "nobody knows that this participant was here"


def test_a_deletion_reaches_the_copy_also_what_another_process_writes_late(store, tmp_path, monkeypatch):
    monkeypatch.delenv("LISTENING_DATASET", raising=False)
    public_id = store_silently(store, STUDY)
    rater, other = take_part(store, public_id), take_part(store, public_id, "5f2")
    elsewhere = tmp_path / "answers" / f"{public_id}.another-process.jsonl"
    elsewhere.write_text(json.dumps({"table": "event", "rater": rater.id}) + "\n")
    store.delete_rater(rater)
    assert rater.id not in text_in(tmp_path / "answers")
    assert other.id in text_in(tmp_path / "answers")
    assert deleted_in(tmp_path / "answers") == {hash_of(rater.id)} == store.deleted()
    elsewhere.write_text(json.dumps({"table": "response", "rater": rater.id}) + "\n")
    mirror_from_environment(tmp_path / "answers")  # as the next app does
    assert rater.id not in text_in(tmp_path / "answers")
    store.delete_rater(rater)
    assert store.deleted() == {hash_of(rater.id)}, "twice is once"


def test_a_restored_backup_brings_nobody_back(store, tmp_path, clock):
    """The list lies beside the archive, in the mirror, and in a later archive: each is enough."""
    public_id = store_silently(store, STUDY)
    gone, stays = take_part(store, public_id), take_part(store, public_id, "5f2")
    for name in ("beside", "mirrored", "neither"):
        (tmp_path / name).mkdir()
        back_up(store, tmp_path, tmp_path / name / "old.tar")
    store.delete_rater(gone)
    back_up(store, tmp_path, tmp_path / "beside" / "new.tar")
    assert (tmp_path / "beside" / DELETED).read_text().split() == [hash_of(gone.id)]
    (tmp_path / "answers").rename(tmp_path / "mirrored" / "answers")
    for name, here in (("beside", False), ("mirrored", False), ("neither", True)):
        other = Store(f"sqlite:///{tmp_path / name / 'restored.db'}")
        restore(other, tmp_path / name, tmp_path / name / "old.tar")
        assert (gone.id in text_of(other)) == here, name
        assert stays.id in text_of(other)
        assert ("'5f1'" in text_of(other)) == here
        assert len(other.answers(public_id)) == 1 + here
        assert other.deleted() == (set() if here else {hash_of(gone.id)})
        other.close()


def test_a_backup_of_an_older_version_is_restored(store, tmp_path):
    public_id = store_silently(store, dataclasses.replace(STUDY, recruiting=None))
    rater = store.add_rater(public_id, "en", {})
    back_up(store, tmp_path, tmp_path / "all.tar")
    with tarfile.open(tmp_path / "all.tar") as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}
    about = json.loads(files["about.json"])
    for name in ("participant", "place", "alarm", "deletion"):
        del files[f"tables/{name}.jsonl"], about["rows"][name]
    files["about.json"] = json.dumps({**about, "format": 1}).encode()
    (tmp_path / "old").mkdir()
    with tarfile.open(tmp_path / "old" / "old.tar", "w") as tar:
        for name, content in files.items():
            (tmp_path / "member").write_bytes(content)
            tar.add(tmp_path / "member", name)
    other = Store(f"sqlite:///{tmp_path / 'old' / 'restored.db'}")
    restore(other, tmp_path / "old", tmp_path / "old" / "old.tar")
    assert [row["rater"] for row in other.raters(public_id)] == [rater.id]
    other.close()


def test_a_person_gets_all_that_is_stored_and_nothing_that_unblinds(http, listening):
    study = store_silently(listening.store, STUDY)
    listener = Listener(http, study, lambda step: 5, fetch=False, address={"PROLIFIC_PID": "5f1", "SESSION_ID": "61b"})
    listener.run(until=lambda step: step["step"] == "trial" and not step["training"])
    early = listener.post("mine", token=listener.token).json()
    assert len(early["answers"]) == 2
    assert not early.keys() & {"code", "flags"}, "neither the proof of the end, nor how answers are checked"
    listener.run()
    mine = listener.post("mine", token=listener.token).json()
    assert mine["name"] == "Which one?"
    assert mine["participant"] == {"participant": "5f1", "platform_study": "", "platform_session": "61b"}
    assert mine["steps"].keys() == {"volume", "headphones", "instructions", "completed"}
    assert [answer["answer"] for answer in mine["answers"]] == listener.answers
    (row,) = listening.store.raters(study)
    assert (mine["number"], mine["code"], mine["device"]) == (
        row["rater"],
        row["code"],
        {"width": 1280, "touch": False},
    )
    assert sorted(mine["flags"]) == sorted(flag["rule"] for flag in row["flags"])
    assert not {"griffin", "reference", "degraded", "beeps", "anchor"} & set(json.dumps(mine).split('"'))
    listener.post("forget", token=listener.token)
    assert listener.post("mine", token=listener.token).json()["error"] == "bad_token"


def test_anybody_may_read_what_a_study_stores(http, listening):
    named = store_silently(listening.store, dataclasses.replace(STUDY, owner="A. Person", contact="a@b.c", keep_days=9))
    found = http.post("/listening/privacy", json={"study": named}).json()
    assert found == {
        "step": "privacy",
        "name": "Which one?",
        "owner": "A. Person",
        "contact": "a@b.c",
        "keep_days": 9,
        "platform": "Prolific",
    }
    assert http.post("/listening/privacy", json={"study": "none"}).status_code == 404


def test_the_sweep_ends_sessions_and_waits_for_a_database_that_is_away(http, listening, clock, tmp_path, caplog):
    study = store_silently(listening.store, dataclasses.replace(STUDY, recruiting=None, keep_days=1))
    listener = Listener(http, study, any_answer, fetch=False)
    listener.run()
    clock.now += 2 * DAY
    (tmp_path / "listening.db").rename(tmp_path / "away.db")
    listening.delete_expired()
    assert "could not be deleted" in caplog.text
    (tmp_path / "away.db").rename(tmp_path / "listening.db")
    listening.delete_expired()
    assert listening.store.raters(study) == []
    assert listener.post("next", token=listener.token, done="volume").json()["error"] == "bad_token", (
        "no cache knows it"
    )
