"""What is kept of an earlier call is used for the same inputs only."""

import pytest

from crack_utils.runtime import provenance


def test_a_record_of_the_same_inputs_is_returned(tmp_path):
    record = {"found": 3, "made_of": {"mask": "a1", "size": [2, 3]}}
    provenance.write_json(tmp_path / "one.json", record)
    assert provenance.read_kept(tmp_path / "one.json", {"mask": "a1", "size": [2, 3]}) == record


@pytest.mark.parametrize("content", [None, "", "{", "[]", "3", '{"found": 3}', '{"made_of": {"mask": "b2"}}'])
def test_no_record_another_one_and_a_damaged_one_are_none(tmp_path, content):
    if content is not None:
        (tmp_path / "one.json").write_text(content)
    assert provenance.read_kept(tmp_path / "one.json", {"mask": "a1"}) is None
