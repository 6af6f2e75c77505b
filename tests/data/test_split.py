"""Splits: disjoint, complete, drawn from the seed alone, never through equal pictures, written and read back."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from crack_utils import Experiment, data
from crack_utils.data import DataError, Pair, find_pairs, sources
from crack_utils.data.split import is_cracked, split_pairs, warnings_of
from crack_utils.data.split_file import read_split, refuse_changed, write_split
from tests.helpers.folders import dark_cracks, fake_pairs, make_folder

SETS = ("train", "validation", "test")


@pytest.fixture
def folder(tmp_path):
    """Return a folder of twelve pairs, two of each specimen."""
    generator = np.random.default_rng(0)
    names = [f"{number:02}" for number in range(12)]
    images = {name: generator.integers(0, 256, (8, 8), dtype=np.uint8) for name in names}
    masks = dict.fromkeys(names, np.eye(8, dtype=np.uint8) * 255)
    rows = "".join(f"{name},S{number // 2}\n" for number, name in enumerate(names))
    return make_folder(tmp_path / "pipes", images, masks, "name,specimen\n" + rows)


def names(split):
    return {name: [pair.name for pair in split[name]] for name in SETS}


class TestDraw:
    def test_sets_are_disjoint_and_complete(self):
        pairs = fake_pairs()
        split = data.split_pairs(pairs, test=0.2, by="image")
        chosen = [pair.name for name in SETS for pair in split[name]]
        assert sorted(chosen) == sorted(pair.name for pair in pairs)
        assert (len(split.train), len(split.validation), len(split.test)) == (52, 12, 16)
        assert split.evaluated == "test"

    def test_eighty_to_twenty_of_the_report(self):
        split = data.split_pairs(fake_pairs(specimens=2015, frames=1, sources=("one",)))
        assert (len(split.train), len(split.validation), len(split.test)) == (1612, 403, 0)
        assert split.evaluated == "validation"

    def test_specimens_stay_together(self):
        split = data.split_pairs(fake_pairs(), test=0.2, by="specimen")
        sets = [{pair.specimen for pair in split[name]} for name in SETS]
        assert not sets[0] & sets[1] and not sets[0] & sets[2] and not sets[1] & sets[2]
        for name in ("validation", "test"):
            assert {pair.source for pair in split[name]} == {"old", "new"}

    def test_depends_on_the_seed_alone(self):
        pairs = fake_pairs()
        assert data.split_pairs(pairs, seed=3) == data.split_pairs(pairs[::-1], seed=3)
        assert data.split_pairs(pairs, seed=3) != data.split_pairs(pairs, seed=4)

    def test_is_the_same_in_every_version(self):
        split = data.split_pairs(fake_pairs(specimens=5, frames=1), test=0.2, by="specimen")
        assert names(split)["test"] == ["new0_0", "old2_0"] and names(split)["validation"] == ["new1_0", "old0_0"]

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
        with pytest.raises(ValueError, match="too few"):
            data.split_pairs([])
        with pytest.raises(ValueError, match=r"of 1 specimen\(s\) are too few"):
            data.split_pairs(fake_pairs(specimens=1, frames=3, sources=("one",)), by="specimen")
        with pytest.raises(ValueError, match="train, validation, test"):
            data.split_pairs(fake_pairs())["all"]


class TestTogether:
    """Equal pictures and siblings are never on both sides, whatever the seed."""

    def test_equal_pictures_in_any_encoding(self, folder):
        for number in range(0, 12, 3):  # four pictures stand there three times: as they are, copied, and encoded anew
            image, mask = (folder / part / f"{number:02}.png" for part in ("images", "masks"))
            shutil.copy(image, folder / "images" / f"copy{number}.png")
            Image.open(image).save(folder / "images" / f"again{number}.bmp")
            for name in ("copy", "again"):
                shutil.copy(mask, folder / "masks" / f"{name}{number}.png")
        pairs = data.find_pairs(folder)
        for seed in range(30):
            split = data.split_pairs(pairs, test=0.2, seed=seed)
            home = {pair.name: name for name in SETS for pair in split[name]}
            assert len(home) == 20
            for number in range(0, 12, 3):
                assert home[f"{number:02}"] == home[f"copy{number}"] == home[f"again{number}"]

    def test_a_specimen_in_two_sources(self):
        pairs = fake_pairs() + [
            Pair(f"both{s}", f"third/{s}", "m", source="third", specimen=f"{source}{s}")
            for source in ("old", "new")
            for s in range(3)
        ]
        for seed in range(30):
            split = data.split_pairs(pairs, test=0.2, seed=seed, by="specimen")
            sets = [{pair.specimen for pair in split[name]} for name in SETS]
            assert sum(map(len, sets)) == len(set.union(*sets)) == 20

    def test_specimens_that_share_a_picture(self, folder):
        """00 is of S0 and 03 of S1: as one picture they bind both specimens, 00 to 03, to one side."""
        shutil.copy(folder / "images" / "00.png", folder / "images" / "03.png")
        for seed in range(30):
            split = data.split_pairs(data.find_pairs(folder), seed=seed, by="specimen")
            assert (
                sum(any(name in chosen for name in ("00", "01", "02", "03")) for chosen in names(split).values()) == 1
            )


class TestFile:
    @pytest.fixture
    def written(self, folder, tmp_path):
        split = data.split_pairs(data.find_pairs(folder), test=0.2, seed=5)
        write_split(split, tmp_path / "split.csv")
        return tmp_path / "split.csv", split

    def test_holds_hashes(self, written):
        lines = written[0].read_text().splitlines()
        assert lines[0] == "set,name,source,specimen,image_sha256,mask_sha256" and len(lines) == 13
        assert all(len(line.split(",")[-1]) == 64 for line in lines[1:])

    def test_is_read_back(self, written, folder):
        path, split = written
        assert read_split(path, data.find_pairs(folder)[::-1]) == split

    def test_pictures_that_came_later_belong_to_no_set(self, written, folder):
        Image.fromarray(np.full((8, 8), 7, np.uint8)).save(folder / "images" / "later.png")
        shutil.copy(folder / "masks" / "00.png", folder / "masks" / "later.png")
        assert names(read_split(written[0], data.find_pairs(folder))) == names(written[1])

    def test_every_change_is_named(self, written, folder):
        path, _ = written
        for part in ("images", "masks"):
            (folder / part / "04.png").unlink()
        Image.fromarray(np.full((8, 8), 9, np.uint8)).save(folder / "images" / "07.png")
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "masks" / "09.png")
        (folder / "metadata.csv").unlink()
        with pytest.raises(DataError, match=r"3 problem.*3 file") as error:
            read_split(path, data.find_pairs(folder))
        assert f"{folder}/images/07.png: changed since {path} was written" in str(error.value)
        assert f"{folder}/masks/09.png: changed since" in str(error.value)
        assert "the data set has no '04' of source 'pipes'" in str(error.value)

    def test_a_table_made_by_hand_may_lack_digests(self, written, folder, tmp_path):
        with open(written[0], newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        with open(tmp_path / "hand.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows({**row, "image_sha256": "", "mask_sha256": ""} for row in rows)
        pairs = data.find_pairs(folder)
        assert read_split(tmp_path / "hand.csv", pairs) == read_split(written[0], pairs)

    def test_a_file_that_went_meanwhile_is_named(self, written, folder):
        pairs = data.find_pairs(folder)
        (folder / "masks" / "02.png").unlink()
        with pytest.raises(DataError, match=r"masks/02\.png: no such file"):
            read_split(written[0], pairs)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda rows: rows[0].update(set="training"), "unknown set 'training'; valid are train, validation, test"),
            (lambda rows: rows.append(rows[0]), "occurs twice"),
            (lambda rows: [row.update(set="train") for row in rows], "needs pairs for training and for validation"),
            (lambda rows: [row.pop("set") for row in rows], "no column set; a split has set, name"),
        ],
    )
    def test_a_wrong_table_is_refused(self, written, folder, change, message):
        with open(written[0], newline="") as file:
            rows = list(csv.DictReader(file))
        change(rows)
        with open(written[0], "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        with pytest.raises(DataError, match=message):
            read_split(written[0], data.find_pairs(folder))

    def test_what_is_no_table_is_refused(self, written, folder):
        with pytest.raises(DataError, match=r"absent\.csv: no such file"):
            read_split(folder / "absent.csv", [])
        written[0].write_bytes(b"\xff\xfe\x00")
        with pytest.raises(DataError, match=r"split\.csv: cannot be read as a table"):
            read_split(written[0], [])

    def test_equal_pictures_on_both_sides_are_refused(self, folder, tmp_path):
        shutil.copy(folder / "images" / "00.png", folder / "images" / "01.png")
        pairs = data.find_pairs(folder)
        write_split(data.Split(pairs[:1], pairs[1:], []), tmp_path / "split.csv")
        with pytest.raises(DataError, match=r"01\.png: is in validation, but .*00\.png in train shows the same"):
            read_split(tmp_path / "split.csv", pairs)


class TestUnchanged:
    def test_a_replaced_mask_is_refused_by_name(self, folder, tmp_path):
        pairs = data.find_pairs(folder)
        write_split(data.split_pairs(pairs, validation=0.3), tmp_path / "split.csv")
        refuse_changed(tmp_path / "split.csv", pairs)
        Image.fromarray(np.eye(8, dtype=np.uint8)[::-1] * 255).save(folder / "masks" / "03.png")
        with pytest.raises(DataError, match=r"masks/03\.png: changed since .*split\.csv was written"):
            refuse_changed(tmp_path / "split.csv", pairs)
        with pytest.raises(DataError, match=r"the data set has no '11' of source"):
            refuse_changed(tmp_path / "split.csv", pairs[:-1])

    def test_a_picture_on_both_sides_is_no_change(self, folder, tmp_path):
        pairs = data.find_pairs(folder)  # a careless split (S2) must still be measured
        write_split(data.Split(pairs[:8], pairs[4:], []), tmp_path / "split.csv")
        refuse_changed(tmp_path / "split.csv", pairs)

    def test_folders_are_found_from_elsewhere(self, folder, tmp_path, monkeypatch):
        monkeypatch.chdir(folder.parent)
        experiment = Experiment.preset("smoke", data=folder.name)
        remembered = sources.found_in(experiment)
        assert remembered == [str(folder)]
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        with pytest.raises(ValueError, match="unknown data set"):
            sources.load(experiment)
        assert len(sources.load(experiment, remembered)) == 12


class TestExperiment:
    def test_repeats_the_split_of_a_file(self, folder, tmp_path, monkeypatch):
        pairs = data.find_pairs(folder)
        split = data.split_pairs(pairs, validation=0.3, seed=8, by="specimen")
        write_split(split, tmp_path / "split.csv")
        experiment = Experiment.preset("smoke", data=str(folder), split_by=str(tmp_path / "split.csv"))
        assert sources.split(experiment, pairs) == split
        monkeypatch.chdir(tmp_path)
        assert sources.split(experiment.replace(split_by="split.csv"), pairs) == split

    def test_what_the_file_says_decides_the_run(self, tmp_path):
        first, moved, other = (tmp_path / f"{name}.csv" for name in ("first", "moved", "other"))
        first.write_text("set,name\n")
        moved.write_text("set,name\n")
        other.write_text("set\n")
        digests = [Experiment.preset("smoke", split_by=str(path)).digest() for path in (first, moved, other)]
        assert digests[0] == digests[1] != digests[2]

    def test_a_run_outlives_the_file(self, tmp_path):
        experiment = Experiment.preset("smoke", split_by=str(tmp_path / "gone.csv"))
        assert Experiment(**experiment.to_dict()) == experiment
        with pytest.raises(ValueError, match=r"no file .*gone\.csv; valid are 'specimen', 'image' or a file"):
            experiment.digest()


def test_validation_gets_its_share_of_cracked_pictures(tmp_path):
    """Three of ten pictures are cracked: drawn from all alike, validation would be without crack in most draws."""
    masks = np.zeros((10, 8, 8), np.uint8)
    masks[:3, 2] = 255
    pairs = find_pairs(dark_cracks(tmp_path, masks))
    for seed in range(10):
        split = split_pairs(pairs, 0.3, seed=seed)
        assert sum(map(is_cracked, split.validation)) == 1 and len(split.validation) == 3


def test_of_two_pictures_the_cracked_one_is_for_training(tmp_path):
    masks = np.zeros((2, 8, 8), np.uint8)
    masks[0, 2] = 255
    pairs = find_pairs(dark_cracks(tmp_path, masks))
    for seed in range(10):
        split = split_pairs(pairs, 0.5, seed=seed)
        assert [len(split.train), len(split.validation), is_cracked(split.train[0])] == [1, 1, True]


class TestFewSpecimens:
    """A user photographs one to four specimens, often: their pictures stay together too."""

    @staticmethod
    def drawn(tmp_path, specimens, cracked=None, seed=0):
        masks = np.zeros((len(specimens), 8, 8), np.uint8)
        masks[[name in (cracked or specimens) for name in specimens], 2] = 255
        folder = dark_cracks(tmp_path, masks)
        names = sorted(path.stem for path in (folder / "images").iterdir())
        rows = "".join(f"{name},{specimen}\n" for name, specimen in zip(names, specimens, strict=True))
        (folder / "metadata.csv").write_text("name,specimen\n" + rows)
        pairs = find_pairs(folder)
        rule = sources.split_rule(pairs)
        by = {"by": rule.get("split_by", "specimen"), "test": rule.get("test", 0.2)}
        return rule, split_pairs(pairs, 0.2, seed=seed, **by)

    @pytest.mark.parametrize("count", [2, 3, 4])
    def test_stay_together(self, tmp_path, count):
        rule, split = self.drawn(tmp_path, [f"S{number % count}" for number in range(12)])
        assert rule == {"test": 0.0}
        assert not {pair.specimen for pair in split.train} & {pair.specimen for pair in split.validation}

    def test_from_five_on_there_is_a_test_set(self, tmp_path):
        rule, split = self.drawn(tmp_path, [f"S{number % 5}" for number in range(10)])
        assert rule == {} and len({pair.specimen for pair in split.test}) == 1

    def test_most_pictures_are_for_training(self, tmp_path):
        for seed in range(10):
            _, split = self.drawn(tmp_path / str(seed), ["A"] * 9 + ["B"] * 3, seed=seed)
            assert {pair.specimen for pair in split.train} == {"A"}

    def test_the_only_cracked_specimen_is_on_both_sides(self, tmp_path):
        rule, split = self.drawn(tmp_path, ["A", "B"] * 5, cracked=["A"])
        assert rule == {"split_by": "image", "test": 0.0}
        assert any(map(is_cracked, split.train)) and any(map(is_cracked, split.validation))

    def test_a_picture_without_a_name_counts_as_a_specimen(self, tmp_path):
        rule, split = self.drawn(tmp_path, ["A"] * 4 + ["B"] * 4 + [""])
        sides = [{pair.specimen for pair in pairs} - {""} for pairs in (split.train, split.validation)]
        assert rule == {"test": 0.0} and not sides[0] & sides[1]
        assert warnings_of(split) == [
            "1 of 9 pictures have no specimen in metadata.csv: each counts as a separate specimen"
        ]
