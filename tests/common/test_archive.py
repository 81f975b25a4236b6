"""Zips from outside: what is in them lies below the folder afterwards, or nothing is unpacked and a sentence says why."""

import stat
import zipfile

import pytest

from common.archive import MAX_FILES, MODEST_BYTES, ArchiveError, unpack, unpack_contained

KILOBYTE = bytes(1000)


def zipped(path, *entries, compression=zipfile.ZIP_DEFLATED):
    """A zip of (name or ZipInfo, content) pairs."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


@pytest.mark.parametrize("unpacking", [unpack, unpack_contained])
def test_files_lie_below_the_folder_under_their_own_names(tmp_path, folder, unpacking):
    names = ["a/clip.wav", "a/sub/<img src=x onerror=1>.wav", "b\\clip.wav", "größe.wav"]
    path = zipped(tmp_path / "in.zip", *((name, name) for name in names), ("a/", ""), ("__MACOSX/a/._clip.wav", "x"))
    unpacking(path, folder)
    assert files(folder) == {name.replace("\\", "/"): name.encode() for name in names}


@pytest.mark.parametrize(
    "name", ["../out", "a/../../out", "/out", "..\\out", "C:\\out", "C:/out", "a/" * 20 + "x", "x" * 250]
)
def test_a_path_that_leads_elsewhere_refuses_the_whole_zip(tmp_path, folder, name):
    with pytest.raises(ArchiveError, match=r"leads out of it|too long"):
        unpack(zipped(tmp_path / "in.zip", ("good", "1"), (name, "2")), folder)
    assert files(tmp_path).keys() == {"in.zip"}


def test_a_link_is_not_made(tmp_path, folder):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ArchiveError, match="holds links"):
        unpack(zipped(tmp_path / "in.zip", (link, "/etc/passwd")), folder)


def test_what_is_unpacked_is_counted_and_not_only_promised(tmp_path, folder):
    path = zipped(tmp_path / "in.zip", ("a", KILOBYTE), ("b", KILOBYTE))
    unpack(path, folder, 2000)
    with pytest.raises(ArchiveError, match="unpacks to 0 MB; at most 0 MB"):
        unpack(path, tmp_path / "other", 1999)
    content = path.read_bytes()  # both entries promise one byte, and hold a thousand
    lying = tmp_path / "lying.zip"
    lying.write_bytes(content.replace((1000).to_bytes(4, "little"), (1).to_bytes(4, "little")))
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(lying, tmp_path / "third", 100_000)


def test_a_small_zip_does_not_become_a_large_folder(tmp_path, folder):
    path = zipped(tmp_path / "in.zip", ("a", bytes(MODEST_BYTES)), ("b", b"1"))
    with pytest.raises(ArchiveError, match="at most 10 MB of a zip of this size"):
        unpack(path, folder)
    assert files(folder) == {}


@pytest.mark.parametrize(
    ("entries", "reason"),
    [([], "without files"), ([("__MACOSX/x", "")], "without files"), ([("a", "1"), ("a", "2")], "two files of one name"),
     ([(f"{n}", "") for n in range(MAX_FILES + 1)], f"holds {MAX_FILES + 1} files"), ([("a", "1"), ("a/b", "2")], "damaged")],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips_that_make_no_sense_are_refused(tmp_path, folder, entries, reason):
    with pytest.raises(ArchiveError, match=reason):
        unpack(zipped(tmp_path / "in.zip", *entries), folder)


def test_damage_and_encryption_are_told_apart(tmp_path, folder):
    path = zipped(tmp_path / "in.zip", ("a", KILOBYTE * 9))
    content = bytearray(path.read_bytes())
    cut = tmp_path / "cut.zip"
    cut.write_bytes(content[:-30])
    with pytest.raises(ArchiveError, match=r"^cut.zip is a damaged zip, or none at all\.$"):
        unpack(cut, folder)
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="encrypted"):
        unpack(path, folder)
