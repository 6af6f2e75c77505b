"""Files of pixels as cameras and tools write them: read alike, or refused by name; drawn by hypothesis and by hand."""

import io
import os
import re
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from crack_utils.data import DataError, digests, read_image
from crack_utils.data.decoding import bits_used, exif_orientation, open_stored
from tests.helpers.bare_png import bare_png

GRAY = np.add.outer(np.arange(40) * 4, np.arange(50)).astype(np.uint8) + 1
TURNED = {
    1: GRAY,
    2: GRAY[:, ::-1],
    3: GRAY[::-1, ::-1],
    4: GRAY[::-1],
    5: GRAY.T,
    6: np.rot90(GRAY, -1),
    7: GRAY[::-1, ::-1].T,
    8: np.rot90(GRAY),
}
quick = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def encoded(values, kind, **options):
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind, **options)
    return file.getvalue()


def written(path, content):
    path.write_bytes(content)
    return path


def as_type(kind):
    """Return the picture in a type of pixels, full scale."""
    if kind.startswith("float"):
        return (GRAY / 255).astype(kind)
    return GRAY.astype(kind) * np.dtype(kind).type({"uint8": 1, "int16": 128}.get(kind, 257))


class TestTiff:
    @quick
    @given(
        kind=st.sampled_from(["uint8", "uint16", "int16", "int32", "uint32", "float16", "float32", "float64"]),
        samples=st.sampled_from(["gray", "gray and alpha", "RGB", "RGB in planes", "RGB as gray", "RGBA"]),
        compression=st.sampled_from([None, "lzw", "deflate", "zstd", "packbits", "lzma"]),
        order=st.sampled_from("<>"),
        layout=st.sampled_from([{}, {"tile": (16, 16)}, {"rowsperstrip": 7}, {"bigtiff": True}]),
    )
    def test_every_layout_is_read_alike(self, tmp_path, kind, samples, compression, order, layout):
        values = as_type(kind)
        colour, options = np.dstack([values] * 3), {"photometric": "rgb" if "RGB" in samples else "minisblack"}
        if samples == "gray and alpha":
            values, options["extrasamples"] = np.dstack([values, values * 0]), ["unassalpha"]
        elif samples == "RGB in planes":
            values, options["planarconfig"] = np.ascontiguousarray(np.moveaxis(colour, -1, 0)), "separate"
        elif samples == "RGB as gray":
            values, options["photometric"], options["planarconfig"] = colour, "minisblack", "contig"
        elif samples == "RGBA":
            values, options["extrasamples"] = np.dstack([colour, values * 0]), ["unassalpha"]
        elif samples == "RGB":
            values = colour
        tifffile.imwrite(tmp_path / "a.tif", values, compression=compression, byteorder=order, **options, **layout)
        np.testing.assert_allclose(read_image(tmp_path / "a.tif"), GRAY / 255, atol=0.005)

    @pytest.mark.parametrize("kind", ["uint8", "uint16"])
    def test_white_is_zero(self, tmp_path, kind):
        values = as_type(kind)
        tifffile.imwrite(tmp_path / "a.tif", np.iinfo(kind).max - values, photometric="miniswhite")
        np.testing.assert_allclose(read_image(tmp_path / "a.tif"), GRAY / 255, atol=1e-6)

    @pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "tiff_lzw", "packbits"])
    def test_black_and_white(self, tmp_path, compression):
        Image.fromarray(GRAY > 100).save(tmp_path / "a.tif", compression=compression)
        np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GRAY > 100)

    @pytest.mark.parametrize("flag", [0, 1])
    def test_a_thumbnail_before_the_picture(self, tmp_path, flag):
        tifffile.imwrite(tmp_path / "a.tif", GRAY[::4, ::4], photometric="minisblack", subfiletype=flag)
        tifffile.imwrite(tmp_path / "a.tif", GRAY, photometric="minisblack", append=True)
        np.testing.assert_allclose(read_image(tmp_path / "a.tif"), GRAY / 255, atol=1e-6)

    @pytest.mark.parametrize(
        ("values", "options", "why"),
        [
            (np.stack([GRAY] * 3), {"photometric": "minisblack"}, r"holds 3 pictures \(40×50, 40×50, 40×50\)"),
            (np.stack([GRAY] * 3), {"imagej": True}, "holds 3 pictures"),
            (np.dstack([GRAY] * 5), {"photometric": "minisblack", "planarconfig": "contig"}, "5 × 8 bit, minisblack"),
            (GRAY.astype(np.complex64), {}, "a TIFF of a kind that cannot be read"),
            (-GRAY.astype(np.int16), {}, "gray values from"),
            (GRAY.astype(np.float32), {}, r"must lie in \[0, 1\]"),
            (np.full((5, 5), np.nan, np.float32), {}, "not numbers"),
        ],
    )
    def test_what_cannot_be_decided_is_refused_by_name(self, tmp_path, values, options, why):
        tifffile.imwrite(tmp_path / "a.tif", values, **options)
        with pytest.raises(DataError, match=rf"a\.tif: .*{why}"):
            read_image(tmp_path / "a.tif")

    @pytest.mark.parametrize("turn", range(1, 9))
    def test_orientation(self, tmp_path, turn):
        tifffile.imwrite(tmp_path / "a.tif", GRAY, photometric="minisblack", extratags=[(274, "H", 1, turn, True)])
        Image.fromarray(GRAY).convert("P").save(tmp_path / "b.tif", tiffinfo={274: turn})
        for name in "ab":
            np.testing.assert_allclose(read_image(tmp_path / f"{name}.tif"), TURNED[turn] / 255, atol=2e-4)


