"""Masks as tools write them: what is crack follows from what is shown; what cannot be decided is refused."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from crack_utils.data import DataError, check_folders, read_mask
from crack_utils.data.decoding import open_stored
from crack_utils.data.masks import understand
from tests.helpers.folders import make_folder

CRACK = np.zeros((48, 64), bool)
CRACK[20:24, 5:50] = True
CRACK[24:40, 47:50] = True
quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def saved(tmp_path, values, name="m.png", **options):
    picture = values if isinstance(values, Image.Image) else Image.fromarray(values)
    picture.save(tmp_path / name, **options)
    return tmp_path / name


def indexed(indices, *colours, name=None):
    picture = Image.fromarray(indices.astype(np.uint8)).convert("P")
    picture = Image.frombytes("P", picture.size, indices.astype(np.uint8).tobytes())
    picture.putpalette([level for colour in colours for level in colour])
    return picture


class TestShown:
    @quick
    @given(crack=st.integers(1, 255))
    def test_zero_and_any_value(self, tmp_path, crack):
        np.testing.assert_array_equal(read_mask(saved(tmp_path, CRACK * np.uint8(crack))), CRACK)

    @quick
    @given(background=st.integers(0, 20), crack=st.integers(235, 255))
    def test_two_values_near_black_and_white(self, tmp_path, background, crack):
        mask = read_mask(saved(tmp_path, np.where(CRACK, crack, background).astype(np.uint8)))
        np.testing.assert_array_equal(mask, CRACK)

    @quick
    @given(colour=st.tuples(*[st.integers(0, 255)] * 3).filter(any), white_first=st.booleans())
    def test_black_and_one_colour(self, tmp_path, colour, white_first):
        values = CRACK[..., None] * np.array(colour, np.uint8)
        np.testing.assert_array_equal(read_mask(saved(tmp_path, values)), CRACK)
        black, other = (0, 0, 0), colour
        palette = indexed(~CRACK, other, black) if white_first else indexed(CRACK, black, other)
        for name in ("p.png", "p.bmp", "p.tif"):
            np.testing.assert_array_equal(read_mask(saved(tmp_path, palette, name)), CRACK)

    def test_a_bmp_of_black_and_white_in_eight_bits(self, tmp_path):
        """Pillow takes its pixels for single bits."""
        palette = indexed(CRACK, (0, 0, 0), (255, 255, 255))
        np.testing.assert_array_equal(read_mask(saved(tmp_path, palette, "m.bmp")), CRACK)

    def test_a_palette_of_labels_counts_from_0(self, tmp_path):
        np.testing.assert_array_equal(read_mask(saved(tmp_path, indexed(CRACK, (255, 0, 0), (0, 0, 255)))), CRACK)

    def test_a_palette_that_holds_a_colour_twice(self, tmp_path):
        indices = np.where(CRACK, 1 + np.arange(64) % 2, 0)
        path = saved(tmp_path, indexed(indices, (0, 0, 0), (255, 0, 0), (255, 0, 0)))
        np.testing.assert_array_equal(read_mask(path), CRACK)

    @quick
    @given(
        white=st.tuples(*[st.integers(250, 255)] * 3),
        black=st.tuples(*[st.integers(0, 5)] * 3),
        white_first=st.booleans(),
    )
    def test_a_palette_of_nearly_black_and_nearly_white(self, tmp_path, white, black, white_first):
        colours = (white, black) if white_first else (black, white)
        path = saved(tmp_path, indexed(white_first != CRACK, *colours))
        np.testing.assert_array_equal(read_mask(path), CRACK)

    def test_opacity_where_colours_say_nothing(self, tmp_path):
        for level in (0, 255):
            values = np.dstack([np.full(CRACK.shape, level, np.uint8)] * 3 + [CRACK * np.uint8(255)])
            np.testing.assert_array_equal(read_mask(saved(tmp_path, values)), CRACK)
        both = np.dstack([CRACK * np.uint8(255)] * 4)
        np.testing.assert_array_equal(read_mask(saved(tmp_path, both)), CRACK)
        opaque = np.dstack([CRACK * np.uint8(255)] * 3 + [np.full(CRACK.shape, 255, np.uint8)])
        np.testing.assert_array_equal(read_mask(saved(tmp_path, opaque)), CRACK)

    def test_black_paint_on_nothing_is_not_decided(self, tmp_path):
        paint = np.dstack([~CRACK * np.uint8(255)] * 3 + [CRACK * np.uint8(255)])
        with pytest.raises(DataError, match=r"m\.png: its colours and its transparency show different masks"):
            read_mask(saved(tmp_path, paint))

    @quick
    @given(colour=st.tuples(*[st.integers(0, 255)] * 3).filter(any), nothing=st.sampled_from([0, 128, 255]))
    def test_one_colour_painted_on_nothing(self, tmp_path, colour, nothing):
        """Whatever colour a program gives to pixels that nobody sees."""
        values = np.where(CRACK[..., None], np.array((*colour, 255)), (nothing, nothing, nothing, 0)).astype(np.uint8)
        np.testing.assert_array_equal(read_mask(saved(tmp_path, values)), CRACK)

    def test_its_orientation_is_applied(self, tmp_path):
        exif = Image.Exif()
        exif[274] = 3
        np.testing.assert_array_equal(read_mask(saved(tmp_path, CRACK, exif=exif)), CRACK[::-1, ::-1])

    @pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
    def test_other_types(self, tmp_path, kind):
        for crack in (1, 200):
            path = saved(tmp_path, CRACK.astype(kind) * kind(crack), "m.tif")
            np.testing.assert_array_equal(read_mask(path), CRACK)


class TestGrayEdges:
    @quick
    @given(quality=st.integers(30, 100), resaved=st.booleans(), colour=st.booleans())
    def test_jpeg_and_what_was_saved_from_it(self, tmp_path, quality, resaved, colour):
        values = CRACK * np.uint8(255)
        path = saved(tmp_path, np.dstack([values] * 3) if colour else values, "m.jpg", quality=quality)
        if resaved:
            path = saved(tmp_path, Image.open(path), "m.png")
        mask = understand(open_stored(path))
        np.testing.assert_array_equal(mask.crack, CRACK)
        values = np.asarray(Image.open(path).convert("L"))
        assert mask.gray == (np.count_nonzero((values > 0) & (values < 255)) if len(np.unique(values)) > 2 else 0)

    @pytest.mark.parametrize("quality", [75, 85, 95])
    @pytest.mark.parametrize("width", [0.6, 1.5])
    @pytest.mark.parametrize("colour", [(255, 255, 255), (255, 0, 0), (250, 50, 83)])
    def test_hairlines_in_jpeg_as_programs_save_it(self, tmp_path, quality, width, colour):
        yy, xx = np.mgrid[:200, :300]
        crack = np.abs(yy - 100 - 20 * np.sin(xx / 30)) < width
        path = saved(tmp_path, crack[..., None] * np.array(colour, np.uint8), "m.jpg", quality=quality)
        smeared = 0.03 if colour == (255, 255, 255) else 0.12  # JPEG has half as many pixels for colours
        assert np.count_nonzero(read_mask(path) != crack) <= smeared * crack.sum()

    def test_two_colours_in_jpeg_are_classes(self, tmp_path):
        values = CRACK[..., None] * np.array([250, 50, 83], np.uint8)
        values[2:6, 10:40] = (61, 245, 61)
        with pytest.raises(DataError, match="expected black and one colour"):
            read_mask(saved(tmp_path, values, "m.jpg", quality=90))

    def test_many_classes_and_white_for_none_of_them(self, tmp_path):
        """As in Cityscapes: 19 classes, and 255 where nobody has decided."""
        values = np.repeat(np.repeat(np.arange(20, dtype=np.uint8).reshape(4, 5), 12, axis=0), 13, axis=1)
        values[values == 19] = 255
        with pytest.raises(DataError, match=r"found 0, 1, 2, 3, 4, 5, …; save it with 0 and 255 only"):
            read_mask(saved(tmp_path, values))

    def test_reduced_with_smoothing(self, tmp_path):
        yy, xx = np.mgrid[:400, :600]
        fine = np.abs(yy - 200 - 0.3 * (xx - 300)) < 14
        small = Image.fromarray(fine * np.uint8(255)).resize((150, 100), Image.Resampling.LANCZOS)
        mask = understand(open_stored(saved(tmp_path, small)))
        np.testing.assert_array_equal(mask.crack, np.asarray(small) > 127)
        assert mask.gray > 0

    @quick
    @given(
        filter=st.sampled_from(["BOX", "BILINEAR", "HAMMING", "BICUBIC", "LANCZOS"]),
        scale=st.sampled_from([0.5, 0.75, 1.5, 2, 3]),
        width=st.integers(4, 8),
        start=st.integers(20, 40),
        end=st.integers(60, 128),
        way=st.sampled_from(["along a row", "along a column", "diagonal"]),
    )
    def test_straight_cracks_in_another_size(self, tmp_path, filter, scale, width, start, end, way):
        """Along rows a smoothed edge has few levels, as classes have."""
        fine = np.zeros((96, 128), bool)
        if way == "diagonal":
            fine[np.abs(np.subtract.outer(np.arange(96), np.arange(128)) + start) < width / 2] = True
        else:
            fine[start : start + width, 5:end] = True
        picture = Image.fromarray((fine if way == "along a row" else fine.T) * np.uint8(255))
        size = tuple(round(side * scale) for side in picture.size)
        changed = picture.resize(size, getattr(Image.Resampling, filter))
        np.testing.assert_array_equal(read_mask(saved(tmp_path, changed)), np.asarray(changed) > 127)

    def test_reduced_by_two_along_a_straight_edge(self, tmp_path):
        fine = np.kron(CRACK, np.ones((2, 2), np.uint8)) * np.uint8(255)
        fine[39] = fine[40]
        small = Image.fromarray(fine).reduce(2)
        np.testing.assert_array_equal(read_mask(saved(tmp_path, small)), np.asarray(small) > 127)

    @pytest.mark.parametrize("levels", [(0, 1, 2), (0, 128, 255), (0, 100, 200), (1, 2), (100, 200)])
    def test_classes_are_no_edges(self, tmp_path, levels):
        values = np.where(CRACK, levels[-1], levels[0]).astype(np.uint8)
        if len(levels) == 3:
            values[2:6, 10:40] = levels[1]
        with pytest.raises(DataError, match=f"found {', '.join(map(str, levels))}; save it with 0 and 255 only"):
            read_mask(saved(tmp_path, values))

    @quick
    @given(level=st.integers(33, 222), width=st.integers(2, 6), end=st.booleans())
    def test_classes_that_touch_are_no_edges(self, tmp_path, level, width, end):
        """A branch of another class, or one that goes on where the crack ends."""
        values = CRACK * np.uint8(255)
        rows, columns = (slice(20, 20 + width), slice(50, 64)) if end else (slice(2, 20), slice(9, 9 + width))
        values[rows, columns] = level
        with pytest.raises(DataError, match=f"found 0, {level}, 255; save it"):
            read_mask(saved(tmp_path, values))

    @quick
    @given(st.integers(0, 3), st.lists(st.integers(4, 28), min_size=1, max_size=2, unique=True).map(sorted))
    def test_numbers_of_classes_and_white_for_none_of_them(self, tmp_path, background, others):
        values = np.where(CRACK, 255, background).astype(np.uint8)
        for place, level in enumerate(others):
            values[2 + 6 * place : 6 + 6 * place, 10:40] = level
        with pytest.raises(DataError, match=f"found {background}, {', '.join(map(str, others))}, 255; save it"):
            read_mask(saved(tmp_path, values))

    @quick
    @given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), min_size=1, max_size=9), st.integers(1, 30))
    def test_specks_are_no_classes(self, tmp_path, places, level):
        values = CRACK * np.uint8(255)
        for row, column in places:
            values[3 * row, 4 * column] = level
        mask = understand(open_stored(saved(tmp_path, values)))
        np.testing.assert_array_equal(mask.crack, values == 255)
        assert mask.gray == np.count_nonzero(values == level)

    @quick
    @given(st.integers(0, 10**6))
    def test_a_photograph_is_no_mask(self, tmp_path, seed):
        generator = np.random.default_rng(seed)
        photograph = np.clip(generator.normal(120, 60, (48, 64)), 0, 255).astype(np.uint8)
        with pytest.raises(DataError, match="a mask holds 0 for background"):
            read_mask(saved(tmp_path, photograph))

    def test_three_colours_are_classes(self, tmp_path):
        values = CRACK[..., None] * np.array([250, 50, 83], np.uint8)
        values[2:6, 10:40] = (61, 245, 61)
        with pytest.raises(DataError, match=r"found 3: \(0, 0, 0\), \(250, 50, 83\), \(61, 245, 61\)"):
            read_mask(saved(tmp_path, values))


class TestExchanged:
    PHOTOGRAPH = np.random.default_rng(0).integers(60, 200, CRACK.shape).astype(np.uint8)

    @pytest.mark.parametrize("mask", [~CRACK, np.ones_like(CRACK)])
    def test_one_is_refused_without_a_line_that_would_spoil_the_others(self, tmp_path, mask):
        said = self.refused(tmp_path / "x", [mask, CRACK])
        assert "masks/0.png" in said and "1.png" not in said
        assert "invert this mask alone" in said and "crack-utils import" not in said

    def test_all_are_refused_with_the_line_that_mends_them(self, tmp_path):
        said = self.refused(tmp_path / "my $ 'set'", [~CRACK, ~CRACK])
        assert "masks/0.png" in said and "masks/1.png" in said
        assert "`crack-utils import '" in said and "--crack black --out DATA`" in said

    def refused(self, place, masks):
        images = {str(number): np.roll(self.PHOTOGRAPH, 7 * number) for number in range(len(masks))}
        masks = {str(number): mask * np.uint8(255) for number, mask in enumerate(masks)}
        with pytest.raises(DataError) as caught:
            check_folders(make_folder(place, images, masks))
        return str(caught.value)

    def test_one_close_up_is_only_noted(self, tmp_path):
        images = {name: np.roll(self.PHOTOGRAPH, 7 * place) for place, name in enumerate("abc")}
        wide = np.zeros(CRACK.shape, np.uint8)
        wide[:, :40] = 255
        masks = {"a": CRACK * np.uint8(255), "b": CRACK * np.uint8(255), "c": wide}
        notes = check_folders(make_folder(tmp_path / "x", images, masks)).notes
        assert "c.png: 62\u00a0% of it is crack" in " ".join(notes)


def test_gray_and_orientation_are_told(tmp_path):
    photograph = np.random.default_rng(0).integers(60, 200, CRACK.shape).astype(np.uint8)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    exif = Image.Exif()
    exif[274] = 3
    content = io.BytesIO()
    Image.fromarray(photograph).save(content, "PNG", exif=exif)
    (tmp_path / "images" / "a.png").write_bytes(content.getvalue())
    Image.fromarray(CRACK * np.uint8(255)).save(tmp_path / "masks" / "a.jpg", quality=85)
    notes = " ".join(check_folders(tmp_path).notes)
    assert "1 of 1 masks have pixels between black and white" in notes and "a.jpg: " in notes
    assert "1 photograph(s) are turned by their EXIF orientation" in notes
    exif[274] = 6
    Image.fromarray(photograph).save(tmp_path / "images" / "a.png", exif=exif)
    with pytest.raises(DataError, match=r"48×64 pixels, but a\.png has 64×48, as its EXIF orientation turns it"):
        check_folders(tmp_path)
