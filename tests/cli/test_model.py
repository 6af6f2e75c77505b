"""From a training to its calibration, card and exports, by the library and in the shell."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from crack_utils import Experiment, evaluate, predict
from crack_utils.cli import main
from crack_utils.evaluation import default_model
from crack_utils.evaluation.calibration import calibrate, read_calibration
from crack_utils.evaluation.model_card import intervals, model_card
from crack_utils.inference import engine
from crack_utils.inference.ensemble import predict_ensemble
from crack_utils.inference.predictor import calibrated
from crack_utils.runtime import hardware
from crack_utils.training import fit


@pytest.fixture(scope="module", autouse=True)
def artifacts(tmp_path_factory):
    """A place of its own, and no XLA: compiling takes longer than this training."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("artifacts")
        patch.setenv("CRACK_UTILS_ARTIFACTS", str(folder))
        patch.setattr(hardware, "resolve", lambda *_: ("float32", False))
        yield folder


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Two pictures of each of twelve specimens, 16×24, with a dark line that ends in the picture."""
    folder = tmp_path_factory.mktemp("data") / "lines"
    generator = np.random.default_rng(0)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rows = ["name,specimen,frame"]
    for number in range(24):
        mask = np.zeros((16, 24), np.uint8)
        row, end = generator.integers(3, 12), generator.integers(8, 20)
        mask[row : row + 2, :end] = 255
        image = np.where(mask > 0, 40, generator.integers(120, 220, mask.shape)).astype(np.uint8)
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
        rows.append(f"{number},s{number // 2},{number % 2}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    options = {
        "model_options": {"filters": 4, "depth": 1},
        "epochs": 4,
        "repeat": 4,
        "learning_rates": (0.02, 0.01, 0.005),
    }
    return Experiment.preset("smoke", data=str(folder), test=0.3, **options)


@pytest.fixture(scope="module")
def run(experiment):
    run = fit.fit(experiment)
    evaluate(run)
    return run


class TestCalibrate:
    def test_is_fitted_on_validation_and_told_of_both(self, run):
        found = calibrate(run)
        assert set(found.measured) == {"validation", "test"}
        assert found.measured["validation"]["crack_iou"] == pytest.approx(run.metrics["validation"]["crack_iou"])
        validation = found.measured["validation"]
        assert validation["mean_iou_at_threshold"] >= validation["mean_iou"] - 1e-3
        assert found.intervals["specimens"] == len({row["specimen"] for row in measured_rows(run)})
        assert set(found.ranges) == {"brightness", "contrast", "sharpness", "noise"}
        written = json.loads((run.folder / "calibration.json").read_text())
        assert (written["temperature"], written["threshold"]) == (found.temperature, found.threshold)
        probability = np.array([0.2, 0.7], np.float32)
        np.testing.assert_array_equal(found(probability), calibrated(probability, found.temperature))

    def test_is_made_once_and_anew_when_damaged(self, run, monkeypatch):
        found = calibrate(run)
        monkeypatch.setattr("crack_utils.evaluation.calibration.temperature_of", None)
        assert calibrate(run) == found == read_calibration(run.folder)
        file = run.folder / "calibration.json"
        for content in ("half", file.read_text().replace(found.fingerprint, "of older code")):
            whole = file.read_text()
            file.write_text(content)
            with pytest.raises(TypeError):
                calibrate(run)
            file.write_text(whole)


def measured_rows(run):
    with open(run.folder / "measures.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_training_on_crops_is_calibrated_on_whole_pictures(experiment, monkeypatch):
    monkeypatch.setattr(engine, "precision", lambda: engine.FLOAT32)  # in which it is evaluated
    cropped = experiment.replace(fit="crop", size=(8, 16), epochs=1)
    run = fit.fit(cropped)
    evaluate(run)
    found = calibrate(run)
    assert found.measured["test"]["crack_iou"] == pytest.approx(run.metrics["test"]["crack_iou"], abs=1e-3)
    assert found.intervals["pictures"] == len(measured_rows(run))


class TestCard:
    def test_tells_what_was_measured(self, run):
        calibrate(run)
        text = model_card(run)
        value = run.metrics["test"]["crack_iou"]
        assert f"| crack IoU | {value:.3f} |" in text
        assert "No named specimen is in two of the sets." in text
        assert "`lines`" in text and str(run.experiment.data) not in text, "no folders of somebody's machine"
        for part in ("Intended use", "Data", "Measures", "Certainty", "Limits", "Origin"):
            assert f"## {part}\n" in text
        assert "Temperature" in text and "nan" not in text

    def test_intervals_resample_specimens(self):
        def row(specimen, tp, fn):
            values = dict.fromkeys(("f1_tolerance_2", "cldice", "expected_calibration_error"), "0.5")
            return {"source": "a", "specimen": specimen, "name": "x", **values} | {
                **{"tp": str(tp), "fp": "0", "fn": str(fn), "tn": "100"}
            }

        found = intervals([row("s", 10, 0), row("s", 10, 0), row("t", 0, 20)])
        assert found["crack_iou"][0] == 0.5
        # Both twice, or one of them twice: 0, 0.5 or 1, one in four each for the outer ones.
        assert found["crack_iou"][1:] == (0, 1)
        assert found["cldice"] == (0.5, 0.5, 0.5)
        assert np.isnan(intervals([row("s", 10, 0)])["recall"][1])

    def test_says_that_nothing_is_calibrated(self, run, tmp_path, monkeypatch):
        monkeypatch.setattr("crack_utils.evaluation.model_card.CALIBRATION", "no such file")
        assert "Not calibrated" in model_card(run)


class TestEnsemble:
    def test_mean_and_spread(self, run):
        other = run.model()
        other.layers[-1].bias.assign([3.0])
        image = np.random.default_rng(0).random((16, 24), np.float32)
        mean, spread = predict_ensemble([run, other], image)
        first, second = predict(run, image), predict(other, image)
        np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-6)
        np.testing.assert_allclose(spread, np.abs(first - second) / np.sqrt(2), atol=1e-6)
        with pytest.raises(ValueError, match="two networks or more"):
            predict_ensemble([run], image)


class TestCommands:
    def test_calibrate_and_card(self, run, tmp_path, capsys):
        assert main.main(["calibrate", run.id]) == 0
        assert "temperature" in capsys.readouterr().out
        assert main.main(["card", run.id, "--to", str(tmp_path / "card.md")]) == 0
        assert (tmp_path / "card.md").read_text() == model_card(run)

    def test_export(self, run, tmp_path, capsys):
        place = tmp_path / "deep" / "exported"
        assert main.main(["export", run.id, "--to", str(place), "--format", "savedmodel"]) == 0
        assert "from Keras on" in capsys.readouterr().out
        names = {"saved_model", "model.keras", "card.md", "calibration.json", "experiment.json"}
        assert {path.name for path in place.iterdir()} == names

    def test_an_export_replaces_its_own_network_alone(self, run, tmp_path, capsys):
        exported = ["export", run.id, "--to", str(tmp_path), "--format", "savedmodel"]
        (tmp_path / "card.md").write_text("of somebody else")
        assert main.main(exported) == 1
        assert "has card.md, which is not from an export of this network" in capsys.readouterr().err
        (tmp_path / "card.md").unlink()
        (tmp_path / "model.keras").write_bytes(b"another network")
        (tmp_path / "model.tflite").touch()
        assert main.main(exported) == 1
        assert "has model.keras, which is not from an export" in capsys.readouterr().err

    def test_bad_input_is_one_message(self, run, tmp_path, capsys):
        assert main.main(["export", run.id, "--to", str(tmp_path / "x"), "--format", "caffe"]) == 1
        assert "unknown format 'caffe'" in capsys.readouterr().err
        assert main.main(["card", "nothing"]) == 1
        assert "no finished run" in capsys.readouterr().err
        assert not (tmp_path / "x").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [(["--updates", "5"], "updates must be at least epochs, 20"), ([], "model: not a folder")],
    )
    def test_model_refuses_before_the_work(self, tmp_path, monkeypatch, capsys, options, message):
        monkeypatch.setattr(default_model, "draw_pictures", lambda *numbers: pytest.fail("it drew pictures"))
        if not options:
            (tmp_path / "model").touch()
        assert main.main(["model", "--to", str(tmp_path / "model"), *options]) == 1
        assert message in capsys.readouterr().err

    def test_model(self, run, experiment, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(default_model, "draw_pictures", lambda *numbers: [experiment.data])
        asked = {}
        monkeypatch.setattr(
            default_model.Experiment, "preset", lambda name, **fields: asked.update(fields) or experiment
        )
        assert main.main(["model", "--to", str(tmp_path / "model")]) == 0
        assert asked["start"] == ""  # the shipped weights may be missing
        names = {"model.keras", "card.md", "calibration.json", "experiment.json", "SHA256SUMS"}
        assert {path.name for path in (tmp_path / "model").iterdir()} == names
        assert (tmp_path / "model" / "model.keras").read_bytes() == (run.folder / "model.keras").read_bytes()