def of_bits(bits):
    """Return the picture in few bits, and its rows packed as files store them."""
    values = GRAY.astype(np.uint16) << 4 if bits == 12 else GRAY >> (8 - bits)
    signs = (values[..., None] >> np.arange(bits)[::-1]) & 1
    return values, np.packbits(signs.reshape(len(values), -1).astype(np.uint8), axis=1)


def bare_tiff(path, bits, rows, white_is_zero=False):
    """Write the smallest TIFF there is: its pixels, then its tags."""
    pixels = rows.tobytes()
    tags = {256: 50, 257: 40, 258: bits, 259: 1, 262: int(not white_is_zero), 273: 8, 277: 1, 278: 40, 279: len(pixels)}
    ifd = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = b"II*\0" + struct.pack("<I", 8 + len(pixels))
    return written(path, head + pixels + struct.pack("<H", len(tags)) + ifd + bytes(4))


class TestFewBits:
    @pytest.mark.parametrize("bits", [1, 2, 4, 12])
    @pytest.mark.parametrize("white_is_zero", [False, True])
    def test_packed_in_tiff(self, tmp_path, bits, white_is_zero):
        values, rows = of_bits(bits)
        if white_is_zero:
            rows = ~rows
        path = bare_tiff(tmp_path / "a.tif", bits, rows, white_is_zero)
        np.testing.assert_allclose(read_image(path), values / (2**bits - 1), atol=1e-6)

    @pytest.mark.parametrize("bits", [1, 2, 4])
    def test_packed_in_png(self, tmp_path, bits):
        values, rows = of_bits(bits)
        np.testing.assert_allclose(
            read_image(written(tmp_path / "a.png", bare_png(40, 50, map(bytes, rows), bits))),
            values / (2**bits - 1),
            atol=1e-6,
        )

    def test_interlaced_png(self, tmp_path):
        steps = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        rows = [row for top, left, down, right in steps for row in GRAY[top::down, left::right]]
        path = written(tmp_path / "a.png", bare_png(40, 50, map(bytes, rows), interlaced=True))
        np.testing.assert_allclose(read_image(path), GRAY / 255, atol=1e-6)


class TestOtherTools:
    def test_a_pyramid_of_a_microscope(self, tmp_path):
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            file.write(GRAY, subifds=2, photometric="minisblack")
            for step in (2, 4):
                file.write(GRAY[::step, ::step], subfiletype=1, photometric="minisblack")
        np.testing.assert_allclose(read_image(tmp_path / "a.tif"), GRAY / 255, atol=1e-6)

    @pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
    def test_colours_of_printing(self, tmp_path, kind):
        values = np.dstack([np.zeros((*GRAY.shape, 3), np.uint8), 255 - GRAY])
        Image.fromarray(values, "CMYK").save(tmp_path / "a", kind)
        np.testing.assert_allclose(read_image(tmp_path / "a"), GRAY / 255, atol=0.03)

    @pytest.mark.parametrize("compression", ["jpeg2000", "png", "jpegxr", "lerc"])
    def test_compressions_that_few_use(self, tmp_path, compression):
        tifffile.imwrite(tmp_path / "a.tif", GRAY, compression=compression, photometric="minisblack")
        np.testing.assert_allclose(read_image(tmp_path / "a.tif"), GRAY / 255, atol=1e-6)

    def test_a_bmp_from_its_top_row_on_and_one_with_runs(self, tmp_path):
        content = bytearray(encoded(np.dstack([GRAY] * 3), "BMP"))
        start, row = 54, 152  # [bytes] of three a pixel, and two that fill up
        rows = [content[start + at * row : start + (at + 1) * row] for at in range(40)]
        content[22:26] = (-40).to_bytes(4, "little", signed=True)
        path = written(tmp_path / "a.bmp", bytes(content[:start]) + b"".join(rows[::-1]))
        np.testing.assert_allclose(read_image(path), GRAY / 255, atol=2e-4)
        runs = b"".join(b"".join(bytes([1, value]) for value in row) + b"\0\0" for row in GRAY[::-1]) + b"\0\1"
        palette = b"".join(bytes([level] * 3 + [0]) for level in range(256))
        header = struct.pack("<IiiHHIIiiII", 40, 50, 40, 1, 8, 1, len(runs), 0, 0, 0, 0)
        file = b"BM" + struct.pack("<III", 54 + 1024 + len(runs), 0, 54 + 1024) + header + palette + runs
        np.testing.assert_allclose(read_image(written(tmp_path / "b.bmp", file)), GRAY / 255, atol=1e-6)


