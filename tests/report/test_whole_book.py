"""The whole book in one file: what is mended after Chromium has printed it."""

import re
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from crack_utils.report.whole_book import at_root, date_of_source, dated, mend_epub, numbered, titles_once

PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>A page</title>
<link href="../_static/there.css" /><link href="../_static/gone.css" /></head>
<body><p>a&nbsp;<img src="x.png" alt="x"><br>b</p><div hidden><img></div>
<math><mi>f</mi><mo>&ApplyFunction;</mo>
<mrow><mo>{</mo><mtable class="cases"><mtr></mtr><mtr></mtr></mtable></mrow></math>
<noscript>No scripts.</noscript><script>1 < 2</script></body></html>"""


def test_printed_pages_have_numbers_and_code_of_an_epub_breaks():
    static = Path(__file__).parents[2] / "book" / "_static"
    (page,) = re.findall(r"@page \{.*?\n\}", (static / "custom.css").read_text("utf-8"), re.DOTALL)
    assert "@bottom-center" in page and "content: counter(page);" in page
    (code,) = re.findall(r"^pre \{.*?\}", (static / "reader.css").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert "white-space: pre-wrap;" in code


def test_a_bookmark_says_its_title_once_and_nothing_moves():
    plain, wide = b"/Title (Data)", b"/Title (\xfe\xff" + "Überblick".encode("utf-16-be") + b")"
    twice = b"<< /Title (For practiceFor practice) /Next 3 0 R >> " + plain + wide
    mended = titles_once(twice)
    assert mended.startswith(b"<< /Title (For practice)" + b" " * len("For practice") + b" /Next 3 0 R >>")
    assert plain in mended and wide in mended and len(mended) == len(twice)
    first_words = titles_once(b"/Title (The page of The page of crack-utils serve)")
    assert first_words == b"/Title (The page of crack-utils serve)" + b" " * len("The page of ")


def test_pages_of_an_epub_are_xml_without_scripts(tmp_path):
    with zipfile.ZipFile(tmp_path / "made.epub", "w") as made:
        made.writestr("mimetype", "application/epub+zip")
        made.writestr("_static/there.css", "")
        made.writestr("book/index.xhtml", PAGE)
    mend_epub(tmp_path / "made.epub", tmp_path / "book.epub")
    with zipfile.ZipFile(tmp_path / "book.epub") as mended:
        assert mended.infolist()[0].filename == "mimetype"
        page = mended.read("book/index.xhtml").decode()
    ElementTree.fromstring(page.encode())
    assert page.startswith("<?xml") and "there.css" in page and "No scripts." in page
    assert '<mpadded voffset="-0.46em"><mo stretchy="false" style="font-size: 2.2em">{</mo></mpadded><mtable' in page
    assert not any(word in page for word in ("<script", "gone.css", "hidden", "&nbsp;", "&Apply"))


def test_the_date_is_that_of_the_source(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86399")  # the last second of a day of 1970, before zip files begin
    with zipfile.ZipFile(tmp_path / "made.epub", "w") as made:
        made.writestr("mimetype", "application/epub+zip")
    mend_epub(tmp_path / "made.epub", tmp_path / "book.epub")
    with zipfile.ZipFile(tmp_path / "book.epub") as mended:
        assert mended.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795771696")
    printed = b"<</Title (A)\n/CreationDate (D:20261127092057+00'00')\n/ModDate (D:20261127092057+00'00')>>"
    expected = b"<</Title (A)\n/CreationDate (D:20261127092816+00'00')\n/ModDate (D:20261127092816+00'00')>>"
    assert dated(printed) == expected
    assert 1.7e9 < int(date_of_source()) <= time.time()


def test_parts_of_a_pdf_have_the_same_numbers_however_long_pictures_took():
    early, late = (b"/ID (node%08d) /ID (node%08d) /Headers [(node%08d)]" % ids for ids in ((4, 17, 4), (15, 28, 15)))
    assert numbered(early) == numbered(late) == b"/ID (node00000000) /ID (node00000001) /Headers [(node00000000)]"


def test_the_page_that_is_printed_holds_no_link_to_the_machine_it_was_built_on():
    page = '<a href="book/index.html#id3">3</a><script src="../_static/audit.js"></script>'
    page += (
        '<a class="x" href="_downloads/3f/tips.ipynb">notebook</a><a href="https://example.org/book/index.html">o</a>'
    )
    printed = at_root(page)
    assert '<a href="#id3">' in printed and 'src="_static/audit.js"' in printed
    assert '<a class="x" >notebook</a>' in printed and "https://example.org/book/index.html" in printed
