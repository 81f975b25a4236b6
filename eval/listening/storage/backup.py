"""All studies in one file, and back: between machines, and between SQLite and PostgreSQL.

The archive is a tar of a line of JSON per row, the wavs they name, and the secret that raters' tokens are signed with.
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

from eval.listening.storage import tables
from eval.listening.storage.database import StoreError
from eval.listening.storage.store import Store

FORMAT = 1
SECRET = "secret"
# Those that others refer to come first; stimuli are files
_TABLES = {table.name: table for table in tables.metadata.sorted_tables if table is not tables.wav_file}
_LATER_TABLES = {tables.results_link.name}  # which older archives lack
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
    finally:
        draft.unlink(missing_ok=True)
    return counts


def restore(store: Store, folder: Path, archive: Path) -> dict[str, int]:
    """Into an empty database. Returns rows per table.

    Errors: `StoreError` when there are studies already; ValueError for a file that is no such archive.
    """
    if store.studies():
        raise StoreError("there are studies in this database already; restore into an empty one")
    try:
        with tarfile.open(archive) as tar:
            about = json.loads(_read(tar, "about.json"))
            if about.get("format") != FORMAT:
                raise ValueError(f"format {about.get('format')!r}; this version reads {FORMAT}")
            rows = {name: _rows(tar, name) for name in _TABLES}
            wavs = _wavs(tar)
            secret = _read(tar, SECRET) if SECRET in tar.getnames() else None
    except (tarfile.TarError, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{archive}: no backup that can be read: {error}") from error
    store.fill({tables.wav_file: wavs} | {_TABLES[name]: content for name, content in rows.items()})
    if secret is not None:
        path = folder / SECRET
        path.touch(0o600)
        path.write_text(secret)
    return {name: len(content) for name, content in rows.items()}


def _rows(tar: tarfile.TarFile, table: str) -> list[dict]:
    """None of a table that came after the archive."""
    name = f"tables/{table}.jsonl"
    if name not in tar.getnames() and table in _LATER_TABLES:
        return []
    return [json.loads(line) for line in _read(tar, name).splitlines()]


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
