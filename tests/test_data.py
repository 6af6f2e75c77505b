"""Pictures in any encoding, pairs in folders, splits: read, checked, drawn."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from crack_utils import data
from crack_utils.data import DataError, Pair
from crack_utils.data.pairs import manifest_hash
from crack_utils.data.split import write_split

GRAY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
CRACK = np.zeros((6, 8), bool)
CRACK[2, 1:7] = True


def save(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


def make_folder(folder, names=("a", "b"), metadata=None):
    for name in names:
        save(folder / "images" / f"{name}.png", GRAY)
        save(folder / "masks" / f"{name}.png", CRACK.astype(np.uint8) * 255)
    if metadata:
        (folder / "metadata.csv").write_text(metadata)
    return folder


def fake_pairs(specimens=10, frames=4, sources=("old", "new")):
    return [
        Pair(f"{source}{s}_{f}", image=f"{source}/{s}_{f}", mask="m", source=source, specimen=f"{source}{s}", frame=f)
        for source in sources
        for s in range(specimens)
        for f in range(frames)
    ]


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
        with pytest.raises(DataError, match="colour picture is no mask"):
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

    @pytest.mark.parametrize(
        ("metadata", "message"),
        [
            ("specimen\nS1\n", "no column 'name'"),
            ("name\nzz\n", "line 2: no image is named 'zz'"),
            ("name,frame\na,1\na,2\n", "line 3: 'a' stands there twice"),
            ("name,frame\na,first\n", "line 2: invalid literal"),
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


class TestCheckPairs:
    def test_good_pairs_pass(self, tmp_path):
        data.check_pairs(data.find_pairs(make_folder(tmp_path)))

    def test_every_problem_is_listed(self, tmp_path):
        folder = make_folder(tmp_path, names=("a", "b", "c", "d"))
        save(folder / "masks" / "a.png", GRAY)
        save(folder / "masks" / "b.png", CRACK[:, :4])
        (folder / "images" / "c.png").write_bytes(b"")
        with pytest.raises(DataError, match="3 problem") as error:
            data.check_pairs(data.find_pairs(folder))
        for name in ("masks/a.png", "masks/b.png", "images/c.png"):
            assert name in str(error.value)
        with pytest.raises(DataError, match="no pair"):
            data.check_pairs([])


class TestSplit:
    def test_sets_are_disjoint_and_complete(self):
        pairs = fake_pairs()
        split = data.split_pairs(pairs, test=0.2, by="image")
        chosen = [pair.name for name in ("train", "validation", "test") for pair in split[name]]
        assert sorted(chosen) == sorted(pair.name for pair in pairs)
        assert (len(split.train), len(split.validation), len(split.test)) == (52, 12, 16)
        assert split.evaluated == "test"

    def test_eighty_to_twenty_of_the_report(self):
        split = data.split_pairs(fake_pairs(specimens=2015, frames=1, sources=("one",)))
        assert (len(split.train), len(split.validation), len(split.test)) == (1612, 403, 0)
        assert split.evaluated == "validation"

    def test_specimens_stay_together(self):
        split = data.split_pairs(fake_pairs(), test=0.2, by="specimen")
        sets = [{pair.specimen for pair in split[name]} for name in ("train", "validation", "test")]
        assert not sets[0] & sets[1] and not sets[0] & sets[2] and not sets[1] & sets[2]
        for name in ("validation", "test"):
            assert {pair.source for pair in split[name]} == {"old", "new"}

    def test_depends_on_the_seed_alone(self):
        pairs = fake_pairs()
        assert data.split_pairs(pairs, seed=3) == data.split_pairs(pairs[::-1], seed=3)
        assert data.split_pairs(pairs, seed=3) != data.split_pairs(pairs, seed=4)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"by": "colour"}, "by must be"),
            ({"validation": 0}, "validation must lie"),
            ({"test": 1}, "test in"),
        ],
    )
    def test_bad_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            data.split_pairs(fake_pairs(), **options)

    def test_too_few_or_unnamed(self):
        with pytest.raises(ValueError, match="too few"):
            data.split_pairs(fake_pairs(specimens=1, frames=1, sources=("one",)))
        with pytest.raises(ValueError, match="specimen"):
            data.split_pairs([Pair("a", "i", "m")], by="specimen")
        with pytest.raises(ValueError, match="train, validation, test"):
            data.split_pairs(fake_pairs())["all"]

    def test_is_written_down_with_hashes(self, tmp_path):
        pairs = data.find_pairs(make_folder(tmp_path / "x", names="abcdef"))
        write_split(data.split_pairs(pairs), tmp_path / "split.csv")
        lines = (tmp_path / "split.csv").read_text().splitlines()
        assert len(lines) == 7 and lines[1].count(",") == 5 and len(lines[1].split(",")[-1]) == 64


def test_manifest_follows_content(tmp_path):
    folder = make_folder(tmp_path)
    before = manifest_hash(data.find_pairs(folder))
    assert manifest_hash(data.find_pairs(folder)[::-1]) == before
    save(folder / "masks" / "a.png", (~CRACK).astype(np.uint8))
    assert manifest_hash(data.find_pairs(folder)) != before


def test_spread_and_series():
    pairs = fake_pairs(specimens=3, frames=4)
    assert [pair.name for pair in data.spread(pairs[:5], 3)] == ["old0_0", "old0_2", "old1_0"]
    assert data.spread(pairs[:2], 6) == pairs[:2]
    assert [pair.frame for pair in data.longest_series(pairs[:7][::-1])] == [0, 1, 2, 3]