class TestOrientation:
    @pytest.mark.parametrize("turn", range(1, 9))
    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    def test_is_applied(self, tmp_path, turn, kind):
        exif = Image.Exif()
        exif[274] = turn
        path = written(tmp_path / "a", encoded(GRAY, kind, exif=exif))
        np.testing.assert_allclose(read_image(path), TURNED[turn] / 255, atol=0.02)
        assert open_stored(path).orientation == turn

    @quick
    @given(st.binary(max_size=120), st.sampled_from([b"", b"II*\0", b"MM\0*", b"II*\0\x08\0\0\0\x03\0"]))
    def test_a_broken_block_harms_nothing(self, tmp_path, noise, start):
        assert 1 <= exif_orientation(start + noise) <= 8
        for kind in ("PNG", "JPEG"):
            path = written(tmp_path / "a", encoded(GRAY, kind, exif=b"Exif\0\0" + start + noise))
            assert sorted(read_image(path).shape) == [40, 50]

    def test_of_two_tags_the_one_that_counts(self):
        entries = [(0x0110, 2, 4, b"abcd"), (0x0112, 3, 1, b"\0\x06\0\0")]
        body = b"".join(t.to_bytes(2) + k.to_bytes(2) + n.to_bytes(4) + value for t, k, n, value in entries)
        assert exif_orientation(b"MM\0*\0\0\0\x08" + len(entries).to_bytes(2) + body) == 6


