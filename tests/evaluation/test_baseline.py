import numpy as np
import pytest

from crack_utils.evaluation.baseline import black_hat_otsu, tune_black_hat
from crack_utils.metrics.masks import confusion


def plate(width, seed=0, shape=(48, 64)):
    """Return a gray plate under uneven light with a dark horizontal crack of a width [px], and its mask."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, bool)
    mask[20 : 20 + width, 5:60] = True
    image = np.linspace(0.4, 0.8, shape[1]) + 0.01 * rng.standard_normal(shape)
    return np.where(mask, image - 0.3, image), mask


def test_finds_a_dark_crack_under_uneven_light():
    image, mask = plate(3)
    found = black_hat_otsu(image, radius=4)
    assert found.dtype == bool
    assert confusion(mask, found).crack_iou > 0.95


def test_a_disk_narrower_than_the_crack_misses_it():
    image, mask = plate(9)
    assert confusion(mask, black_hat_otsu(image, radius=2)).recall < 0.3
    assert confusion(mask, black_hat_otsu(image, radius=6)).recall > 0.9


def test_bright_lines_and_even_plates_are_no_cracks():
    image, mask = plate(3)
    assert not black_hat_otsu(1 - image, radius=4)[mask].mean() > 0.2
    assert not black_hat_otsu(np.full((16, 16), 0.5), radius=3).any()


def test_a_larger_factor_keeps_less():
    image, _ = plate(3)
    few, many = (black_hat_otsu(image, 4, factor) for factor in (1.5, 0.5))
    assert few.sum() < many.sum()
    assert many[few].all()


def test_flips_do_not_matter():
    image, _ = plate(3)
    assert np.array_equal(black_hat_otsu(image[:, ::-1], 4)[:, ::-1], black_hat_otsu(image, 4))


def test_tuning_finds_the_best_pooled_mean_iou():
    images, masks = zip(plate(5, seed=1), plate(5, seed=2), strict=True)
    best = tune_black_hat(images, masks, radii=(1, 4), factors=(0.2, 1.0))
    assert best.radius == 4
    pooled = sum(
        (
            confusion(mask, black_hat_otsu(image, best.radius, best.factor))
            for image, mask in zip(images, masks, strict=True)
        ),
        start=confusion(masks[0][:0], masks[0][:0]),
    )
    assert best.confusion == pooled
    assert best.confusion.mean_iou > 0.9


def test_mistakes_are_named():
    image, mask = plate(3)
    with pytest.raises(ValueError, match="radius must be at least 1 px, got 0"):
        black_hat_otsu(image, 0)
    with pytest.raises(ValueError, match=r"must have shape \(height, width\), got \(48, 64, 1\)"):
        black_hat_otsu(image[..., None], 3)
    with pytest.raises(ValueError, match="got 2 for 1"):
        tune_black_hat([image], [mask, mask])
