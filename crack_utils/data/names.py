"""Names of files: compared in one spelling, and refused early where tables or results could not hold them."""

import re
import unicodedata

from crack_utils.data.decoding import is_regular

LONGEST = 200  # [bytes] file systems hold 255, and results add to a name

# How tools mark the mask's file of an image.
MARKS = re.compile(
    r"[-_. ]?(masks?|gt|ground[-_ ]?truth|labels?|label[-_ ]?ids|seg(mentation)?|annotations?|binary|bw)$",
    re.IGNORECASE,
)
MARKS_BEFORE = re.compile(r"^(masks?|gt|labels?|seg)[-_. ](?=.)", re.IGNORECASE)


def normal(name):
    """Return a name in the one spelling in which names are compared: "ü" as one character (NFC), not as u and ¨."""
    return unicodedata.normalize("NFC", name)


def printable(text):
    """Return a text, such as a path, as it can be shown and stored: in codes where it is not UTF-8 or not printable."""
    text = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(repr(each)[1:-1] if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text)


def problem_of(path):
    """Return why a file cannot be used, from its name and kind alone, None if it can.

    Parameters
    ----------
    path : pathlib.Path
    """
    try:
        size = len(path.name.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    if size > LONGEST:
        return f"its name has {size} bytes; rename it to at most {LONGEST}"
    if printable(path.name) != path.name:
        return "a line break or another control character in its name; rename it"
    return None if is_regular(path) else "not a regular file, but a folder, pipe, device, or a link that leads nowhere"


def without_mark(name):
    """Return the name of the image that a mask's name points to: "a" of "a_mask", "a-label", "a_GT" or "mask_a"."""
    shorter = MARKS.sub("", name)
    return shorter if shorter != name else MARKS_BEFORE.sub("", name)
