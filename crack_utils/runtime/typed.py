"""Compare values of a file or a command line with the types that a dataclass declares, and name the wrong ones."""

import math
import types
import typing
from dataclasses import fields
from numbers import Integral, Real

from crack_utils.runtime.typeset import joined


def wrong_fields(instance):
    """List the fields of a dataclass whose values are not of the declared type.

    Parameters
    ----------
    instance : dataclass
        Its fields are of int, float, str, bool, dict, tuples of these, or None. A float may be a whole number, and
        must be finite; a tuple may be given as a list.

    Returns
    -------
    list of str
        Sentences such as "epochs must be int, got 'ten'".
    """
    return [
        f"{field.name} must be {_words(field.type)}, got {_short(getattr(instance, field.name))}"
        for field in fields(instance)
        if not fits(getattr(instance, field.name), field.type)
    ]


def fits(value, kind):
    """Return whether a value has a declared type.

    >>> fits(3, float), fits(True, int), fits([1, 2], tuple[int, int]), fits(None, int | None)
    (True, False, True, True)
    """
    if isinstance(kind, types.UnionType):
        return any(fits(value, option) for option in typing.get_args(kind))
    if kind in (None, types.NoneType):
        return value is None
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple | list) and _fit_all(value, typing.get_args(kind))
    if kind is bool:
        return isinstance(value, bool)
    if kind is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, kind)


def _fit_all(values, kinds):
    if kinds[-1:] == (Ellipsis,):
        return all(fits(value, kinds[0]) for value in values)
    return len(values) == len(kinds) and all(fits(value, kind) for value, kind in zip(values, kinds, strict=True))


def _words(kind):
    if isinstance(kind, types.UnionType):
        return joined(map(_words, typing.get_args(kind)), "or")
    if kind is types.NoneType:
        return "None"
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)


def _short(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
