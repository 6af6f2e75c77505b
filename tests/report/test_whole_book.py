"""The whole book in one file: what is mended after Chromium has printed it."""

from crack_utils.report.whole_book import titles_once


def test_a_bookmark_says_its_title_once_and_nothing_moves():
    plain, wide = b"/Title (Data)", b"/Title (\xfe\xff" + "Überblick".encode("utf-16-be") + b")"
    twice = b"<< /Title (For practiceFor practice) /Next 3 0 R >> " + plain + wide
    mended = titles_once(twice)
    assert mended.startswith(b"<< /Title (For practice)" + b" " * len("For practice") + b" /Next 3 0 R >>")
    assert plain in mended and wide in mended and len(mended) == len(twice)
