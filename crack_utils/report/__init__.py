"""What the book shows: recorded values, tables, figures, and what a notebook says of itself."""

from importlib import import_module

_TABLES = (
    "comparison_numbers",
    "comparison_table",
    "data_numbers",
    "data_table",
    "measures_table",
    "statistics_table",
    "table_1",
    "table_1_again",
    "training_numbers",
)
_HOMES = {"record": "recording"} | dict.fromkeys(_TABLES, "tables")

__all__ = list(_HOMES)


def __getattr__(name):
    """Load pandas with the first table that is used: papermill imports this room each time it starts."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
