"""Patterns of synthetic cracks: each shows what it says, with exact truth, and the usual data set stays as it is."""

import hashlib
import json
import pickle

import numpy as np
import pytest
from PIL import Image
from skimage.measure import label
from skimage.morphology import dilation

from crack_utils import Experiment
from crack_utils.cli import main
from crack_utils.data import check_folders, options, sources
from crack_utils.data.synthetic import GROWING, PATTERNS, dataset, generate, photograph, render
from crack_utils.data.synthetic.scene import to_pixel
from crack_utils.geometry.centreline import arc_length

SIZE = (96, 120)
OTHERS = [name for name in PATTERNS if name != "growing"]
each_pattern = pytest.mark.parametrize("pattern", OTHERS)


def pieces(mask):
    return label(mask, connectivity=2).max()


def shot(specimen, pattern, frame=9, size=SIZE):
    return render(specimen, frame, 10, size, pattern=pattern)


@each_pattern
def test_ground_truth(pattern):
    for specimen in range(4):
        for frame in (0, 9):
            found = shot(specimen, pattern, frame)
            np.testing.assert_array_equal(found.mask, found.parts > 0)
            assert 0.003 <= found.mask.mean() <= 0.06
            distance = np.hypot(*(np.argwhere(found.parts == 1) - np.array(found.tip)).T)
            assert distance.min() <= 0.75, "the primary crack's mask reaches the tip"
            assert pattern == "healed" or pieces(found.parts == 1) == 1
            around = dilation(found.mask, np.ones((9, 9))) & ~dilation(found.mask, np.ones((5, 5)))
            assert np.median(found.image[found.mask]) < 0.8 * np.median(found.image[around])
            np.testing.assert_allclose(found.path[-1], found.tip)


@each_pattern
def test_it_shows_another_picture_of_the_same_bytes_each_time(pattern):
    found = shot(1, pattern)
    usual = shot(1, "growing")
    assert not np.array_equal(found.image, usual.image)
    np.testing.assert_array_equal(shot(1, pattern).image, found.image)


@each_pattern
def test_measured_without_drawing(pattern):
    found = shot(2, pattern, frame=4)
    assert photograph.measure(2, 4, 10, SIZE, 0, pattern) == (found.tip, found.mm_per_px)


class TestForked:
    @pytest.mark.parametrize("number", range(6))
    def test_the_primary_arm_is_longer_than_the_others_in_every_frame(self, number):
        specimen = shot(number, "forked", frame=0, size=(32, 40)).specimen
        primary, *others = specimen.cracks
        arms = [crack for crack in others if not crack.embedded]
        assert 1 <= len(arms) <= 2
        for arm in arms:
            along = arc_length(primary.path)
            on_the_stem = np.hypot(*(primary.path - arm.path[0]).T)
            fork = along[np.argmin(on_the_stem)]
            assert on_the_stem.min() < 1e-9, "an arm begins on the primary crack"
            for growth in np.linspace(0, 1, 11):
                beyond = specimen.length(primary, growth) - fork
                assert specimen.length(arm, growth) <= max(beyond, 0) + 1e-9

    def test_arms_are_secondary_and_in_one_piece_with_the_stem(self):
        found = shot(1, "forked")
        arms = found.specimen.cracks[1:]
        assert (found.parts == 2).any() and pieces(found.mask) == 1 + sum(crack.embedded for crack in arms)


class TestInclined:
    @pytest.mark.parametrize("number", range(6))
    def test_the_crack_lies_at_an_angle_to_the_notch(self, number):
        path = shot(number, "inclined", frame=0, size=(32, 40)).specimen.cracks[0].path
        angle = np.degrees(np.arctan2(*(path[-1] - path[0])[::-1]))
        assert 15 <= abs(angle) <= 65, "it meanders around 25 to 55 degrees"
        assert np.hypot(*np.diff(path, axis=0).T).sum() == pytest.approx(arc_length(path)[-1])


class TestShut:
    def test_closed_parts_are_a_hairline_that_the_mask_follows(self):
        usual, found = shot(1, "growing"), shot(1, "closed")
        assert found.tip == usual.tip and pieces(found.parts == 1) == 1
        assert found.mask.sum() < usual.mask.sum() and not (found.parts[usual.parts == 0] == 1).any()
        (start, end), *_ = found.specimen.cracks[0].shut
        along = arc_length(found.path)
        shut = (along > 96 * start + 0.5) & (along < 96 * end - 0.5)
        assert 0 < found.width[shut].max() <= 2 * 0.0015 * 96 * 1.02  # the camera's zoom changes by less than 2 %

    def test_healed_parts_are_background_and_nearly_as_light_as_the_specimen(self):
        usual, found = shot(1, "growing", size=(256, 320)), shot(1, "healed", size=(256, 320))
        count = len(found.specimen.cracks[0].shut_parts(found.specimen.length(found.specimen.cracks[0], 1)))
        assert count >= 1 and pieces(found.parts == 1) == count + 1
        assert found.tip == usual.tip
        filled = (usual.parts == 1) & (found.parts == 0)
        assert np.median(found.image[filled]) > 2 * np.median(found.image[found.parts == 1])
        assert found.width.min() == 0

    def test_the_tip_is_never_in_a_part_that_is_shut(self):
        specimen = shot(1, "healed", frame=0).specimen
        crack = specimen.cracks[0]
        for growth in np.linspace(0, 1, 21):
            length = specimen.length(crack, growth)
            assert all(end <= length - 0.06 + 1e-9 for _, end in crack.shut_parts(length))
        lengths = [sum(e - s for s, e in crack.shut_parts(length)) for length in np.linspace(0, crack.length, 50)]
        assert np.all(np.diff(lengths) >= 0), "what is shut stays so"


