"""The colours of labels are the same in Python and in the page's script."""

from crack_utils.data.colours import CRACK, SECONDARY, TIP
from crack_utils.runtime import paths


def test_the_page_has_the_colours_of_the_package():
    script = (paths.package() / "inference" / "page" / "static" / "tools.js").read_text(encoding="utf-8")
    assert f'PRIMARY = "{CRACK}", SECONDARY = "{SECONDARY}", TIP = "{TIP}"' in script
