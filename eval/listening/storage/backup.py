"""All studies in one file, and back: between machines, and between SQLite and PostgreSQL.

The archive is a tar of a line of JSON per row, the wavs they name, and the secret that raters' tokens are signed with. Beside it lies
a list of the raters who were deleted, which the next backup in that folder renews: a rater who was deleted is not brought back by an
older archive.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import time
from pathlib import Path

import sqlalchemy as sa

from common.durable import write_text_durably
from eval.listening.storage import tables
from eval.listening.storage.database import StoreError
from eval.listening.storage.hashes import hash_of
from eval.listening.storage.jsonl_mirror import deleted_in
from eval.listening.storage.store import Store

FORMAT = 2  # 1 had no participants, places, alarms and deletions, and is read as well
DELETED = "deleted-raters.txt"  # beside archives: a `hash_of` per line
SECRET = "secret"
# Those that others refer to come first; stimuli are files
_TABLES = {table.name: table for table in tables.metadata.sorted_tables if table is not tables.wav_file}
_WAV = re.compile(r"stimuli/([0-9a-f]{64})\.wav")


def back_up(store: Store, folder: Path, archive: Path) -> dict[str, int]:
    """Writes the archive from one consistent view of the database, while raters go on. folder: the studies' in the data directory.

    Returns rows per table. Errors: `StoreError`.
    """
    draft = archive.with_name(archive.name + ".part")
    counts = {}
    draft.unlink(missing_ok=True)
    draft.touch(0o600)  # answers of people, and the secret
    try:
        with store.snapshot() as connection, tarfile.open(draft, "w") as tar:
            for name, table in _TABLES.items():
                rows = [dict(row._mapping) for row in connection.execute(sa.select(table))]
                counts[name] = len(rows)
                lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                _add(tar, f"tables/{name}.jsonl", lines.encode())
            for sha256, wav in connection.execute(sa.select(tables.wav_file)):
                _add(tar, f"stimuli/{sha256}.wav", wav)
            if (folder / SECRET).is_file():
                tar.add(folder / SECRET, SECRET)
            _add(tar, "about.json", json.dumps({"format": FORMAT, "made": time.time(), "rows": counts}).encode())
        draft.replace(archive)
        _add_deleted(archive.with_name(DELETED), store.deleted())
    finally:
        draft.unlink(missing_ok=True)
    return counts


def restore(store: Store, folder: Path, archive: Path) -> dict[str, int]:
    """Into an empty database, without the raters who were deleted since: by the list beside the archive, by the deletions noted in the
    folder's mirror, and by the archive's own. Returns rows per table.

    Errors: `StoreError` when there are studies already; ValueError for a file that is no such archive.
    """
    if store.studies():
        raise StoreError("there are studies in this database already; restore into an empty one")
    try:
        with tarfile.open(archive) as tar:
            about = json.loads(_read(tar, "about.json"))
            if about.get("format") not in (1, FORMAT):
                raise ValueError(f"format {about.get('format')!r}; this version reads 1 and {FORMAT}")
            there = about["rows"].keys() & _TABLES.keys()  # those that came after the archive are not
            rows = {name: [json.loads(x) for x in _read(tar, f"tables/{name}.jsonl").splitlines()] for name in there}
            wavs = _wavs(tar)
            secret = _read(tar, SECRET) if SECRET in tar.getnames() else None
    except (tarfile.TarError, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{archive}: no backup that can be read: {error}") from error
    gone = _read_deleted(archive.with_name(DELETED)) | deleted_in(folder / "answers")
    rows = _without(rows, gone)
    store.fill({tables.wav_file: wavs} | {_TABLES[name]: rows[name] for name in _TABLES if name in rows})
    if secret is not None:
        path = folder / SECRET
        path.touch(0o600)
        path.write_text(secret)
    return {name: len(content) for name, content in rows.items()}


def _without(rows: dict[str, list[dict]], gone: set[str]) -> dict[str, list[dict]]:
    """The rows that are about none of these raters, and `gone` among the deletions. gone: as `hash_of`."""
    known = {row["rater_sha256"] for row in rows.get("deletion", ())}
    raters = {row["id"] for row in rows["rater"] if hash_of(row["id"]) in gone | known}
    trials = {row["id"] for row in rows["trial"] if row["rater_id"] in raters}
    kept = {
        name: [row for row in content if row.get("rater_id") not in raters and row.get("trial_id") not in trials]
        for name, content in rows.items()
    }
    kept["rater"] = [row for row in kept["rater"] if row["id"] not in raters]
    last = max((row["id"] for row in kept.get("deletion", ())), default=0)
    new = [{"rater_sha256": sha256, "created": time.time()} for sha256 in sorted(gone - known)]
    kept["deletion"] = kept.get("deletion", []) + [{"id": last + n, **row} for n, row in enumerate(new, start=1)]
    return kept


def _read_deleted(path: Path) -> set[str]:
    return set(path.read_text().split()) if path.is_file() else set()


def _add_deleted(path: Path, hashes: set[str]) -> None:
    """Those of other archives in the folder stay."""
    if everything := hashes | _read_deleted(path):
        write_text_durably(path, "".join(f"{sha256}\n" for sha256 in sorted(everything)))


def _wavs(tar: tarfile.TarFile) -> list[dict]:
    """Rows of stimuli. Errors: ValueError for a wav that is not the one its name says."""
    found = []
    for member in tar:
        if member.isfile() and (match := _WAV.fullmatch(member.name)):
            file = tar.extractfile(member)
            wav = file.read() if file else b""
            if hashlib.sha256(wav).hexdigest() != match[1]:
                raise ValueError(f"{member.name} is damaged")
            found.append({"sha256": match[1], "wav": wav})
    return found


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), int(time.time()), 0o600
    tar.addfile(info, io.BytesIO(content))


def _read(tar: tarfile.TarFile, name: str) -> str:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read().decode()