class TestSpecimens:
    def test_holes_are_dark_and_no_cracks(self):
        usual, found = (shot(3, name, size=(256, 320)) for name in ("growing", "perforated"))
        assert len(found.specimen.holes) >= 3
        np.testing.assert_array_equal(found.parts, usual.parts)
        drilled = found.image.astype(int) < usual.image.astype(int) - 60
        assert 0.5 < drilled.sum() / sum(np.pi * (256 * hole[2]) ** 2 for hole in found.specimen.holes) <= 1.05

    def test_a_tube_is_lighter_along_its_middle_than_at_its_sides(self):
        found = shot(1, "tube", size=(128, 160))
        half = found.specimen.half_height
        profile = [_mean_gray(found, across * half) for across in (-0.95, -0.4, 0.95)]
        assert profile[1] > 1.3 * max(profile[0], profile[2])

    def test_a_bar_has_three_rollers(self):
        surface, _ = photograph._setting(0, 2, "old", "bar")
        assert [kind for kind, *_ in surface.rig] == ["pin"] * 3
        u = [centre[0] for _, centre, *_ in surface.rig]
        assert u[0] == u[1] < 0 < surface.specimen.ahead < u[2]


def _mean_gray(found, across):
    """Mean gray along a line of the specimen, `across` beside its middle, ahead of the notch."""
    points = np.stack([np.linspace(0.1, 0.5, 60), np.full(60, across)], axis=1)
    pixels = to_pixel(found.specimen.pose.to_picture(points), found.image.shape)
    return found.image[tuple(np.rint(pixels).astype(int).T)].mean()


class TestDataSet:
    def test_the_usual_one_keeps_its_bytes(self, tmp_path):
        """Kept results were trained on it. Gray values may differ in the last place between machines; masks do not."""
        generate(tmp_path, specimens=4, frames=2, size=(64, 80), seed=3, workers=1)
        assert json.loads((tmp_path / "synthetic.json").read_text()).keys() == {
            *("version", "specimens", "frames", "size", "seed")
        }
        total = hashlib.sha256()
        for path in sorted(tmp_path.glob("*/parts/*.png")):
            total.update(np.asarray(Image.open(path)).tobytes())
        assert total.hexdigest()[:16] == "dbc4c2b7ccb11c2e"

    def test_specimens_take_patterns_in_turn(self, tmp_path):
        chosen = ("forked", "bar", "growing")
        rows = generate(tmp_path, specimens=8, frames=2, size=(64, 80), seed=3, workers=1, patterns=chosen)
        assert len(check_folders(tmp_path / "old", tmp_path / "new").pairs) == len(rows) == 16
        for number, pattern in ((0, "forked"), (1, "forked"), (2, "bar"), (5, "growing"), (6, "forked")):
            found = render(number, 1, 2, (64, 80), seed=3, pattern=pattern)
            name, source = f"s{number:03d}_f01", ("old", "new")[number % 2]
            np.testing.assert_array_equal(
                np.asarray(Image.open(tmp_path / source / "images" / f"{name}.png")), found.image
            )
            row = next(row for row in rows if row["name"] == name)
            assert (row["tip_row"], row["tip_column"]) == pytest.approx(found.tip, abs=1e-3)
        with pytest.raises(ValueError, match="holds another data set"):
            generate(tmp_path, specimens=8, frames=2, size=(64, 80), seed=3)

    def test_workers_know_the_pattern(self, tmp_path, monkeypatch):
        """What a process of its own would do, done here: its job comes pickled."""

        def share(job, specimens, workers):
            for number in specimens:
                pickle.loads(pickle.dumps(job))(number)
                yield number

        monkeypatch.setattr(dataset, "share", share)
        given = {"specimens": 4, "frames": 1, "size": (64, 80), "patterns": ("healed",)}
        assert generate(tmp_path / "a", **given, workers=2) == generate(tmp_path / "b", **given, workers=1)
        for path in (tmp_path / "a").rglob("*.png"):
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()

    @pytest.mark.parametrize("patterns", [(), ("growing", "spiral"), "forked"])
    def test_unknown_patterns_are_refused(self, tmp_path, patterns):
        with pytest.raises(ValueError, match=r"patterns=.*valid are one or more of growing, forked"):
            generate(tmp_path, patterns=patterns)

    def test_command(self, tmp_path, capsys):
        given = ["--specimens", "4", "--frames", "1", "--size", "64", "80", "--workers", "1"]
        assert main.main(["synth", str(tmp_path / "set"), *given, "--patterns", "tube", "bar"]) == 0
        assert json.loads((tmp_path / "set" / "synthetic.json").read_text())["patterns"] == ["tube", "bar"]
        assert "4 photographs" in capsys.readouterr().out


def test_an_experiment_names_them(tmp_path, monkeypatch):
    assert list(options.PATTERNS) == list(PATTERNS) and dataset.GROWING == GROWING == Experiment().patterns
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    usual = Experiment(specimens=4, frames=1, size=(64, 80))
    other = usual.replace(patterns=["forked", "growing"])
    assert usual.digest() != other.digest() and Experiment(**other.to_dict()) == other
    first, second = sources.load(usual), sources.load(other)
    assert [pair.name for pair in first] == [pair.name for pair in second]
    assert first[0].image.read_bytes() != second[0].image.read_bytes()
    with pytest.raises(ValueError, match="patterns must be a list of growing, forked"):
        Experiment(patterns=["spiral"])
