"""Mask R-CNN as one Keras model: picture → crack probability, and the five losses that it learns from."""

import functools

import keras
import numpy as np
from keras import ops

from crack_utils.models.any_size import pad_to_stride
from crack_utils.runtime.devices import sum_over_replicas

from . import anchors as anchor
from . import boxes as box
from . import targets
from .backbone import pyramid
from .heads import box_head, mask_head, proposal_head
from .instances import Instances, label_batch
from .roi_align import crop_masks, paste_masks, pyramid_align, roi_align
from .work import multiply_adds

STRIDE = 32  # [px] pictures are padded to multiples of it
CANDIDATES, PROPOSALS = 256, 48  # best anchors before and after suppression; He et al. 2017 keep 1000
CRACKS = 16  # of a picture that are learnt from, and that are found, at most; He et al. 2017 find 100
ANCHORS, SHARED = 64, 32  # anchors and proposals of a picture that a step learns from (Ren: 256, He: 512), half cracks
BOX_BINS = 7  # of the box head (He et al. 2017)
PROPOSAL_OVERLAP, FOUND_OVERLAP = 0.7, 0.5  # of the two suppressions (Ren et al. 2015; customary)
SPREAD = (0.1, 0.1, 0.2, 0.2)  # of the box head's corrections (customary)
LEAST_SCORE = 0.05  # below it nothing was found (customary)
BEND = 1 / 9  # where the smooth L1 loss of corrections turns from a square to a line (customary)


