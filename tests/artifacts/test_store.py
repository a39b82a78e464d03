"""The artifact store, on a real folder."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from skytrail.store import Damaged, Store, StoreFailed

CONTENT = b"x" * 3_000_000


def _read(store: Store, key: str, sha256: str) -> bytes:
    sink = io.BytesIO()
    store.read(key, sink, sha256=sha256)
    return sink.getvalue()


@pytest.mark.parametrize("as_url", [False, True])
def test_what_is_kept_comes_back(tmp_path: Path, as_url: bool) -> None:
    place = tmp_path / "not-there-yet"
    store = Store(place.as_uri() if as_url else str(place))
    stored = store.write("etl/7/rows.json", io.BytesIO(CONTENT))
    assert (stored.size, stored.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert _read(store, "etl/7/rows.json", stored.sha256) == CONTENT
    assert (place / "etl/7/rows.json").read_bytes() == CONTENT


def test_what_is_forgotten_is_gone_with_its_folder(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write("etl/7/rows.json", io.BytesIO(CONTENT))
    store.delete("etl/7/rows.json")
    store.delete("etl/7/rows.json")
    assert not (tmp_path / "etl/7").exists()


def test_content_that_has_changed_is_not_handed_out_as_whole(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    stored = store.write("etl/7/rows.json", io.BytesIO(CONTENT))
    (tmp_path / "etl/7/rows.json").write_bytes(b"something else")
    with pytest.raises(Damaged, match=r"etl/7/rows\.json"):
        _read(store, "etl/7/rows.json", stored.sha256)


def test_a_store_that_does_nothing_says_which_and_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = Store(str(tmp_path / "file"))
    with pytest.raises(StoreFailed, match="SKYTRAIL_ARTIFACTS_URL") as caught:
        store.write("a/b", io.BytesIO(b""))
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(StoreFailed):
        _read(Store(str(tmp_path)), "nothing/there", "")


def test_no_credential_is_repeated() -> None:
    store = Store("nosuch://me:canary-1@host/x?token=canary-2", {"client": {"secret": "canary-3"}})
    with pytest.raises(StoreFailed) as caught:
        store.write("a/b", io.BytesIO(b""))
    assert "canary" not in str(caught.value)
    assert store.where == "nosuch://host/x"


def test_a_store_in_memory_needs_no_folder() -> None:
    store = Store("memory://skytrail-tests")
    stored = store.write("a/b/c", io.BytesIO(b"abc"))
    assert _read(store, "a/b/c", stored.sha256) == b"abc"
    store.delete("a/b/c")
    with pytest.raises(StoreFailed):
        _read(store, "a/b/c", stored.sha256)
