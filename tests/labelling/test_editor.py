"""The editor's widgets, told what a browser would tell them."""

import io

import numpy as np
import pytest
from PIL import Image

from crack_utils import labelling
from tests.helpers.cracked_pipes import BOX, CORNERS, CRACK, cracked_pipes, mask_of, on_disk


@pytest.fixture
def folder(tmp_path):
    return cracked_pipes(tmp_path)


def seen(data):
    """Return a PNG file's pixels as RGBA."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def told(editor, kind, **more):
    """Tell the editor what the browser would."""
    editor.view._handle_custom_msg({"kind": kind, **more}, [])


def press(editor, *keys):
    for key in keys:
        told(editor, "key", key=key)


def click(editor, *points):
    for point in points:
        told(editor, "click", point=list(point))


def test_widgets_follow_mouse_keys_and_buttons(folder):
    editor = labelling.edit(folder)
    press(editor, "f")
    click(editor, (105, 100))
    assert (on_disk(folder) == mask_of(CRACK)).all() and "saved" in editor.message.value
    press(editor, "p")
    assert editor.tool.value == editor.view.tool == "polygon"
    click(editor, *CORNERS)
    assert editor.view.continues and len(editor.view.vertices) == 4
    told(editor, "close")
    assert (on_disk(folder) == mask_of(CRACK, BOX)).all() and len(editor.steps.options) == 2
    editor.undo.click()
    assert (on_disk(folder) == mask_of(CRACK)).all() and not editor.redo.disabled
    press(editor, "2", "r")
    told(editor, "draw", points=[[149.5, 59.5], [189.5, 129.5]])
    assert editor.session.recipe.steps[1].part == "secondary" and (on_disk(folder) == mask_of(CRACK, BOX)).all()
    press(editor, "p")
    click(editor, (5, 5))
    press(editor, "enter")
    assert "at least 3 points, not 1" in editor.message.value and "crack-error" in editor.message.value
    press(editor, "escape")
    assert editor.session.outline == [] and not editor.view.continues
    press(editor, "n")
    assert editor.photograph.value == editor.session.name == "b" and editor.after.disabled
    editor.photograph.value = "a"
    assert editor.session.name == "a" and len(editor.steps.options) == 2
    press(editor, "v")
    assert editor.view.binary and editor.binary.value
    press(editor, "a")
    assert "active contour" in editor.steps.options[-1][0]


def test_a_line_is_drawn_thickened_and_its_vertices_are_moved(folder):
    editor = labelling.edit(folder)
    press(editor, "l")
    editor.width.value = 9
    click(editor, (103, 50), (107, 190))
    assert editor.view.line[0] == editor.view.vertices[0] and len(editor.view.line) > 50
    press(editor, "enter")
    step = editor.session.recipe.steps[0]
    assert step.tool == "polyline" and step.parameters["widths"] == (9, 9) and not editor.view.continues
    first = on_disk(folder)
    assert (
        first[105, 55:185].all() and not first[:95].any() and editor.session.vertices == list(step.parameters["points"])
    )

    told(editor, "vertex", index=1, point=[105, 150])
    assert editor.session.vertices[1] == (105, 150) and not on_disk(folder)[:, 160:].any()
    told(editor, "vertex", index=0, point=None)  # touched, not moved
    press(editor, "]", "]")
    assert editor.session.recipe.steps[0].parameters["widths"] == (11, 9) and editor.view.active == 0
    while not editor.undo.disabled:
        editor.undo.click()
    assert not on_disk(folder).any() and editor.view.vertices == []


def test_what_was_labelled_before_can_be_taken_hold_of_in_the_list(folder):
    editor = labelling.edit(folder)
    editor.tool.value = "polygon"
    click(editor, *CORNERS)
    told(editor, "close")
    press(editor, "f")
    assert editor.view.vertices == []
    editor.steps.index = 0
    assert len(editor.view.vertices) == 4
    told(editor, "vertex", index=2, point=[199.5, 139.5])
    assert on_disk(folder)[195, 134]


def test_brush_and_eraser(folder):
    editor = labelling.edit(folder)
    press(editor, "b", "2")
    editor.width.value = 4
    told(editor, "draw", points=[[50, 50], [50, 80]])
    assert on_disk(folder)[48:53, 50:81].all() and editor.session.recipe.steps[0].part == "secondary"
    press(editor, "1", "e")
    told(editor, "draw", points=[[50, 65], [50, 200]])  # nothing primary lies there: the secondary crack is meant
    assert not on_disk(folder)[:, 70:].any() and on_disk(folder)[50, 55]
    assert editor.session.recipe.steps[1].part == "secondary"


def test_a_fill_is_shown_before_it_is_taken(folder):
    editor = labelling.edit(folder)
    press(editor, "f")
    told(editor, "hover", point=[105, 100])
    assert (seen(editor.view.preview)[..., 3] > 0).sum() == mask_of(CRACK).sum()
    assert not editor.session.recipe.steps and not (folder / "masks").exists()
    told(editor, "hover", point=[-50, 100])
    assert editor.view.preview == b""
    told(editor, "hover", point=[105, 100])
    click(editor, (105, 100))
    assert editor.view.preview == b"" and (on_disk(folder) == mask_of(CRACK)).all()


def test_tips_and_scale_go_into_the_table(folder):
    editor = labelling.edit(folder)
    press(editor, "t")
    click(editor, (105, 200))
    press(editor, "g")
    click(editor, (105.5, 40))
    press(editor, "m")
    click(editor, (10, 10))
    editor.set_scale.click()
    assert "two ends of a known length" in editor.message.value
    click(editor, (10, 60))
    editor.length.value = 5
    editor.set_scale.click()
    assert "0.1 mm a pixel" in editor.tip.value and len(editor.view.marks) == 2
    rows = (folder / "metadata.csv").read_text().splitlines()
    assert rows == ["name,source,specimen,frame,tip_row,tip_column,mm_per_px,tip2_row,tip2_column", rows[1]]
    assert rows[1] == "a,pipes,,,105.00,200.00,0.1,105.50,40.00"
    again = labelling.edit(folder)
    again.photograph.value = "a"
    assert again.session.mm_per_px == 0.1 and again.session.tip2 == (105.5, 40)
    again.clear_tip.click()
    assert (folder / "metadata.csv").read_text().splitlines()[1] == "a,pipes,,,,,0.1,,"


def test_photograph_and_mask_change_together(folder):
    editor = labelling.edit(folder)
    press(editor, "f")
    click(editor, (105, 100))
    together = []
    editor.view.observe(lambda _change: together.append(editor.view._holding_sync), ["number", "mask"])
    number = editor.view.number
    press(editor, "n")
    assert editor.view.number == number + 1 and not (seen(editor.view.mask)[..., 3] > 0).any()
    assert len(together) == 2 and all(together), "sent in one message"


def test_a_thin_crack_on_a_large_photograph_is_seen_from_afar(tmp_path):
    image = np.full((2048, 2560), 180, np.uint8)
    image[1000, 300:900] = 20
    (tmp_path / "images").mkdir()
    Image.fromarray(image).save(tmp_path / "images" / "large.png")
    editor = labelling.edit(tmp_path)
    editor.session.settings.tolerance = 0.0
    click(editor, (1000, 500))
    reduced, whole = seen(editor.view.reduced), seen(editor.view.mask)
    assert whole.shape[:2] == image.shape and reduced.shape[:2] == (1024, 1280)
    assert (reduced[500, 150:450] == [0xD5, 0x5E, 0x00, 255]).all() and (reduced[..., 3] > 0).sum() == 300
