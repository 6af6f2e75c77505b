"""The whole book in one file: PDF and ePub beside the built pages, and links to them.

`python -m crack_utils.report.whole_book`, after the pages were built. The PDF is printed by a Chromium if there is one;
if not, one line of the page says so.
"""

import os
import posixpath
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from bs4 import BeautifulSoup

from crack_utils.runtime import paths
from crack_utils.runtime.atomic import atomic_write

NAME = "crack-segmentation"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
LINKS = re.compile(r'<p class="whole-book">.*?</p>', re.DOTALL)
DATES = re.compile(rb"/(CreationDate|ModDate) \(D:\d{14}\+00'00'\)")
NUMBERED = re.compile(rb"\(node(\d{8})\)")
TWICE = re.compile(rb"/Title \((\xfe\xff|)([^()]{8,}?)\2([^)]*)\)")  # the text is UTF-16 after a mark, or plain
PATIENCE = 900  # [s] for printing on a busy machine
EPOCH = "SOURCE_DATE_EPOCH"  # by reproducible-builds.org: seconds since 1970, the date of what a build makes
OLDEST = 315532800  # [s since 1970] 1980: a zip file knows no earlier dates


def main():
    """Build both files, and fill in the links to them."""
    os.environ.setdefault(EPOCH, date_of_source())  # Sphinx reads it too
    build = paths.root() / "_build"
    links = [link(epub(build), "ePub", "for reading devices")]
    if browser := next(filter(None, map(shutil.which, BROWSERS)), None):
        links.insert(0, link(pdf(build, browser), "PDF", "for printing"))
    else:
        links.append("The PDF was left out: it needs Chromium.")
    for page in (build / "html" / "book").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        if LINKS.search(text):
            filled = f'<p class="whole-book">{" ".join(links)}</p>'
            page.write_text(LINKS.sub(filled, text), encoding="utf-8")
    return 0


def date_of_source():
    """Return when the last commit was made, seconds since 1970 as text; outside a git checkout, now.

    The same book then has the same bytes, whenever it is built.
    """
    command = ["git", "-C", str(paths.root()), "log", "-1", "--format=%ct"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return str(int(time.time()))


def link(file, kind, use):
    """Return a link from a page of prose to a file beside the built pages.

    Parameters
    ----------
    file : pathlib.Path
        An existing file; its size [MB] is part of the text.
    kind : str
        Such as "PDF".
    use : str
        What it is good for, such as "for printing".

    Returns
    -------
    str
        HTML.
    """
    return (
        f'<a href="../{file.name}" download>The whole book as {kind}</a> ({file.stat().st_size / 1e6:.0f} MB, {use}).'
    )


def pdf(build, browser):
    """Print the book, which Sphinx writes as a single page, by a browser; return the file."""
    _sphinx("singlehtml")
    folder = build / "singlehtml"
    page = folder / "index.html"
    page.write_text(at_root((folder / "book" / "index.html").read_text("utf-8")), "utf-8")
    file = build / "html" / f"{NAME}.pdf"
    command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += ["--no-pdf-header-footer", "--generate-pdf-document-outline", "--virtual-time-budget=120000"]
    subprocess.run([*command, f"--print-to-pdf={file}", page.as_uri()], check=True, timeout=PATIENCE)
    file.write_bytes(numbered(dated(titles_once(file.read_bytes()))))
    return file


def dated(pdf):
    """Return a PDF whose dates are those of `SOURCE_DATE_EPOCH`, bytes; Chromium writes when it printed."""
    date = time.strftime("%Y%m%d%H%M%S", _date()).encode()
    return DATES.sub(lambda found: b"/%b (D:%b+00'00')" % (found[1], date), pdf)


def numbered(pdf):
    """Return a PDF whose parts are numbered from 0 in the order of their numbers, bytes.

    Chromium counts all parts that a page ever had, and of a picture that is still loading a few more.
    """
    new = {number: b"(node%08d)" % rank for rank, number in enumerate(sorted(set(NUMBERED.findall(pdf))))}
    return NUMBERED.sub(lambda found: new[found[1]], pdf)


def _date():
    return time.gmtime(max(OLDEST, int(os.environ.get(EPOCH) or date_of_source())))


def at_root(html):
    """Return the single page for the folder above its own: its pictures are found there already.

    Its links to itself stay within the page, its own files are found, and downloads, which a PDF does not hold, are no
    links.

    Parameters
    ----------
    html : str

    Returns
    -------
    str
    """
    html = html.replace('href="book/index.html#', 'href="#').replace('="../_static/', '="_static/')
    return re.sub(r'href="(\.\./)?_downloads/[^"]*"', "", html)


def titles_once(pdf):
    """Return a PDF whose bookmarks say their titles once, bytes.

    Chromium writes the title of a heading that it moves to the next page twice into its bookmark, of a heading with
    code in it only the first words. Blanks take the place of the second, so that everything stays where the file's
    table says it is.
    """
    return TWICE.sub(lambda found: b"/Title (%b%b%b)" % found.groups() + b" " * len(found[2]), pdf)


def epub(build):
    """Write the book for reading devices; return the file."""
    _sphinx("epub")
    (made,) = (build / "epub").glob("*.epub")
    file = build / "html" / f"{NAME}.epub"
    mend_epub(made, file)
    return file


def mend_epub(made, file):
    """Write an ePub again with pages that a strict reader takes: well-formed, without scripts, without dead links.

    Notebooks and our own directives write HTML, in which a tag may stay open; an ePub holds XML.

    Parameters
    ----------
    made, file : Path
        The ePub as Sphinx has made it, and where to write the mended one.
    """
    with atomic_write(file) as draft, zipfile.ZipFile(made) as old, zipfile.ZipFile(draft, "w") as new:
        files = set(old.namelist())
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith(".xhtml"):
                data = as_xhtml(data.decode(), posixpath.dirname(entry.filename), files).encode()
                ElementTree.fromstring(data)  # raises where a page is still no XML
            entry.date_time = _date()[:6]
            new.writestr(entry, data)


def as_xhtml(page, folder, files):
    """Return a page of an ePub as well-formed XML.

    Parameters
    ----------
    page : str
    folder : str
        The page's, in the ePub.
    files : set of str
        All files in the ePub.
    """
    soup = BeautifulSoup(page, "html.parser")
    for useless in [*soup.find_all("script"), *soup.find_all(hidden=True)]:
        useless.decompose()
    for style in soup.find_all("link", href=True):
        if posixpath.normpath(posixpath.join(folder, style["href"])) not in files:
            style.decompose()
    for fold in soup.select(
        "summary p.expanded"
    ):  # beside "Show the code", and without the pages' styles both stand there
        fold.decompose()
    for table in soup.select("mtable.cases"):
        _enlarge_brace(table, soup)
    for instead in soup.find_all("noscript"):
        instead.unwrap()
    return str(soup)


def _enlarge_brace(table, soup):
    """Draw the brace before the cases of an equation as high as they are; by itself it grows only in a maths font."""
    brace, rows = table.find_previous_sibling("mo"), len(table.find_all("mtr"))
    brace.attrs = {"stretchy": "false", "style": f"font-size: {1.1 * rows:.1f}em"}
    brace.wrap(soup.new_tag("mpadded", voffset=f"{-0.23 * rows:.2f}em"))  # its middle at the height of the equals sign


def _sphinx(builder):
    """Build the book in another form; its pages were built without a warning before."""
    kind = [builder] if builder == "singlehtml" else ["custom", "--custom-builder", builder]
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        str(paths.root()),
        "-q",
        "--builder",
        *kind,
    ]
    subprocess.run(command, check=True, timeout=PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
