"""Facts of a data set: counted by hand on small pictures, told as text, JSON and a page that needs nothing else."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from crack_utils.cli.main import main
from crack_utils.data import check_folders, summary, summary_page, survey_folders
from crack_utils.training.experiment import PRESETS
from tests.helpers.folders import make_folder

SIZE = (48, 60)


def texture(number, size=SIZE):
    return np.random.default_rng(number).integers(60, 200, size).astype(np.uint8)


def bar(rows=3, columns=20, size=SIZE):
    """Return a mask with one straight crack of so many pixels."""
    mask = np.zeros(size, np.uint8)
    mask[10 : 10 + rows, 5 : 5 + columns] = 255
    return mask


def barred(folder, images, masks=None, metadata=None):
    """Write pictures by name, each with the same bar as crack if no masks are given."""
    masks = masks or {name: bar(size=np.shape(image)[:2]) for name, image in images.items()}
    return make_folder(folder, images, masks, metadata)


def facts_of(*folders):
    return summary.collect(check_folders(*folders), PRESETS["quick"]["longest_side"])


class TestFacts:
    def test_of_each_picture(self, tmp_path):
        images = {"a": texture(1), "b": np.uint16(texture(2)) * 257, "c": np.dstack([texture(3, (40, 50))] * 3)}
        masks = {"a": bar(), "b": 0 * bar(), "c": bar(1, 30, (40, 50))}
        table = "name,specimen,frame,mm_per_px\na,S1,4,0.05\nb,S1,5,0.1\n"
        found = facts_of(barred(tmp_path / "x", images, masks, table))
        a, b, c = found.pictures
        assert (a.height, a.width, a.depth, a.specimen, a.frame, a.mm_per_px) == (48, 60, "8 bit gray", "S1", 4, 0.05)
        assert (b.depth, b.crack_share, b.crack_width) == ("16 bit gray", 0, None)
        assert (c.height, c.width, c.depth, c.specimen, c.frame) == (40, 50, "8 bit RGB", "", None)
        assert a.crack_share == pytest.approx(60 / 2880) and c.crack_share == pytest.approx(30 / 2000)
        assert 3 <= a.crack_width < 3.6 and c.crack_width == pytest.approx(1)
        whole = summary.summarize(found.pictures)
        assert (whole["pictures"], whole["specimens"], whole["without_crack"]) == (3, 1, 1)
        assert whole["sizes"] == {"48×60": 2, "40×50": 1}
        assert whole["crack_share"] == {"least": 0.015, "median": (0.015 + 60 / 2880) / 2, "most": 60 / 2880}
        assert whole["mm_per_px"] == {"least": 0.05, "most": 0.1}

    def test_width_does_not_depend_on_the_empty_part(self, tmp_path):
        small, large = bar(5, 30), bar(5, 30, (200, 300))
        images = {"small": texture(1), "large": texture(2, (200, 300))}
        found = facts_of(barred(tmp_path / "x", images, {"small": small, "large": large}))
        assert found.pictures[0].crack_width == found.pictures[1].crack_width

    def test_a_copy_in_another_size_and_brightness_looks_alike(self, tmp_path):
        coarse = {number: np.kron(texture(number, (24, 30)), np.ones((4, 4), np.uint8)) for number in range(3)}
        copy = np.uint8(coarse[0][::2, ::2] * 0.6 + 40)
        images = {"first": coarse[0], "second": coarse[1], "third": coarse[2], "copy": copy}
        folder = barred(tmp_path / "x", images)
        ((first, second, correlation),) = facts_of(folder).alike
        assert {first, second} == {"x/first", "x/copy"} and correlation > 0.99
        (folder / "metadata.csv").write_text("name,specimen\nfirst,S1\ncopy,S1\n")
        assert facts_of(folder).alike == []
        (folder / "metadata.csv").write_text("name,specimen\nfirst,S1\ncopy,S2\n")
        assert len(facts_of(folder).alike) == 1

    def test_split_as_a_training_would(self, tmp_path):
        found = facts_of(barred(tmp_path / "images", {f"{n}": texture(n) for n in range(10)}))
        assert found.split_by == "image"
        assert {name: each["pictures"] for name, each in found.split.items()} == {"train": 8, "validation": 2}
        table = "name,specimen\n" + "".join(f"{n},S{n // 2}\n" for n in range(10))
        found = facts_of(barred(tmp_path / "named", {f"{n}": texture(n) for n in range(10)}, metadata=table))
        assert found.split_by == "specimen"
        assert {name: (each["pictures"], each["specimens"]) for name, each in found.split.items()} == {
            "train": (6, 3),
            "validation": (2, 1),
            "test": (2, 1),
        }
        assert found.split["test"]["crack_share"] == pytest.approx(60 / 2880)

    def test_what_cannot_be_used_is_told(self, tmp_path):
        folder = barred(tmp_path / "x", {f"{n}": texture(n) for n in range(5)})
        (folder / "images" / "0.png").write_bytes(b"no picture")
        found = summary.collect(survey_folders(folder), 240)
        assert found.to_dict()["problems"][0]["file"].endswith("0.png")
        page = summary_page.page(found)
        assert "All can be used" not in page and "0.png" in page

    def test_one_picture_cannot_be_split(self, tmp_path):
        found = facts_of(barred(tmp_path / "x", {"a": texture(0)}))
        assert found.split == {} and "split by image: too few pictures" in found.text()
        assert "too few to be split" in summary_page.page(found)

    def test_cracks_that_would_be_lost_are_noted(self, tmp_path):
        size = (300, 500)
        for rows, noted in ((3, True), (9, False)):
            folder = barred(tmp_path / f"{rows}", {"a": texture(0, size)}, {"a": bar(rows, 200, size)})
            notes = [note for note in facts_of(folder).notes if "would become" in note]
            assert bool(notes) == noted
        assert facts_of(barred(tmp_path / "small", {"a": texture(0)})).notes == []

    def test_each_picture_is_reduced_by_its_own_size(self, tmp_path):
        images = {"a": texture(0), "b": texture(1), "c": texture(2, (300, 500))}
        masks = {"a": bar(), "b": bar(), "c": bar(5, 200, (300, 500))}
        notes = facts_of(barred(tmp_path / "x", images, masks)).notes
        assert notes == [
            "pictures of 2 sizes, from 48×60 to 300×500; the preset photo trains on crops, for which sizes may differ"
        ]


class TestThumbnail:
    def test_the_outline_goes_around_and_leaves_the_crack(self):
        image = np.full((20, 30), 0.4)
        mask = np.zeros((20, 30), bool)
        mask[8:10, 5:20] = True
        shown = summary_page.thumbnail(image, mask)
        outline = (shown == summary_page.OUTLINE).all(-1)
        assert shown.shape == (20, 30, 3)
        expected = np.zeros((20, 30), bool)
        expected[6:12, 3:22] = True
        expected[7:11, 4:21] = False
        np.testing.assert_array_equal(outline, expected)
        assert (shown[~outline] == 102).all()

    def test_is_reduced(self):
        assert summary_page.thumbnail(np.zeros((1040, 520)), np.zeros((1040, 520), bool)).shape == (260, 130, 3)


class Reader(HTMLParser):
    """Collects sources and text, and holds that what is opened is closed."""

    def __init__(self):
        super().__init__()
        self.sources, self.texts, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path):
        return barred(tmp_path / "a & <b>", {f"{n}": texture(n) for n in range(5)})

    def test_text_json_and_page(self, folder, tmp_path, capsys):
        files = tmp_path / "facts.json", tmp_path / "facts.html"
        assert main(["check", str(folder), "--json", str(files[0]), "--html", str(files[1])]) == 0
        said = capsys.readouterr().out
        for line in (
            "5 pairs in 1 folder(s): all can be used",
            "  size        48×60 pixels (height×width)",
            "  crack       2.08\u00a0% to 2.08\u00a0% of a picture, median 2.08\u00a0%",
            "  train       4 pictures, 2.08\u00a0% crack",
            "look-alikes: none",
            f"Written: {files[1]}",
        ):
            assert line in said.splitlines()
        told = json.loads(files[0].read_text(encoding="utf-8"))
        assert told == facts_of(folder).to_dict()
        reader = Reader()
        reader.feed(files[1].read_text(encoding="utf-8"))
        assert reader.open == []
        assert len(reader.sources) == 5 and all(each.startswith("data:image/jpeg;base64,") for each in reader.sources)
        text = " ".join(reader.texts)
        assert "a & <b>/3" in text and "5 photographs with masks" in text

    def test_a_bad_file_costs_its_pair_alone(self, folder, tmp_path, capsys):
        (folder / "images" / "0.png").write_bytes(b"")
        (folder / "masks" / "1.png").write_bytes(b"x")
        assert main(["check", str(folder), "--html", str(tmp_path / "x.html"), "--json", str(tmp_path / "x.json")]) == 1
        said = capsys.readouterr()
        assert "images/0.png: an empty file" in said.err and "masks/1.png" in said.err
        assert "3 pairs in 1 folder(s): these can be used" in said.out
        assert [picture["name"] for picture in json.loads((tmp_path / "x.json").read_text())["pictures"]] == [
            "2",
            "3",
            "4",
        ]
        assert (tmp_path / "x.html").exists()

    def test_a_file_that_cannot_be_written(self, folder, tmp_path, capsys):
        assert main(["check", str(folder), "--html", str(tmp_path / "nowhere" / "x.html")]) == 1
        said = capsys.readouterr()
        assert f"x.html: there is no folder {tmp_path / 'nowhere'}" in said.err and not said.out
