"""Trainings of a tiny network: the same as a plain loop, continued after an interruption, and measured."""

import contextlib
import io
import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from crack_utils import Experiment, evaluate, load_run, losses, metrics, predict
from crack_utils.cli import main
from crack_utils.data import make_dataset, sources
from crack_utils.evaluation import baseline, predictions, thresholds
from crack_utils.evaluation import evaluate as measured_runs
from crack_utils.evaluation.sets import split_of
from crack_utils.runtime import hardware, imports, paths, provenance
from crack_utils.training import compiling, fit, start
from crack_utils.training.prepare import prepare
from tests.helpers.folders import ten_dark_lines
from tests.helpers.full_disk import full_at_the_second_epoch

pytestmark = pytest.mark.usefixtures("own_artifacts")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return ten_dark_lines(tmp_path_factory.mktemp("lines"))


SMALL = {"model_options": {"filters": 2, "depth": 1}, "repeat": 2, "learning_rates": (0.01, 0.005, 0.001)}


@pytest.fixture(scope="module")
def experiment(folder):
    return prepare(Experiment.preset("smoke", data=str(folder), **SMALL)).experiment


@pytest.fixture(scope="module")
def printed(own_artifacts, folder):
    """What `crack-utils train` prints, which trains the experiment and measures it."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        words = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
        assert main.main(["train", str(folder), "--preset", "smoke", *words]) == 0
    return shown.getvalue()


@pytest.fixture(scope="module")
def run(printed, experiment):
    run = prepare(experiment).run
    assert run.finished, "the command trains the same experiment as the library"
    return run


def weights(run):
    return run.model().get_weights()


def test_facts_of_photographs(experiment):
    assert (experiment.size, experiment.split_by, experiment.test) == ((16, 24), "image", 0.0)


def test_equals_a_plain_loop(experiment, run):
    split = sources.split(experiment, sources.load(experiment))
    model = compiling.compiled_model(experiment, steps=2 * 4)
    optimizer = keras.optimizers.Adam(compiling.learning_rate_schedule(experiment, 2 * 4))
    loss = losses.get("dice")
    seen = []
    for images, masks in make_dataset(split.train, experiment.size, 4, repeat=2, training=True, epochs=2):
        with tf.GradientTape() as tape:
            value = loss(masks, model(images, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(value, model.trainable_variables), model.trainable_variables, strict=True)
        )
        seen.append(float(value))
    np.testing.assert_allclose(run.history["loss"], np.reshape(seen, (2, 4)).mean(axis=1), rtol=1e-5)
    for ours, plain in zip(weights(run), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-6)


class TestInterrupted:
    def test_continues_to_the_same_weights(self, experiment, run, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "second"))
        with full_at_the_second_epoch():
            fit.fit(experiment)
        (unfinished,) = (tmp_path / "second" / "runs").iterdir()
        with pytest.raises(ValueError, match="no finished run"):
            load_run(unfinished)
        continued = fit.fit(experiment)
        assert continued.id == run.id == unfinished.name
        assert "continues after epoch 1" in capsys.readouterr().out
        for first, second in zip(weights(run), weights(continued), strict=True):
            np.testing.assert_array_equal(first, second)
        for name, values in run.history.items():
            np.testing.assert_array_equal(values, continued.history[name], err_msg=name)
        assert not (continued.folder / "checkpoint").exists()

    @pytest.mark.usefixtures("untraced")
    def test_a_loss_that_is_no_number_stops(self, experiment):
        too_high = experiment.replace(learning_rates=(1e38,) * 3)  # so that weights and loss are no longer numbers
        with pytest.raises(FloatingPointError, match="lower learning rate"):
            fit.fit(too_high)


class TestRun:
    def test_holds_all_that_was_asked_for(self, experiment, run, capsys):
        names = ["loss", "miou", "unthresholded_miou", "accuracy", "pixel_accuracy"]
        assert set(run.history) == {*names, *(f"val_{name}" for name in names), "learning_rate"}
        assert all(values.shape == (2,) for values in run.history.values())
        assert run.experiment == experiment
        assert {"commit", "packages", "machine", "seconds", "data_hash", "precision"} <= run.provenance.keys()
        assert {key: len(names) for key, names in run.names().items()} == {"train": 8, "validation": 2, "test": 0}
        assert "epoch 2/2" in (run.folder / "log.txt").read_text()
        again = fit.fit(experiment)
        assert again.id == run.id and "done already" in capsys.readouterr().out
        assert load_run(run.id).id == run.id

    def test_another_seed_is_another_run(self, experiment, run):
        other = experiment.replace(seed=1)
        assert prepare(other).run.id != run.id
        first, second = (compiling.compiled_model(each, steps=8).get_weights() for each in (experiment, other))
        assert any((a != b).any() for a, b in zip(first, second, strict=True))


class TestEvaluation:
    def test_measures_equal_those_of_the_stored_predictions(self, experiment, run):
        found = evaluate(run)
        assert found["evaluated"] == "validation" and found["images"] == {"train": 8, "validation": 2}
        pairs = split_of(run).validation
        images, true = predictions.arrays(pairs, experiment.size)
        stored = np.stack([predictions.read_prediction(run, pair) for pair in pairs])
        np.testing.assert_allclose(stored, [predict(run, image) for image in images], atol=1e-4)
        predicted = stored >= 0.5
        union = (true | predicted).sum()
        expected = (true & predicted).sum() / union
        assert found["validation"]["crack_iou"] == pytest.approx(expected)
        assert found["validation"]["loss"] == pytest.approx(run.history["val_loss"][-1], abs=1e-5)
        assert found["validation"]["mean_iou"] == pytest.approx(run.history["val_miou"][-1], abs=1e-6)
        rows = (run.folder / "measures.csv").read_text().splitlines()
        assert len(rows) == 3

    def test_the_best_threshold_is_chosen_on_validation(self, experiment, run):
        evaluate(run)
        found = thresholds.chosen_threshold(run)
        pairs = split_of(run).validation
        _, true = predictions.arrays(pairs, experiment.size)
        probability = np.stack([predict(run, image) for image in predictions.arrays(pairs, experiment.size)[0]])
        scores = [metrics.confusion(true, probability >= t).mean_iou for t in measured_runs.THRESHOLDS]
        assert scores[measured_runs.THRESHOLDS.index(found["threshold"])] == max(scores)
        assert found["mean_iou"] == pytest.approx(max(scores))  # there is no test set

    def test_is_made_once(self, run, monkeypatch):
        found = evaluate(run)
        monkeypatch.setattr(predictions, "probabilities", None)
        assert evaluate(run) == found
        stale = found | {"fingerprint": "of older code"}
        (run.folder / "metrics.json").write_text(json.dumps(stale))
        with pytest.raises(TypeError):
            evaluate(run)
        (run.folder / "metrics.json").write_text(json.dumps(found))

    def test_baseline(self, experiment):
        split = sources.split(experiment, sources.load(experiment))
        found = baseline.evaluate_baseline(split, experiment.size)
        assert found["crack_iou"] > 0.9  # dark lines on a bright ground are what it is made for


class TestPipeline:
    def test_order_depends_on_seed_and_epoch_alone(self, experiment):
        pairs = sources.load(experiment)

        def epochs(**options):
            dataset = make_dataset(pairs, experiment.size, 5, repeat=2, training=True, augment=False, **options)
            return np.concatenate([images.numpy() for images, _ in dataset]).reshape(-1, 20, 16, 24)

        first, second, third = epochs(epochs=3)
        np.testing.assert_array_equal(epochs(first_epoch=1, epochs=2), [second, third])
        assert (first != second).any() and (epochs(seed=1)[0] != first).any()

        def multiset(epoch):
            return sorted(image.tobytes() for image in epoch)

        assert multiset(first) == multiset(second) == sorted(2 * multiset(epochs(epochs=1)[0])[::2])

    def test_a_careless_pipeline_draws_other_images_each_epoch(self, experiment):
        pairs = sources.load(experiment)
        dataset = make_dataset(
            pairs, experiment.size, 5, repeat=2, training=True, augment=False, seed=3, epochs=8, drawn=5
        )
        images = np.concatenate([images.numpy() for images, _ in dataset]).reshape(8, 10, -1)
        seen = [{image.tobytes() for image in epoch} for epoch in images]
        assert {len(epoch) for epoch in seen} == {5}, "each of the five that are drawn is seen twice"
        assert seen[0] != seen[1] and len(set().union(*seen)) == len(pairs)

    def test_validation_is_every_image_once_as_it_is(self, experiment):
        pairs = sources.load(experiment)
        images, masks = (
            np.concatenate(part)
            for part in zip(*make_dataset(pairs, experiment.size, 4).as_numpy_iterator(), strict=True)
        )
        plain, true = predictions.arrays(pairs, experiment.size)
        np.testing.assert_array_equal(images[..., 0], plain)
        np.testing.assert_array_equal(masks[..., 0] > 0, true)
        assert images.dtype == masks.dtype == np.float32 and images.shape == (10, 16, 24, 1)

    def test_the_batch_has_no_say_in_order_and_flips(self, experiment):
        pairs = sources.load(experiment)

        def epochs(batch):
            dataset = make_dataset(pairs, experiment.size, batch, repeat=2, training=True, epochs=2)
            return np.concatenate([images.numpy() for images, _ in dataset]).reshape(2, -1, 16, 24)

        np.testing.assert_array_equal(epochs(1), epochs(5))
        np.testing.assert_array_equal(epochs(1)[:, :18], epochs(3))  # which leaves two of the twenty out

    def test_too_few_for_a_batch(self, experiment):
        with pytest.raises(ValueError, match="do not fill one batch"):
            make_dataset(sources.load(experiment)[:1], experiment.size, 4, training=True)


def test_schedule_drops_at_the_shares(experiment):
    schedule = compiling.learning_rate_schedule(experiment.replace(learning_rates=(1e-4, 1e-5, 1e-6)), 1200)
    rates = [float(schedule(step)) for step in (0, 600, 601, 900, 901, 1199)]
    np.testing.assert_allclose(rates, [1e-4, 1e-4, 1e-5, 1e-5, 1e-6, 1e-6], rtol=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "moved"),
    [
        ("adam", 1 + 1),  # both means are those of the constant gradient
        ("sgd", 1 + 1),
        ("momentum", 1 + 1.9),
        ("nesterov", 1.9 + 2.71),  # each step looks 0.9 of itself ahead
        ("adagrad", 1.1**-0.5 + 2.1**-0.5),  # Keras starts its sum at 0.1
        ("rmsprop", 0.1**-0.5 + 0.19**-0.5),
    ],
)
def test_two_steps_of_each_optimizer_at_a_gradient_of_one(experiment, optimizer, moved):
    rates = (0.01, 0.001, 0.0001)
    model = compiling.compiled_model(experiment.replace(optimizer=optimizer, learning_rates=rates), steps=4)
    number = keras.Variable(0.0)
    seen = []
    for step in range(4):
        seen.append(float(model.optimizer.learning_rate))
        model.optimizer.apply([tf.constant(1.0)], [number])
        if step == 1:
            assert float(number) == pytest.approx(-0.01 * moved, rel=1e-4)
    assert seen == pytest.approx([0.01, 0.01, 0.01, 0.001])


def test_repeats():
    quick = Experiment.preset("quick").replace(images_per_epoch=300)
    assert [fit.repeats(quick, images) for images in (94, 160, 300, 400)] == [4, 2, 1, 1]
    assert fit.repeats(quick.replace(repeat=7), 94) == 7


@pytest.mark.parametrize(
    ("gpus", "flags", "expected"),
    [
        (1, {"avx512f"}, ("mixed_float16", True)),
        (0, {"avx512f", "amx_bf16"}, ("mixed_bfloat16", False)),
        (0, {"avx512f"}, ("float32", False)),
        (0, {"avx2"}, ("float32", True)),
        (0, set(), ("float32", False)),
    ],
)
def test_what_the_hardware_favours(gpus, flags, expected):
    assert hardware.favoured(gpus, flags) == expected


def test_fingerprint_ignores_comments(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "package", lambda: tmp_path)
    monkeypatch.setattr(imports, "_imported_files", lambda path: set())
    prints = []
    for text in ("x = 1\n", '"""Says."""\n\n# why\nx = 1\n', "x = 2\n"):
        (tmp_path / "a.py").write_text(text)
        prints.append(provenance.fingerprint("a.py"))
    assert prints[0] == prints[1] != prints[2]


class TestCommands:
    def test_train_and_check(self, folder, printed, capsys):
        assert "mIoU" in printed
        assert main.main(["check", str(folder)]) == 0
        assert "10 pairs" in capsys.readouterr().out

    def test_prepare_leaves_its_marker(self, folder, tmp_path, capsys):
        marker = tmp_path / "deep" / "x.ready"
        assert main.main(["prepare", "--preset", "smoke", "--data", str(folder), "--marker", str(marker)]) == 0
        assert "8 training, 2 validation, 0 test" in marker.read_text()

    def test_bad_input_is_one_message(self, tmp_path, capsys):
        assert main.main(["check", str(tmp_path)]) == 1
        assert "no folder images/" in capsys.readouterr().err
        assert main.main(["train", "nowhere"]) == 1
        assert "unknown data set 'nowhere'" in capsys.readouterr().err


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 1), np.float32), np.full((4, 4), 2.0)])
def test_predict_refuses_what_is_no_gray_picture(image):
    with pytest.raises(ValueError, match="image must"):
        predict(None, image)


def test_a_network_of_another_architecture_is_refused_before_a_folder_is_made(experiment, tmp_path, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    with pytest.raises(ValueError, match="start='default': its network, compact, differs from the one to train, unet"):
        fit.fit(experiment.replace(start="default"))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("config", ["[]", "{", '{"config": {"name": ["unet"]}}', "[" * 100_000])
def test_a_damaged_network_to_start_from_is_no_matter_of_its_architecture(tmp_path, config):
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as parts:
        parts.writestr("config.json", config)
    start.check(tmp_path / "a.keras", "unet")
    (tmp_path / "a.keras").write_bytes((tmp_path / "a.keras").read_bytes()[:30])
    start.check(tmp_path / "a.keras", "unet")