def mask_rcnn(dtype=None, filters=32, mask_size=56, mask_convolutions=3, seed=None):
    """Build Mask R-CNN (He et al. 2017) for the cracks of a picture, a small one.

    A backbone with a feature pyramid (Lin et al. 2017) gives maps. At each of their places a head judges boxes of
    several shapes (Ren et al. 2015); the best are cut out of the maps, judged again and corrected, and where one holds
    a crack it is drawn. An instance is a connected crack.

    Different from the papers: the backbone has one residual block a stage, with group normalisation, and starts from
    nothing. Anchors reach ratios of 1:4, as cracks are long. There is one class, so crack or not is one sigmoid. A
    crack's box is 2 px wider on each side. Masks are cut from the finest map (stride 2) whatever the size of the box,
    as cracks are thin whatever their length, and drawn in 56×56 cells, not 28×28. A cell of a large box averages away
    what is thinner than it, so there is a ceiling (`mask_ceiling`): of synthetic photographs of 512×640 an IoU of about
    0.99 on average, in 28×28 cells 0.96; of smaller ones it is nearer to 1. A cell's target is the share of it
    that is crack, not 0 or 1. The mask loss adds Dice, as few of a box's pixels are crack.

    Parameters
    ----------
    dtype : str, optional
        Keras dtype policy of the maps, such as ``"mixed_float16"``; None is float32. Boxes, logits and losses are
        float32 always.
    filters : int
        Filters of the first stage, a multiple of 8; all others are in proportion to it.
    mask_size : int
        Cells along each side of a crack's mask; even.
    mask_convolutions : int
        Of the mask head; the paper's has 4.
    seed : int, optional
        Seed of the initial weights (He normal), and of which anchors and proposals a step learns from. None draws the
        weights from Keras' global generator.

    Returns
    -------
    MaskRCNN
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32, any height and width.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    return MaskRCNN(filters, mask_size, mask_convolutions, dtype or "float32", seed)


@keras.saving.register_keras_serializable("crack_utils")
class MaskRCNN(keras.Model):
    """Mask R-CNN; made by `mask_rcnn`, whose parameters these are.

    Its output is where the cracks found are: at a pixel the largest product of a crack's score and its mask there, 0
    outside of all boxes. Which boxes are found depends on the whole picture, so a picture predicted in tiles differs a
    little from one predicted as a whole.

    Trained on the batches of `training_data`, it learns the sum of five losses; `loss` in compile is not needed.
    Its training metrics are of the merged probability from the maps of before the step's update. Validated on
    pictures and masks, its loss is the binary cross-entropy of the merged probability, not the sum of the five.
    """

    def __init__(self, filters=32, mask_size=56, mask_convolutions=3, policy="float32", seed=None, name="mask_rcnn"):
        if filters < 8 or filters % 8:
            raise ValueError(f"filters must be a multiple of 8, got {filters}")
        if mask_size < 2 or mask_size % 2:
            raise ValueError(f"mask_size must be an even number of cells, got {mask_size}")
        if mask_convolutions < 0:
            raise ValueError(f"mask_convolutions must be 0 or more, got {mask_convolutions}")
        super().__init__(name=name, dtype="float32")
        self.options = {
            "filters": filters,
            "mask_size": mask_size,
            "mask_convolutions": mask_convolutions,
            "policy": policy,
            "seed": seed,
        }
        seeds = iter(range(seed * 100, seed * 100 + 100)) if seed is not None else None  # one for each layer

        def kernels():
            return keras.initializers.HeNormal(next(seeds) if seeds else None)

        channels = 2 * filters
        self.pyramid = pyramid(filters, policy, kernels)
        self.proposal_head = proposal_head(channels, policy, kernels)
        self.box_head = box_head(channels, BOX_BINS, policy, kernels)
        self.mask_head = mask_head(channels, mask_size // 2, mask_convolutions, policy, kernels)
        self.built = True

    def get_config(self):
        return {**self.options, "name": self.name}

    def call(self, images, training=None):
        """Return the probability of crack; while training, what the losses are computed from."""
        maps = self._look(images)
        return maps if training else self._merged(maps)

    def compute_output_spec(self, images, training=None):
        if training:
            return super().compute_output_spec(images, training=training)
        return keras.KerasTensor(images.shape, dtype="float32")

    def detect(self, images, threshold=0.5):
        """Find the cracks of pictures.

        Parameters
        ----------
        images : float array, shape (batch, height, width, 1), in [0, 1]
        threshold : float in [0, 1]
            Least score of a crack that is returned. A mask is crack where its probability is one half or more.

        Returns
        -------
        list of Instances
            One each picture.
        """
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must lie in [0, 1], got {threshold}")
        boxes, scores, masks = map(np.asarray, self._found(self._look(ops.convert_to_tensor(images, "float32"))))
        height, width = np.shape(images)[1:3]
        found = []
        for where, score, mask in zip(boxes, scores, masks, strict=True):
            good = np.flatnonzero(score >= max(threshold, LEAST_SCORE))
            pasted = np.asarray(paste_masks(mask[None, good], where[None, good], height, width))[0]
            found.append(Instances(where[good], score[good], pasted >= 0.5))
        return found

    def multiply_adds(self, size):
        """Return the multiplications, each with its addition, of the kernels for one picture of `size` (height, width).

        What cuts out boxes and pastes masks is not counted. All heads always judge as many boxes as they can.
        """
        height, width = (-(-side // STRIDE) * STRIDE for side in size)
        channels, bins = 2 * self.options["filters"], self.options["mask_size"] // 2
        places = [(-(-height // stride), -(-width // stride)) for stride in anchor.STRIDES]
        return (
            multiply_adds(self.pyramid, height, width, 1)
            + sum(multiply_adds(self.proposal_head, *place, channels) for place in places)
            + PROPOSALS * multiply_adds(self.box_head, BOX_BINS, BOX_BINS, channels)
            + CRACKS * multiply_adds(self.mask_head, bins, bins, channels)
        )

    def training_data(self, dataset, seed):
        """Return what the network learns from: the pipeline's batches, with the cracks of each mask found and numbered.

        Parameters
        ----------
        dataset : tf.data.Dataset of (image, mask)
            float32, shape (batch, height, width, 1).
        seed : int
            Not used: nothing here is random.

        Returns
        -------
        tf.data.Dataset of (image, dict)
            `mask` as it was; `ids` (batch, height, width) int32, 0 background, 1 … the cracks; their `boxes`
            (batch, CRACKS, 4) and which of them are `valid` (batch, CRACKS) int32, 0 or 1.
        """
        import tensorflow as tf

        def number(image, mask):
            find = functools.partial(label_batch, most=CRACKS)
            ids, boxes, valid = tf.numpy_function(find, [mask], [tf.int32, tf.float32, tf.bool], stateful=False)
            batch = mask.shape[0]
            return image, {
                "mask": mask,
                "ids": tf.ensure_shape(ids, mask.shape[:3]),
                "boxes": tf.ensure_shape(boxes, (batch, CRACKS, 4)),
                "valid": tf.cast(tf.ensure_shape(valid, (batch, CRACKS)), tf.int32),  # a sum over devices must exist
            }

        return dataset.map(number, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the sum of the five losses, or for a plain mask the binary cross-entropy of the merged probability."""
        if sample_weight is not None:
            raise ValueError("sample_weight is not used by mask_rcnn")
        if isinstance(y_pred, dict):
            if not isinstance(y, dict):
                raise ValueError("mask_rcnn learns from the cracks of masks: fit it on training_data(dataset, seed)")
            return sum(self.five_losses(y_pred, y).values())
        mask = ops.cast(_mask(y), "float32")
        entropy = keras.losses.binary_crossentropy(mask, y_pred)
        return _mean(entropy, ops.ones_like(entropy))

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Return the metrics of the merged probability against the whole mask."""
        probability = self._merged(y_pred) if isinstance(y_pred, dict) else y_pred
        return super().compute_metrics(x, _mask(y), probability)

    def five_losses(self, maps, true):
        """Return the losses of a batch (Ren et al. 2015, He et al. 2017).

        Parameters
        ----------
        maps : dict
            What the model gives while training.
        true : dict
            As `training_data` gives.

        Returns
        -------
        dict of float32 scalars
            `objectness` and `proposals` (corrections) of the proposal head, `crack` and `boxes` of the box head, and
            `masks`: the means over what was sampled of the whole batch, those of boxes in units of all that was
            sampled, not of cracks alone, as in the papers.
        """
        optimizer = getattr(
            self, "optimizer", None
        )  # which counts the steps, and is kept when a training is interrupted
        step = 0 if optimizer is None else optimizer.iterations
        true = true | {"valid": true["valid"] > 0}
        losses = self._proposal_losses(maps, true, step)
        sample, boxes = self._sampled(maps, true, step)
        crack, corrections = self._judge(maps, boxes)
        cracks = boxes[:, : sample.positives]
        matched = box.take(true["boxes"], sample.matched)
        is_crack = ops.arange(boxes.shape[1]) < sample.positives
        good = sample.valid[:, : sample.positives]
        wanted = box.encode(_if_valid(matched, good), _if_valid(cracks, good), SPREAD)
        losses["crack"] = _mean(_cross_entropy(is_crack, crack), sample.valid)
        losses["boxes"] = _mean(_smooth(corrections[:, : sample.positives] - wanted), good, sample.valid)
        losses["masks"] = self._mask_loss(maps, true, cracks, sample.matched, good)
        return losses

    def _look(self, images):
        """Return the maps of pictures, and what the proposal head makes of them."""
        padded = pad_to_stride(images, STRIDE)
        levels = self.pyramid(padded)
        judged = [self.proposal_head(level) for level in levels[1:]]
        batch = ops.shape(images)[0]
        return {
            "levels": levels[:-1],
            "anchors": anchor.anchors(*ops.shape(padded)[1:3]),
            "objectness": ops.concatenate([ops.reshape(crack, (batch, -1)) for crack, _ in judged], axis=1),
            "corrections": ops.concatenate([ops.reshape(boxes, (batch, -1, 4)) for _, boxes in judged], axis=1),
            "images": images,  # for their size: what is found is cut there
        }

    def _propose(self, maps):
        """Return the best proposals (batch, PROPOSALS, 4), and which of them there are. No gradient goes through."""
        scores, best = ops.top_k(ops.sigmoid(ops.stop_gradient(maps["objectness"])), CANDIDATES)
        corrections = box.take(ops.stop_gradient(maps["corrections"]), best)
        proposals = box.decode(corrections, ops.take(maps["anchors"], best, axis=0))
        proposals = box.clip(proposals, *ops.shape(maps["images"])[1:3])
        sides = proposals[..., 2:] - proposals[..., :2]
        scores = ops.where(ops.all(sides >= 1, axis=-1), scores, -1.0)  # outside of the picture, or nearly
        chosen, there = box.non_maximum_suppression(proposals, scores, PROPOSAL_OVERLAP, PROPOSALS)
        return box.take(proposals, chosen), there

    def _judge(self, maps, boxes):
        """Return the box head's logits (batch, K) and corrections (batch, K, 4)."""
        cuts = pyramid_align(maps["levels"][1:], anchor.STRIDES[:-1], boxes, BOX_BINS)
        crack, corrections = self.box_head(_joined(cuts))
        batch, number = ops.shape(boxes)[:2]
        return ops.reshape(crack, (batch, number)), ops.reshape(corrections, (batch, number, 4))

    def _draw(self, maps, boxes):
        """Return the mask head's logits (batch, K, mask_size, mask_size)."""
        size = self.options["mask_size"]
        cuts = roi_align(maps["levels"][0], boxes / 2, size // 2, samples=1)
        return ops.reshape(self.mask_head(_joined(cuts)), (*ops.shape(boxes)[:2], size, size))

    def _found(self, maps):
        """Return the cracks found: boxes (batch, CRACKS, 4), scores (batch, CRACKS), 0 where there is none, and masks
        (batch, CRACKS, mask_size, mask_size), probabilities."""
        proposals, there = self._propose(maps)
        crack, corrections = self._judge(maps, proposals)
        boxes = box.clip(box.decode(corrections, proposals, SPREAD), *ops.shape(maps["images"])[1:3])
        scores = ops.sigmoid(crack)
        scores = ops.where(ops.logical_and(there, scores >= LEAST_SCORE), scores, -1.0)
        chosen, valid = box.non_maximum_suppression(boxes, scores, FOUND_OVERLAP, CRACKS)
        boxes, scores = box.take(boxes, chosen), ops.where(valid, box.take(scores, chosen), 0.0)
        return boxes, scores, ops.sigmoid(self._draw(maps, boxes))

    def _merged(self, maps):
        """Return the probability of crack (batch, height, width, 1)."""
        boxes, scores, masks = self._found(maps)
        pasted = paste_masks(masks * scores[..., None, None], boxes, *ops.shape(maps["images"])[1:3])
        return ops.max(pasted, axis=1)[..., None]

    def _proposal_losses(self, maps, true, step):
        priority = self._chance(ops.shape(maps["objectness"]), step, 0)
        sample = targets.sample_anchors(maps["anchors"], true["boxes"], true["valid"], priority, ANCHORS)
        cracks = sample.indices[:, : sample.positives]
        good = sample.valid[:, : sample.positives]
        matched = _if_valid(box.take(true["boxes"], sample.matched), good)
        wanted = box.encode(matched, ops.take(maps["anchors"], cracks, axis=0))
        is_crack = ops.arange(sample.indices.shape[1]) < sample.positives
        entropy = _cross_entropy(is_crack, box.take(maps["objectness"], sample.indices))
        return {
            "objectness": _mean(entropy, sample.valid),
            "proposals": _mean(_smooth(box.take(maps["corrections"], cracks) - wanted), good, sample.valid),
        }

    def _sampled(self, maps, true, step):
        """Return which proposals a step learns from, and their boxes. The true boxes are among them, as is customary:
        else there would be no crack to learn from at first."""
        proposals, there = self._propose(maps)
        proposals = ops.concatenate([true["boxes"], proposals], axis=1)
        there = ops.concatenate([true["valid"], there], axis=1)
        priority = self._chance(ops.shape(there), step, 1)
        sample = targets.sample_proposals(proposals, there, true["boxes"], true["valid"], priority, SHARED)
        return sample, box.take(proposals, sample.indices)

    def _mask_loss(self, maps, true, boxes, matched, valid):
        """Return binary cross-entropy and Dice of the masks of boxes that hold a crack, each mask on its own."""
        masks = ops.cast(ops.equal(true["ids"][:, None], ops.cast(matched, "int32")[..., None, None] + 1), "float32")
        wanted = crop_masks(masks, boxes, self.options["mask_size"])
        drawn = self._draw(maps, boxes)
        entropy = ops.mean(_cross_entropy(wanted, drawn), axis=(-2, -1))
        probability = ops.sigmoid(drawn)
        common, total = (ops.sum(part, axis=(-2, -1)) for part in (wanted * probability, wanted + probability))
        return _mean(entropy + 1 - (2 * common + 1) / (total + 1), valid)

    def _chance(self, shape, step, use):
        """Return uniform numbers in [0, 1) that depend on seed, step and use alone, so that a training that was
        interrupted goes on as it would have."""
        import tensorflow as tf

        seed = tf.stack([tf.cast(self.options["seed"] or 0, tf.int64) * 2 + use, tf.cast(step, tf.int64)])
        return tf.random.stateless_uniform(shape, seed, alg="philox")  # the same numbers on every device


def _mask(y):
    return y["mask"] if isinstance(y, dict) else y


def _joined(cuts):
    """Return what was cut out of all pictures as one list."""
    return ops.reshape(cuts, (-1, *cuts.shape[2:]))


def _if_valid(boxes, valid):
    """Return boxes, and some box where there is none: its logarithms are finite."""
    return ops.where(valid[..., None], boxes, ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0]))


def _cross_entropy(true, logits):
    true = ops.cast(true, "float32")
    return ops.maximum(logits, 0) - logits * true + ops.log1p(ops.exp(-ops.abs(logits)))


def _smooth(difference):
    """Return the smooth L1 loss of corrections (..., 4), their sum (Girshick 2015)."""
    size = ops.abs(difference)
    return ops.sum(ops.where(size < BEND, 0.5 * size**2 / BEND, size - 0.5 * BEND), axis=-1)


def _mean(values, counted, of=None):
    """Return the sum of the values that are counted by the number of those (or of `of`), of all replicas' batches.

    Each replica so gives its part of the whole batch's loss, and the parts' gradients are added up.
    """
    counted = ops.cast(counted, "float32")
    number = ops.sum(counted if of is None else ops.cast(of, "float32"))
    return ops.sum(values * counted) / ops.maximum(sum_over_replicas([number])[0], 1.0)
