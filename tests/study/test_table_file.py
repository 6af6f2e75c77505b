"""Tables of studies: what is written, and that the JSON is told only where it is asked for."""

import json

import pandas as pd

from crack_utils.runtime import provenance
from crack_utils.study.table_file import write_table


def test_a_table_and_what_made_it(tmp_path, monkeypatch):
    table, file = pd.DataFrame({"loss": ["bce"], "f1": [0.12345]}), tmp_path / "new" / "table.csv"
    write_table(file, table)
    assert file.read_bytes() == b"loss,f1\nbce,0.12345\n" and not file.with_suffix(".json").exists()
    before = []
    monkeypatch.setattr(provenance, "describe", lambda: before.append(file.read_text()) or {"commit": "abc"})
    write_table(file, table.set_index("loss"), {"data": "drawn"}, index=True, float_format="%.2g")
    assert file.read_text() == "loss,f1\nbce,0.12\n"
    assert json.loads(file.with_suffix(".json").read_text()) == {"data": "drawn", "commit": "abc"}
    assert before == ["loss,f1\nbce,0.12345\n"], "a table that has changed already would mark the commit"
