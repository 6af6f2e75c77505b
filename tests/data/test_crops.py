"""Crops at the photographs' own size: drawn in balance, resumed, and measured on whole pictures."""

import numpy as np
import pytest

from crack_utils import Experiment, evaluate, losses, metrics, predict
from crack_utils.cli import main
from crack_utils.data import (
    DataError,
    cache,
    crops,
    find_pairs,
    make_dataset,
    pipeline,
    read_image,
    read_mask,
    resize_mask,
)
from crack_utils.data.options import FITS
from crack_utils.evaluation import native
from crack_utils.evaluation.predictions import read_prediction
from crack_utils.evaluation.sets import split_of
from crack_utils.inference.predictor import Predictor
from crack_utils.study import thin_cracks
from crack_utils.training import fit
from crack_utils.training.experiment import PRESETS
from crack_utils.training.prepare import prepare
from tests.helpers.folders import dark_cracks
from tests.helpers.full_disk import full_at_the_second_epoch

SIZES = [(24, 40), (24, 40), (29, 35), (24, 40), (24, 40), (29, 35)]  # of the photographs
SIZE = (8, 16)  # of the crops


pytestmark = pytest.mark.usefixtures("own_artifacts")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six photographs of two sizes with a dark line of four pixels in a corner as crack."""
    masks = [np.zeros(size, np.uint8) for size in SIZES]
    for number, mask in enumerate(masks):
        mask[1:5, 2 + number] = 255
    return dark_cracks(tmp_path_factory.mktemp("corners"), masks)


@pytest.fixture(scope="module")
def pairs(folder):
    return find_pairs(folder)


@pytest.fixture(scope="module")
def experiment(folder):
    options = {"size": SIZE, "model_options": {"filters": 2, "depth": 1}, "repeat": 2, "batch": 2, "validation": 0.4}
    return Experiment.preset("smoke", data=str(folder), fit="crop", learning_rates=(0.01, 0.005, 0.001), **options)


@pytest.fixture(scope="module")
def run(own_artifacts, experiment):
    """The run of the command, whose preset is made the experiment."""
    names = ("model_options", "repeat", "batch", "validation", "learning_rates", "epochs")
    preset = {name: getattr(experiment, name) for name in names} | {"longest_side": 20}  # which gives the size
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "smoke", preset)
        assert main.main(["train", experiment.data, "--preset", "smoke", "--fit", "crop"]) == 0
    return fit.fit(experiment)  # which is done already


def crops_of(pairs, batch=2, **options):
    """Return the masks of the crops of some epochs, shape (epochs, crops of an epoch, H, W)."""
    dataset = make_dataset(pairs, SIZE, batch, training=True, augment=False, fit="crop", **options)
    return np.concatenate([masks.numpy()[..., 0] for _, masks in dataset]).reshape(options.get("epochs", 1), -1, *SIZE)


class TestDraw:
    image = np.arange(10 * 14).reshape(10, 14)

    def test_image_and_mask_alike_and_wholly_inside(self):
        mask = self.image % 7 == 0
        for number in range(50):
            crop, crack = crops.draw(self.image, mask, (4, 6), number % 2 == 0, [number])
            np.testing.assert_array_equal(crack, crop % 7 == 0)
            np.testing.assert_array_equal(crop, crop[0, 0] + np.add.outer(14 * np.arange(4), np.arange(6)))
            again, _ = crops.draw(self.image, mask, (4, 6), number % 2 == 0, [number])
            np.testing.assert_array_equal(crop, again)

    @pytest.mark.parametrize("pixel", [(0, 0), (9, 13), (5, 6), (1, 12)])
    def test_a_crop_around_a_crack_holds_it_anywhere_inside(self, pixel):
        mask = np.zeros((10, 14), bool)
        mask[pixel] = True
        places = set()
        for number in range(300):
            crack = crops.draw(self.image, mask, (4, 6), True, [number])[1]
            places.add(tuple(np.argwhere(crack)[0]))
        sides = zip((4, 6), pixel, mask.shape, strict=True)
        rows, columns = (min(side, at + 1, whole - at, whole - side + 1) for side, at, whole in sides)
        assert len(places) == rows * columns

    @pytest.mark.parametrize(("around_crack", "cracks"), [(False, 1), (True, 0)])
    def test_without_a_crack_to_look_for_all_crops_are_as_likely(self, around_crack, cracks):
        mask = np.zeros((10, 14), bool)
        mask[:cracks, 0] = True
        corners = [crops.draw(self.image, mask, (8, 12), around_crack, [number])[0][0, 0] for number in range(900)]
        counts = np.bincount(corners, minlength=140)
        assert np.flatnonzero(counts).tolist() == [row * 14 + column for row in range(3) for column in range(3)]
        assert counts[counts > 0].min() > 60 and counts.max() < 140  # 100 expected, standard deviation 9.4

    def test_a_crop_that_does_not_fit(self):
        with pytest.raises(ValueError, match="a crop of 11×4 does not fit into a picture of 10×14"):
            crops.draw(self.image, self.image > 3, (11, 4), False, [0])


class TestPipeline:
    def test_every_other_crop_is_around_the_crack(self, pairs, monkeypatch):
        turns, place = {}, crops.place

        def spy(mask, size, around_crack, seed):
            picture = int(seed[2]) % len(pairs)
            turns.setdefault((int(seed[1]), picture), {})[int(seed[2]) // len(pairs)] = around_crack
            here = place(mask, size, around_crack, seed)
            assert mask[here].any() or not around_crack
            return here

        monkeypatch.setattr(crops, "place", spy)
        crops_of(pairs, repeat=3, epochs=2)
        assert {len(repeats) for repeats in turns.values()} == {3} and len(turns) == 12
        for epoch in range(2):
            chosen = [turn for (of, _), repeats in turns.items() if of == epoch for turn in repeats.values()]
            assert sum(chosen) == len(chosen) / 2
        for picture in range(len(pairs)):
            in_time = [turns[epoch, picture][repeat] for epoch in range(2) for repeat in range(3)]
            assert in_time in ([True, False] * 3, [False, True] * 3)

    def test_crops_depend_on_seed_epoch_and_sighting_alone(self, pairs):
        first, second = crops_of(pairs, repeat=4, epochs=2)
        np.testing.assert_array_equal(crops_of(pairs, repeat=4, first_epoch=1), [second])
        np.testing.assert_array_equal(crops_of(pairs, repeat=4, batch=3), [first])
        assert (first != second).any() and (crops_of(pairs, repeat=4, seed=1)[0] != first).any()

    def test_validation_is_tiles_that_cover_every_picture(self, pairs):
        images, masks = (
            np.concatenate(part)[..., 0]
            for part in zip(*make_dataset(pairs, SIZE, 4, fit="crop").as_numpy_iterator(), strict=True)
        )
        number = 0
        for pair in pairs:
            image, mask = read_image(pair.image), read_mask(pair.mask)
            seen = np.zeros(image.shape, bool)
            for row, column in crops.tiles(image.shape, SIZE):
                here = np.s_[row : row + SIZE[0], column : column + SIZE[1]]
                np.testing.assert_allclose(images[number], image[here], atol=1e-6)
                np.testing.assert_array_equal(masks[number], mask[here])
                seen[here] = True
                number += 1
            assert seen.all()
        assert number == len(images)

    def test_many_tiles_are_thinned_out_evenly(self, pairs, monkeypatch):
        monkeypatch.setattr(pipeline, "TILES", 7)
        assert sum(len(batch) for batch, _ in make_dataset(pairs, SIZE, 4, fit="crop")) == 7

    def test_a_training_goes_on_within_an_epoch(self, pairs):
        whole = crops_of(pairs, repeat=4)[0]
        rest = make_dataset(pairs, SIZE, 2, training=True, augment=False, fit="crop", repeat=4, first=10)
        np.testing.assert_array_equal(np.concatenate([masks.numpy()[..., 0] for _, masks in rest]), whole[10:])

    def test_reduced_pictures(self, pairs):
        found = cache.load(pairs, 2)
        assert [found[number][0].shape for number in (0, 2)] == [(12, 20), (14, 18)]
        np.testing.assert_array_equal(found[0][1], resize_mask(read_mask(pairs[0].mask), (12, 20)))

    def test_an_unknown_fit(self, pairs):
        with pytest.raises(ValueError, match="fit must be one of resize, crop, got 'tile'"):
            make_dataset(pairs, SIZE, fit="tile")


class TestCache:
    def test_pictures_at_their_own_sizes_are_decoded_once(self, pairs, monkeypatch):
        cache.load(pairs, 1)
        monkeypatch.setattr(cache, "read_image", None)
        images, masks = cache.load(pairs[::-1], 1).arrays()
        assert [image.shape for image in images] == SIZES[::-1]
        np.testing.assert_array_equal(masks[0], read_mask(pairs[-1].mask))

    @pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:7], lambda c: bytes(len(c)), lambda c: c + b"0"])
    def test_a_damaged_file_is_decoded_anew(self, pairs, damage):
        pictures = cache.load(pairs, 1)
        file = pictures._file(2)
        whole = file.read_bytes()
        file.write_bytes(damage(whole))
        assert cache.load(pairs, 1)[2][0].shape == SIZES[2]
        assert file.read_bytes() == whole


class TestTraining:
    @pytest.mark.acceptance
    def test_an_interrupted_one_ends_with_the_same_weights(self, experiment, run, tmp_path, monkeypatch):
        monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "second"))
        with full_at_the_second_epoch():
            fit.fit(experiment)
        continued = fit.fit(experiment)
        assert continued.id == run.id
        for first, second in zip(run.model().get_weights(), continued.model().get_weights(), strict=True):
            np.testing.assert_array_equal(first, second)

    def test_whole_pictures_are_measured(self, experiment, run):
        found = evaluate(run)
        pairs = split_of(run).validation
        stored = [read_prediction(run, pair) for pair in pairs]
        assert {each.shape for each in stored} == set(SIZES), "the test needs pictures of both sizes in validation"
        both = [(read_mask(pair.mask), each >= 0.5) for pair, each in zip(pairs, stored, strict=True)]
        wrong, hit = (sum(part(t, p).sum() for t, p in both) for part in (np.logical_xor, np.logical_and))
        assert found["validation"]["crack_iou"] == pytest.approx(hit / (hit + wrong))
        loss = losses.get(experiment.loss)
        by_picture = [
            float(loss(*(np.float32(part)[None, ..., None] for part in (read_mask(pair.mask), each))))
            for pair, each in zip(pairs, stored, strict=True)
        ]
        assert found["validation"]["loss"] == pytest.approx(np.mean(by_picture), abs=1e-4)  # stored with 16 bits
        rows = native.measure(run)
        counts = metrics.pooled(metrics.Confusion(*(row[name] for name in ("tp", "fp", "fn", "tn"))) for row in rows)
        assert counts.crack_iou == pytest.approx(found["validation"]["crack_iou"])
        assert np.mean([row["f1"] for row in rows]) == pytest.approx(found["validation"]["f1_tolerance_2"])

    def test_a_network_of_reduced_pictures_is_measured_on_the_photographs(self, run):
        image = np.random.default_rng(0).random((24, 40))
        reduced = image.reshape(12, 2, 20, 2).mean((1, 3))
        probability = Predictor(run.model(), "twelve rows", size=(12, 20)).predict(image)
        assert probability.shape == (24, 40)
        expected = predict(run, np.float32(reduced))
        # Bilinear: both pixels of an axis take 3/4 of the one that they divide, one of them 1/4 of either neighbour.
        inner = probability.reshape(12, 2, 20, 2).mean((1, 3))[1:-1, 1:-1]
        weights = np.outer([1, 6, 1], [1, 6, 1]) / 64
        blurred = sum(weights[r, c] * expected[r : r + 10, c : c + 18] for r in range(3) for c in range(3))
        np.testing.assert_allclose(inner, blurred, atol=1e-5)


class TestChoice:
    def test_the_reports_way_keeps_its_name(self, experiment):
        resized = experiment.replace(fit="resize")
        before = resized.to_dict()
        del before["fit"]
        assert Experiment(**before) == resized
        assert experiment.digest() != resized.digest()
        assert (experiment.picture_size, resized.picture_size) == (1, SIZE)

    def test_a_crop_fits_into_the_smallest_sides(self, folder):
        sizes = {fit: prepare(Experiment.preset("smoke", data=str(folder), fit=fit)).experiment.size for fit in FITS}
        assert sizes == {"crop": (24, 32), "resize": (24, 40)}

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"fit": "tile"}, "fit must be one of resize, crop"),
            ({"fit": "crop"}, "fit='crop' needs photographs in folders"),
        ],
    )
    def test_what_is_wrong_is_said(self, options, message):
        with pytest.raises(ValueError, match=message):
            Experiment.preset("smoke", **options)

    def test_what_is_wrong_is_said_at_the_shell(self, folder, capsys):
        assert main.main(["train", str(folder), "--preset", "smoke", "--fit", "tiles"]) == 1
        assert "fit must be one of resize, crop" in capsys.readouterr().err

    def test_all_pictures_that_are_too_small_are_named_before_anything_is_made(self, experiment, tmp_path, monkeypatch):
        monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
        with pytest.raises(DataError, match="4 problem") as error:
            fit.fit(experiment.replace(size=(28, 32)))
        assert "0.png: 24×40 pixels, too small for a crop of 28×32" in str(error.value)
        assert not (tmp_path / "runs").exists()


@pytest.mark.acceptance
class TestAgainstReduction:
    def test_every_photograph_of_the_test_set_by_training_and_threshold(self, folder):
        options = {
            "size": SIZE,
            "model_options": {"filters": 2, "depth": 1},
            "validation": 0.4,
            "batch": 2,
            "epochs": 1,
        }
        table = thin_cracks.check(data=str(folder), preset="smoke", **options)
        trained = table[table["fit"] != "ceiling"]
        names = set(table["name"])
        assert set(table.loc[table["fit"] == "ceiling", "name"]) == names
        groups = trained.groupby(["loss", "fit", "threshold"])
        assert groups.ngroups == 4 and all(set(group["name"]) == names for _, group in groups)
        assert (trained.loc[trained["threshold"] == "0.5", "limit"] == 0.5).all()
        pixels = {pair.name: read_mask(pair.mask).size for pair in find_pairs(folder)}
        assert (trained[["tp", "fp", "fn", "tn"]].sum(axis=1) == trained["name"].map(pixels)).all()