class TestEnds:
    """Files whose rows or scans are not all there: a decoder fills them up without a word."""

    @quick
    @given(st.integers(0, 39))
    def test_png_with_fewer_rows(self, tmp_path, rows):
        content = bare_png(40, 50, map(bytes, GRAY[:rows]))
        with pytest.raises(DataError, match=r"short\.png"):
            read_image(written(tmp_path / "short.png", content))

    @quick
    @given(share=st.floats(0.1, 0.98), progressive=st.booleans())
    def test_jpeg_with_an_early_end_marker(self, tmp_path, share, progressive):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        content = encoded(noise, "JPEG", progressive=progressive)
        begin = content.index(b"\xff\xda") + 14
        cut = content[: begin + int(share * (len(content) - begin - 2))] + b"\xff\xd9"
        with pytest.raises(DataError, match=r"short\.jpg: (damaged|cannot be read)"):
            read_image(written(tmp_path / "short.jpg", cut))

    @pytest.mark.parametrize("scans", [1, 2, 5])
    def test_progressive_jpeg_without_its_last_scans(self, tmp_path, scans):
        content = encoded(np.dstack([GRAY] * 3), "JPEG", progressive=True)
        starts = [each.start() for each in re.finditer(rb"\xff\xda", content)]
        assert read_image(written(tmp_path / "a.jpg", content)).shape == GRAY.shape
        with pytest.raises(DataError, match="its last scans are missing"):
            read_image(written(tmp_path / "a.jpg", content[: starts[scans]] + b"\xff\xd9"))

    def test_bytes_after_a_jpeg_are_no_matter(self, tmp_path):
        content = encoded(GRAY, "JPEG")
        assert read_image(written(tmp_path / "a.jpg", content + b"notes of a camera")).shape == GRAY.shape

    @pytest.mark.parametrize("tag", [257, 279])
    def test_tiff_that_promises_more_rows(self, tmp_path, tag):
        content = bytearray(encoded(GRAY, "TIFF"))
        start = int.from_bytes(content[4:8], "little")
        for entry in range(start + 2, start + 2 + 12 * content[start], 12):
            if int.from_bytes(content[entry : entry + 2], "little") == tag:
                content[entry + 8 : entry + 10] = (80 if tag == 257 else 900).to_bytes(2, "little")
        with pytest.raises(DataError, match="a part of its pixels is missing"):
            read_image(written(tmp_path / "a.tif", bytes(content)))

    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    @pytest.mark.filterwarnings("ignore")
    def test_whatever_is_changed_the_file_is_named(self, tmp_path, data):
        kind = data.draw(st.sampled_from(["PNG", "JPEG", "TIFF", "BMP"]))
        content = bytearray(encoded(np.dstack([GRAY, GRAY // 2, GRAY]), kind))
        for _ in range(data.draw(st.integers(1, 6))):
            content[data.draw(st.integers(0, min(len(content) - 1, 400)))] = data.draw(st.integers(0, 255))
        path = written(tmp_path / "changed", bytes(content))
        try:
            assert read_image(path).ndim == 2
        except DataError as error:
            assert str(error).startswith(f"{path}: ")


class TestDoor:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript; save it as PNG"),
            (encoded(GRAY, "GIF"), "a GIF; save it as PNG"),
            (encoded(GRAY, "PCX"), "neither PNG, JPEG, TIFF nor BMP"),
            (encoded(GRAY, "PPM"), "neither PNG, JPEG, TIFF nor BMP"),
            (b"", "an empty file"),
        ],
    )
    def test_other_kinds_whatever_their_names(self, tmp_path, content, why):
        with pytest.raises(DataError, match=rf"a\.png: .*{why}"):
            read_image(written(tmp_path / "a.png", content))

    def test_pipes_devices_loops_and_folders(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.png")
        (tmp_path / "device.png").symlink_to("/dev/zero")
        (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
        (tmp_path / "folder.png").mkdir()
        for name in ("pipe", "device", "loop", "folder"):
            with pytest.raises(DataError, match=rf"{name}\.png"):
                read_image(tmp_path / f"{name}.png")

    def test_a_picture_that_needs_too_much_memory(self, tmp_path):
        content = bytearray(encoded(GRAY, "PNG"))
        content[16:24] = (100_000).to_bytes(4) * 2
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
        with pytest.raises(DataError, match=r"100000×100000 pixels need 50\.0 GB of memory"):
            read_image(written(tmp_path / "bomb.png", bytes(content)))

    def test_large_ones_wait_for_each_other(self, tmp_path, monkeypatch):
        monkeypatch.setattr(digests, "TOGETHER", 100)
        path = written(tmp_path / "a.png", encoded(GRAY, "PNG"))
        assert digests.image_content(path).size == GRAY.shape
        with pytest.raises(DataError, match="neither PNG"):
            digests.image_content(written(tmp_path / "b.png", b"no picture"))


class TestBits:
    @quick
    @given(bits=st.sampled_from([8, 10, 12, 14, 16]), kind=st.sampled_from(["png", "tif"]), share=st.floats(0.6, 1))
    def test_the_brightest_value_tells(self, tmp_path, bits, kind, share):
        values = np.rint(GRAY / GRAY.max() * share * (2**bits - 1)).astype(np.uint16)
        Image.fromarray(values).save(tmp_path / f"a.{kind}")
        assert bits_used(values) == bits
        np.testing.assert_allclose(read_image(tmp_path / f"a.{kind}"), values / (2**bits - 1), atol=1e-6)

    def test_the_folder_has_the_last_word(self, tmp_path):
        dark = np.full((4, 4), 400, np.uint16)
        Image.fromarray(dark).save(tmp_path / "dark.png")
        Image.fromarray(dark * 8).save(tmp_path / "bright.png")
        bits = digests.common_bits(sorted(tmp_path.iterdir()))
        assert bits == 12
        np.testing.assert_allclose(read_image(tmp_path / "dark.png", bits), 400 / 4095, atol=1e-6)
        np.testing.assert_allclose(read_image(tmp_path / "dark.png"), 400 / 1023, atol=1e-6)

    @pytest.mark.parametrize("bits", [10, 12])
    def test_a_picture_of_another_camera_is_not_read_as_black(self, tmp_path, bits):
        values = np.rint(GRAY / GRAY.max() * (2**bits - 1)).astype(np.uint16)
        Image.fromarray(values).save(tmp_path / "few.png")
        for name, other in (("hot", np.pad(values, 1, constant_values=65535)), ("wide", values.astype(np.int32) << 19)):
            Image.fromarray(other).save(tmp_path / f"{name}.tif")
            together = digests.common_bits([tmp_path / "few.png", tmp_path / f"{name}.tif"])
            assert together > bits
            found = read_image(tmp_path / "few.png", together)
            np.testing.assert_allclose(found, values / (2**bits - 1), atol=1e-6)

    def test_eight_bits_are_eight(self, tmp_path):
        Image.fromarray(GRAY // 4).save(tmp_path / "a.png")
        assert digests.common_bits([tmp_path / "a.png"]) is None
        np.testing.assert_allclose(read_image(tmp_path / "a.png"), GRAY // 4 / 255, atol=1e-6)

    def test_pictures_are_compared_by_their_stored_values(self, tmp_path):
        for name, values in (("a", GRAY.astype(np.uint16)), ("b", GRAY.astype(np.uint16) + 1)):
            Image.fromarray(values).save(tmp_path / f"{name}.png")
        first, second = (digests.image_content(tmp_path / f"{name}.png") for name in "ab")
        assert first != second
