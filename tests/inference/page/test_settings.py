"""What a browser says of a person's settings: read, or refused by name."""

import json

import pytest

from crack_utils.inference.page.settings import MOST_STROKES, Settings, Stroke, read_settings

STROKE = {"mode": "add", "follow": "dark", "width": 4, "points": [[1, 2], [3.5, 4]]}


def test_settings_come_back_as_they_went():
    stroke = Stroke("subtract", "straight", 2.5, ((1.0, 2.0), (3.5, 4.0)))
    settings = Settings(0.3, 0.01, (5.0, 6.0), None, (stroke,))
    again = read_settings(json.dumps(settings.to_json()))
    assert json.dumps(again.to_json()) == json.dumps(settings.to_json())
    assert again.strokes == (stroke,) and again.corrections == ["mask", "primary crack"]
    assert read_settings('{"threshold": 0.5}') == Settings(0.5)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("no json", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "threshold"),
        ({"threshold": 1}, "between 0 and 1"),
        ({"threshold": "half"}, "threshold must be float"),
        ('{"threshold": NaN}', "threshold must be float"),
        ({"threshold": 0.5, "mm_per_px": 0}, "mm_per_px=0"),
        ({"threshold": 0.5, "mm_per_px": 1e30}, "mm_per_px"),
        ({"threshold": 0.5, "primary": [1]}, "primary must be"),
        ({"threshold": 0.5, "notch": [1e9, 0]}, "position .*: valid are two numbers"),
        ({"threshold": 0.5, "file": "/etc/passwd"}, "file"),
        ({"threshold": 0.5, "strokes": [{**STROKE, "mode": "burn"}]}, "unknown mode"),
        ({"threshold": 0.5, "strokes": [{**STROKE, "width": 1e6}]}, "widths"),
        ({"threshold": 0.5, "strokes": [{**STROKE, "points": []}]}, "1 to"),
        ({"threshold": 0.5, "strokes": [{**STROKE, "points": [["a", "b"]]}]}, "points"),
        ({"threshold": 0.5, "strokes": [{**STROKE, "points": [[0, 0]] * 3000}]}, "3000 vertices"),
        ({"threshold": 0.5, "strokes": [STROKE] * (MOST_STROKES + 1)}, "corrections"),
        ({"threshold": 0.5, "strokes": [{"mode": "add"}]}, "cannot be read"),
        ({"threshold": 0.5, "strokes": 3}, "cannot be read"),
    ],
)
def test_what_is_no_setting_is_refused(content, told):
    with pytest.raises(ValueError, match=told):
        read_settings(content if isinstance(content, str) else json.dumps(content))
