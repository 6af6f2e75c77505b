"""The summary of a data set as one HTML file with all it needs: tables, and pictures with outlined cracks."""

import base64
from concurrent.futures import ThreadPoolExecutor
from html import escape

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

from crack_utils.data.encoding import as_file
from crack_utils.data.images import read_image, resize_image, resize_mask
from crack_utils.data.masks import read_mask
from crack_utils.data.names import printable
from crack_utils.data.pairs import spread
from crack_utils.data.summary import lines_of, summarize
from crack_utils.runtime.typeset import number

SHOWN = 60  # pictures, spread over the data set: about 20 kB each
LONGEST = 260  # [px] of a picture on the page
OUTLINE = (255, 106, 0)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto; padding: 0 1.5rem; }}
h1 {{ font-size: 1.6rem; margin-bottom: 0; }} h2 {{ font-size: 1.15rem; margin: 2rem 0 .5rem; }}
p {{ margin: .3rem 0; }} .quiet, figcaption span {{ color: #6a6a6a; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem 1.4rem .3rem 0; border-bottom: 1px solid #e3e3e3; }}
thead th {{ border-bottom: 2px solid #999; }} td.number, th.number {{ text-align: right; }}
.bar {{ display: flex; height: 1.1rem; max-width: 40rem; margin: .6rem 0; border-radius: 3px; overflow: hidden; }}
.train {{ background: #0072b2; }} .validation {{ background: #e69f00; }} .test {{ background: #009e73; }}
.key {{ display: inline-block; width: .8rem; height: .8rem; margin-right: .5rem; border-radius: 2px; }}
.pictures {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.2rem 1rem; }}
figure {{ margin: 0; }} figure img {{ width: 100%; display: block; border-radius: 3px; }}
figcaption {{ font-size: .82rem; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="quiet">{folders}</p>
<p>{verdict}</p>
{notes}
<h2>Facts</h2>
{facts}
<h2>How a training would split them, by {split_by}</h2>
{split}
<h2>Look-alikes</h2>
{alike}
<h2>Pictures</h2>
<p class="quiet">{shown}</p>
<div class="pictures">
{pictures}
</div>
</body>
</html>
"""


def page(facts):
    """Return the page as text.

    Parameters
    ----------
    facts : Summary

    Returns
    -------
    str
        HTML without links to other files: styles and pictures are part of it.
    """
    folders = sorted({str(pair.image.parent.parent.resolve()) for pair in facts.pairs})
    chosen = spread(list(zip(facts.pairs, facts.pictures, strict=True)), SHOWN)
    with ThreadPoolExecutor() as pool:
        figures = list(pool.map(lambda both: _figure(*both), chosen))
    count = len(facts.pairs)
    shown = f"{len(chosen)} of {count}, spread evenly" if len(chosen) < count else f"All {count}"
    return PAGE.format(
        title=f"{count} photographs with masks",
        folders="<br>".join(map(escape, folders)),
        verdict=_verdict(facts),
        notes=_list([f"{printable(file)}: {why}" for file, why in facts.problems] + facts.notes),
        facts=_facts(facts.by_source()),
        split_by=facts.split_by,
        split=_split(facts.split),
        alike=_alike(facts.alike),
        shown=f"{shown}; the mask's outline in orange.",
        pictures="\n".join(figures),
    )


def _verdict(facts):
    if facts.problems:
        return "These can be used for training. The folders also have files that cannot be used, listed first."
    return "All can be used for training." + ("" if facts.notes else " There is nothing to note.")


def thumbnail(image, mask):
    """Return a small picture with its crack outlined.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    mask : ndarray, bool, shape (H, W)

    Returns
    -------
    ndarray, uint8, shape (h, w, 3)
        Each side is at most LONGEST pixels long; the outline lies around the crack and leaves it visible.
    """
    factor = max(1, max(image.shape) / LONGEST)
    size = [max(1, round(side / factor)) for side in image.shape]
    small, crack = np.clip(resize_image(image, size), 0, 1), resize_mask(mask, size)
    painted = np.repeat(np.rint(small * 255).astype(np.uint8)[..., None], 3, axis=-1)
    around = binary_dilation(crack, np.ones((3, 3), bool))  # a pixel of distance, so that a thin crack can be seen
    painted[binary_dilation(around, np.ones((3, 3), bool)) & ~around] = OUTLINE
    return painted


def _figure(pair, facts):
    small = Image.fromarray(thumbnail(read_image(pair.image, pair.bits), read_mask(pair.mask)))
    data = base64.b64encode(as_file(small, "JPEG", quality=85)).decode("ascii")
    name = escape(f"{facts.source}/{facts.name}")
    known = [
        f"{facts.height}×{facts.width}",
        f"{number(facts.crack_share, '.2%')} crack" if facts.crack_share else "no crack",
        f"{facts.crack_width:.1f} px wide" if facts.crack_width else "",
        f"specimen {facts.specimen}" if facts.specimen else "",
        f"frame {facts.frame}" if facts.frame is not None else "",
    ]
    caption = f"{name}<br><span>{escape(', '.join(filter(None, known)))}</span>"
    picture = f'<img alt="{name} with its crack outlined" src="data:image/jpeg;base64,{data}">'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _facts(by_source):
    """Return a table with a column for each source."""
    columns = {name: dict(lines_of(summarize(pictures))) for name, pictures in by_source.items()}
    rows = list(dict.fromkeys(fact for column in columns.values() for fact in column))
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *columns))
    body = [
        f"<tr><th>{fact}</th>" + "".join(f"<td>{escape(column.get(fact, ''))}</td>" for column in columns.values())
        for fact in rows
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{'</tr>'.join(body)}</tr></tbody></table>"


def _split(split):
    """Return a bar and a table of the sets."""
    if not split:
        return "<p>They are too few to be split.</p>"
    bar = "".join(f'<div class="{name}" style="flex: {each["pictures"]}"></div>' for name, each in split.items())
    rows = "".join(
        f'<tr><td><span class="key {name}"></span>{name}</td><td class="number">{each["pictures"]}</td>'
        f'<td class="number">{each["specimens"] or "–"}</td><td class="number">{number(each["crack_share"], ".2%")}'
        "</td></tr>"
        for name, each in split.items()
    )
    heads = "".join(f'<th class="number">{head}</th>' for head in ("pictures", "specimens", "mean crack share"))
    return (
        f'<div class="bar">{bar}</div><table><thead><tr><th>set</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _alike(alike):
    if not alike:
        return "<p>No two pictures look alike, frames of the same specimen aside.</p>"
    lines = [f"{first} and {second} (correlation {value:.2f})" for first, second, value in alike[:50]]
    more = f"<p>{len(alike) - 50} more are left out here.</p>" if len(alike) > 50 else ""
    return (
        "<p>Is one of them a copy, or do both show the same specimen? Then name it in metadata.csv, so that they are "
        f"not parted by the split.</p>{_list(lines)}{more}"
    )


def _list(lines):
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
