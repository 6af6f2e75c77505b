"""Write numbers and lists for the readers of pages and tables.

Python writes -0.000, 12.9% and 1e-04. On a page the minus sign is a real one, 0 has no sign, the per cent sign has a
space before it, and 1e-04 is written 10⁻⁴.

>>> number(-0.0124), number(-0.0001), number(0.129, ".1%"), number(1e-4, ".0e"), joined(["BCE", "Dice", "focal"])
('−0.012', '0.000', '12.9\\xa0%', '10⁻⁴', 'BCE, Dice and focal')
"""

import math
import re
from numbers import Integral, Real

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FIXED_SPACE = "\u00a0"  # no line breaks there
MINUS = "\u2212"


def number(value, form=".3f"):
    """Return a number as text.

    Parameters
    ----------
    value : int or float
    form : str
        Python's format specification, such as "+.3f", ".1%" or ".0e".
    """
    digits, _, exponent = format(value, form).partition("e")
    if not re.search("[1-9a-z]", digits):
        return re.sub("[+-]", "", digits).replace("%", FIXED_SPACE + "%")
    if exponent:
        digits = re.sub(r"^([+-]?)1$", r"\1", digits) + ("" if digits.strip("+-") == "1" else "×")
        digits += f"10{str(int(exponent)).translate(RAISED)}"
    return digits.replace("-", MINUS).replace("%", FIXED_SPACE + "%")


def power(value):
    """Return a positive number of few digits as text: 0.01 to 9000 as it is, others such as "1.6×10⁻³"."""
    if not value > 0:  # a number too small for a float
        return f"{value:g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    if -2 <= exponent <= 3:
        return f"{value:g}"
    factor = f"{value / 10.0**exponent:.2g}"
    return ("" if factor == "1" else f"{factor}×") + f"10{str(exponent).translate(RAISED)}"


def span(low, high, form=".2f", unit=""):
    """Return a range such as "1.2–1.5"; one number where both ends are the same as written.

    Parameters
    ----------
    low, high : float
    form : str
        How each is written, as for `number`.
    unit : str
        What follows the range, such as " %".

    Examples
    --------
    >>> span(1.531, 1.534), span(0.1, 0.25, unit=" %")
    ('1.53', '0.10–0.25\\xa0%')
    """
    ends = dict.fromkeys((number(low, form), number(high, form)))
    return "–".join(ends) + unit.replace(" ", FIXED_SPACE)


def few(words, most=3):
    """Return the first words, and how many more there are, for a message, such as "a, b, c and 2 more".

    Parameters
    ----------
    words : sequence of str
    most : int
    """
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def joined(words, last="and"):
    """Return words as a list in a sentence, such as "BCE, Dice and focal".

    Parameters
    ----------
    words : iterable of str
    last : str
        The word before the last item.
    """
    *others, final = list(words) or [""]
    return f"{', '.join(others)} {last} {final}" if others else final


def styled(table, digits=3, forms=None, missing="–"):
    """Return a table as a page shows it, its numbers written by `number`.

    Parameters
    ----------
    table : DataFrame
        Text in it is text, also where it looks like HTML.
    digits : int
        Digits after the point. Whole numbers and text stay as they are.
    forms : dict of str, optional
        By column, another format specification.
    missing : str
        Text for a missing value.

    Returns
    -------
    pandas.io.formats.style.Styler
    """
    columns = {name: _written(f".{digits}f", Integral) for name in table.columns}
    columns |= {name: _written(form, ()) for name, form in (forms or {}).items()}
    return table.style.format(columns, na_rep=missing, escape="html")


def _written(form, as_it_is):
    def write(value):
        return number(value, form) if isinstance(value, Real) and not isinstance(value, as_it_is) else value

    return write
