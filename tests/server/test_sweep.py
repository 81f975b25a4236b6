"""Which uploads and results are removed."""

import os

from server.sweep import MAX_AGE_SECONDS, sweep


def test_the_oldest_uploads_go_first(tmp_path):
    (tmp_path / "clock").touch()
    now = (tmp_path / "clock").stat().st_mtime
    (tmp_path / "clock").unlink()
    for age, name in enumerate(("new", "middle", "old")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "song.wav").write_bytes(b"x" * 100)
        os.utime(tmp_path / name / "song.wav", (now - age, now - age))
    assert sweep(tmp_path, 250) == 1
    assert sorted(path.parent.name for path in tmp_path.rglob("*.wav")) == ["middle", "new"]
    assert sweep(tmp_path, 250) == 0
    os.utime(tmp_path / "new" / "song.wav", (now - MAX_AGE_SECONDS - 1,) * 2)
    assert sweep(tmp_path, 250) == 1
    assert [path.parent.name for path in tmp_path.rglob("*.wav")] == ["middle"]
