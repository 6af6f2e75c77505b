"""Pictures in any encoding, pairs in folders, splits: read, checked, drawn."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from crack_utils import data
from crack_utils.data import DataError, digests, masks
from crack_utils.data.pairs import manifest_hash
from tests.helpers.folders import fake_pairs

GRAY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
CRACK = np.zeros((6, 8), bool)
CRACK[2, 1:7] = True


def save(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


def make_folder(folder, names=("a", "b"), metadata=None):
    for number, name in enumerate(names):
        save(folder / "images" / f"{name}.png", GRAY + number)
        save(folder / "masks" / f"{name}.png", CRACK.astype(np.uint8) * 255)
    if metadata:
        (folder / "metadata.csv").write_text(metadata)
    return folder


class TestReadImage:
    @pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
    def test_gray_of_eight_bits(self, tmp_path, suffix):
        image = data.read_image(save(tmp_path / f"a.{suffix}", GRAY))
        assert image.dtype == np.float32
        np.testing.assert_allclose(image, GRAY / 255, atol=1e-7)

    def test_equals_tensorflows_decoder(self, tmp_path):
        path = save(tmp_path / "a.png", GRAY)
        decoded = tf.image.convert_image_dtype(tf.io.decode_png(tf.io.read_file(str(path)), channels=1), tf.float32)
        np.testing.assert_allclose(data.read_image(path), decoded[..., 0], atol=1e-7)

    def test_colour_equals_tensorflows_luminance(self, tmp_path):
        colour = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        expected = tf.image.rgb_to_grayscale(tf.constant(colour / 255, tf.float32))[..., 0]
        np.testing.assert_allclose(data.read_image(save(tmp_path / "a.png", colour)), expected, atol=1e-3)

    def test_alpha_is_dropped(self, tmp_path):
        colour = np.dstack([GRAY, GRAY, GRAY, np.zeros_like(GRAY)])
        np.testing.assert_allclose(data.read_image(save(tmp_path / "a.png", colour)), GRAY / 255, atol=1e-3)

    def test_sixteen_bits(self, tmp_path):
        deep = (GRAY.astype(np.uint16) * 257).astype(np.uint16)
        np.testing.assert_allclose(data.read_image(save(tmp_path / "a.png", deep)), GRAY / 255, atol=1e-6)

    def test_exif_orientation_is_applied(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was turned by a quarter
        path = save(tmp_path / "a.png", GRAY, exif=exif)
        np.testing.assert_allclose(data.read_image(path), np.rot90(GRAY, -1) / 255, atol=1e-7)

    @pytest.mark.parametrize("content", [b"", b"no picture at all", None])
    def test_what_is_no_picture_is_named(self, tmp_path, content):
        path = tmp_path / "bad.png"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.png"):
            data.read_image(path)

    def test_truncated_file_is_named(self, tmp_path):
        path = save(tmp_path / "cut.png", np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
        path.write_bytes(path.read_bytes()[:1500])
        with pytest.raises(DataError, match=r"cut\.png"):
            data.read_image(path)


class TestReadMask:
    @pytest.mark.parametrize("crack", [1, 7, 255])
    def test_any_value_may_stand_for_crack(self, tmp_path, crack):
        mask = data.read_mask(save(tmp_path / "m.png", CRACK.astype(np.uint8) * crack))
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask, CRACK)

    def test_boolean_and_palette(self, tmp_path):
        np.testing.assert_array_equal(data.read_mask(save(tmp_path / "b.png", CRACK)), CRACK)
        palette = Image.fromarray(CRACK.astype(np.uint8), mode=None).convert("P")
        palette.putpalette([255, 0, 0, 0, 0, 255])
        palette.save(tmp_path / "p.png")
        np.testing.assert_array_equal(data.read_mask(tmp_path / "p.png"), CRACK)

    def test_gray_in_three_channels(self, tmp_path):
        np.testing.assert_array_equal(
            data.read_mask(save(tmp_path / "m.png", np.dstack([CRACK.astype(np.uint8) * 255] * 3))), CRACK
        )

    def test_more_than_two_values_are_refused(self, tmp_path):
        with pytest.raises(DataError, match="found 0, 5, 10"):
            data.read_mask(save(tmp_path / "m.png", GRAY))

    def test_colours_are_refused(self, tmp_path):
        colour = np.zeros((6, 8, 3), np.uint8)
        colour[..., 0] = 255
        with pytest.raises(DataError, match="colour picture is not a mask"):
            data.read_mask(save(tmp_path / "m.png", colour))


class TestResize:
    def test_means_of_blocks(self):
        image = np.array([[0, 1, 0, 0], [1, 0, 0, 1]], np.float32)
        np.testing.assert_allclose(data.resize_image(image, (1, 2)), [[0.5, 0.25]], atol=1e-6)

    def test_a_quarter_of_a_block_makes_a_mask_pixel(self):
        mask = np.array([[1, 0, 0, 0], [0, 0, 0, 0]], bool)
        np.testing.assert_array_equal(data.resize_mask(mask, (1, 2)), [[True, False]])

    def test_a_diagonal_line_of_one_pixel_stays_connected(self):
        from skimage.measure import label

        for shift in (0, 1):
            halved = data.resize_mask(np.eye(64, k=shift, dtype=bool), (32, 32))
            assert label(halved, connectivity=2).max() == 1

    def test_commutes_with_flips(self):
        mask = np.random.default_rng(0).random((32, 48)) < 0.1
        np.testing.assert_array_equal(
            data.resize_mask(mask[:, ::-1], (8, 12)), data.resize_mask(mask, (8, 12))[:, ::-1]
        )


class TestFindPairs:
    def test_several_folders_are_several_sources(self, tmp_path):
        pairs = data.find_pairs(make_folder(tmp_path / "old"), make_folder(tmp_path / "new"))
        assert [(pair.source, pair.name) for pair in pairs] == [("old", "a"), ("old", "b"), ("new", "a"), ("new", "b")]

    def test_metadata_is_read(self, tmp_path):
        folder = make_folder(
            tmp_path / "x", metadata="name,specimen,frame,tip_row,tip_column,mm_per_px\na,S1,3,1.5,2.25,0.1\n"
        )
        first, second = data.find_pairs(folder)
        assert (first.specimen, first.frame, first.tip, first.mm_per_px) == ("S1", 3, (1.5, 2.25), 0.1)
        assert (second.specimen, second.tip, second.source) == ("", None, "x")

    def test_lonely_files_are_all_named(self, tmp_path):
        folder = make_folder(tmp_path)
        (folder / "masks" / "a.png").unlink()
        save(folder / "masks" / "c.png", GRAY)
        with pytest.raises(DataError, match=r"(?s)2 file.*a\.png: no mask.*c\.png: no image"):
            data.find_pairs(folder)

    def test_all_folders_are_looked_through(self, tmp_path):
        old = make_folder(tmp_path / "old", metadata="name\nzz\n")
        new = make_folder(tmp_path / "new")
        (new / "masks" / "b.png").unlink()
        with pytest.raises(DataError) as error:
            data.find_pairs(old, tmp_path / "nowhere", new)
        for said in ("nowhere: no such folder", "new/images/b.png: no mask of this name"):
            assert said in str(error.value)

    @pytest.mark.parametrize(
        ("metadata", "message"),
        [
            ("specimen\nS1\n", "no column 'name'"),
            ("name,frame\na,1\na,2\n", "line 3: 'a' occurs twice"),
            ("name,frame\na,first\n", "line 2: frame 'first' is not a number"),
        ],
    )
    def test_wrong_metadata_is_refused(self, tmp_path, metadata, message):
        with pytest.raises(DataError, match=message):
            data.find_pairs(make_folder(tmp_path, metadata=metadata))

    def test_folders_that_are_no_data_set(self, tmp_path):
        with pytest.raises(DataError, match="no folder images/"):
            data.find_pairs(tmp_path)
        for part in ("images", "masks"):
            (tmp_path / part).mkdir()
        with pytest.raises(DataError, match="no picture"):
            data.find_pairs(tmp_path)
        with pytest.raises(ValueError, match="at least one folder"):
            data.find_pairs()

    def test_equal_stems_are_refused(self, tmp_path):
        folder = make_folder(tmp_path)
        save(folder / "images" / "a.bmp", GRAY)
        with pytest.raises(DataError, match="same name"):
            data.find_pairs(folder)


def test_manifest_follows_content(tmp_path):
    folder = make_folder(tmp_path)
    before = manifest_hash(data.find_pairs(folder))
    assert manifest_hash(data.find_pairs(folder)[::-1]) == before
    save(folder / "masks" / "a.png", (~CRACK).astype(np.uint8))
    assert manifest_hash(data.find_pairs(folder)) != before


def test_files_are_read_once_until_they_change(tmp_path, monkeypatch):
    pairs = data.find_pairs(make_folder(tmp_path))
    read, made = [], digests._photograph
    monkeypatch.setattr(digests, "_photograph", lambda stored: read.append(stored) or made(stored))
    for _ in range(3):
        data.check_pairs(pairs)
    assert len(read) == len(pairs)
    shown, hashed = digests.image_content(pairs[0].image), digests.sha256(pairs[0].image)
    save(pairs[0].image, GRAY[::-1])
    assert digests.image_content(pairs[0].image) != shown and digests.sha256(pairs[0].image) != hashed


def test_content_does_not_depend_on_the_encoding(tmp_path):
    deep, inverted = GRAY.astype(np.uint16) * 257, GRAY[::-1]
    files = [save(tmp_path / name, values) for name, values in (("a.png", GRAY), ("b.bmp", GRAY), ("c.tif", deep))]
    assert len({digests.image_content(file) for file in files}) == 1
    assert digests.image_content(save(tmp_path / "d.png", inverted)) != digests.image_content(files[0])
    masks = [save(tmp_path / "m.png", CRACK), save(tmp_path / "n.tif", CRACK.astype(np.uint8) * 7)]
    assert {digests.mask_content(mask) for mask in masks} == {digests.mask_content(masks[0])}
    assert digests.mask_content(masks[0]).crack == 6 and digests.mask_content(masks[0]).size == (6, 8)


class TestReadParts:
    def test_three_labels(self, tmp_path):
        parts = CRACK.astype(np.uint8)
        parts[4, 4] = 2
        np.testing.assert_array_equal(masks.read_parts(save(tmp_path / "p.png", parts)), parts)

    @pytest.mark.parametrize("values", [GRAY, np.dstack([GRAY] * 3)])
    def test_anything_else_is_refused(self, tmp_path, values):
        with pytest.raises(DataError, match="parts hold 0 for background"):
            masks.read_parts(save(tmp_path / "p.png", values))


def test_spread_and_series():
    pairs = fake_pairs(specimens=3, frames=4)
    assert [pair.name for pair in data.spread(pairs[:5], 3)] == ["old0_0", "old0_2", "old1_0"]
    assert data.spread(pairs[:2], 6) == pairs[:2]
    assert [pair.frame for pair in data.longest_series(pairs[:7][::-1])] == [0, 1, 2, 3]
