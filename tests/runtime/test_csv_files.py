"""Tables as CSV."""

import csv
import io

from crack_utils.runtime.csv_files import as_csv, write_csv


def test_rows_of_different_columns_share_a_table():
    text = as_csv([{"photograph": "a", "crack": None}, {"photograph": "b", "crack": 1, "length_px": 2.5}])
    assert text == "photograph,crack,length_px\na,,\nb,1,2.5\n"


def test_columns_that_are_asked_for_come_first_and_stand_there_without_rows():
    assert as_csv([{"b": 1, "a": 2}], ("a",)) == "a,b\n2,1\n"
    assert as_csv([], ("photograph", "crack")) == "photograph,crack\n"


def test_commas_quotes_and_line_ends_survive(tmp_path):
    rows = [{"name": 'a, "b"\r\nc', "ü": "é"}]
    write_csv(tmp_path / "table.csv", rows)
    assert list(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_bytes().decode(), newline=""))) == rows
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]  # no draft is left
