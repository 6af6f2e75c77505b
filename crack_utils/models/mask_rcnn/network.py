"""Mask R-CNN as one Keras model: picture → crack probability, with its five training losses."""

import functools

import keras
from keras import ops

from crack_utils.models.any_size import pad_to_stride
from crack_utils.runtime.devices import sum_over_replicas
from crack_utils.runtime.workers import cores

from . import anchors as anchor
from . import boxes as box
from . import targets
from .backbone import pyramid
from .heads import box_head, mask_head, proposal_head
from .instances import label_batch
from .roi_align import crop_masks, paste_masks, pyramid_align, roi_align
from .work import multiply_adds

STRIDE = 32  # [px] pictures are padded to multiples of it
CANDIDATES, PROPOSALS = 256, 48  # best anchors before and after suppression; He et al. 2017 keep 1000
CRACKS = 16  # largest number of cracks of a picture, in training and prediction; He et al. 2017 have 100
ANCHORS, SHARED = 64, 32  # anchors and proposals of a picture that a step uses (Ren: 256, He: 512), half cracks
BOX_BINS = 7  # of the box head (He et al. 2017)
PROPOSAL_OVERLAP, CRACK_OVERLAP = 0.7, 0.5  # IoU thresholds of the two suppressions (Ren et al. 2015; the usual value)
SPREAD = (0.1, 0.1, 0.2, 0.2)  # of the box head's corrections (usual values)
LEAST_SCORE = 0.05  # boxes with a lower score are ignored (the usual value)
BEND = 1 / 9  # where the smooth L1 loss of corrections changes from a square to a line (the usual value)


def mask_rcnn(dtype=None, filters=32, mask_size=56, mask_convolutions=3, seed=None):
    """Build a small Mask R-CNN (He et al. 2017) for cracks, the detection approach among the architectures.

    A backbone with a feature pyramid (Lin et al. 2017) computes feature maps. At each of their places a head scores
    boxes of several shapes (Ren et al. 2015). The best boxes are cut out of the maps, scored again and corrected. The
    mask of each box with a crack is then predicted. An instance is a connected crack.

    Differences from the papers: the backbone has one residual block per stage, with group normalisation, and starts
    from random weights. Anchors have ratios up to 1:4, because cracks are long. There is one class, so one sigmoid
    decides between crack and background. A crack's box is 2 px wider on each side. Masks use the finest map (stride 2)
    for boxes of all sizes, because long cracks are thin too, and have 56×56 cells, not 28×28. Details thinner than a
    cell are lost, which limits the IoU: for synthetic photographs of 512×640 it is about 0.99 on
    average, with 28×28 cells 0.96; for smaller ones it is closer to 1. The target of a cell is its share of crack,
    not 0 or 1. The mask loss includes Dice, because few pixels of a box are crack.

    Parameters
    ----------
    dtype : str, optional
        Keras dtype policy of the maps, such as ``"mixed_float16"``; None is float32. Boxes, logits and losses are
        always float32.
    filters : int
        Filters of the first stage, a multiple of 8; all others are in proportion to it.
    mask_size : int
        Cells along each side of a crack's mask; even.
    mask_convolutions : int
        Convolutions of the mask head; the paper's has 4.
    seed : int, optional
        Seed of the initial weights (He normal), and of the choice of anchors and proposals in each step. With None the
        weights come from Keras' global generator.

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
    """Mask R-CNN; use `mask_rcnn` to build it, with the same parameters.

    The output at a pixel is the largest product of a crack's score and the value of its mask there; it is 0 outside all
    boxes. The detected boxes depend on the whole picture, so a prediction in tiles differs a little from that of the
    whole picture.

    It must be trained on the batches of `training_data`. The training loss is the sum of five losses; `loss` in compile
    is not needed. Training metrics use the merged probability from the maps before the step's update. In validation, on
    pictures and masks, the loss is the binary cross-entropy of the merged probability, not the sum of the five.
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
        seeds = iter(range(seed * 100, seed * 100 + 100)) if seed is not None else None  # one per layer

        def kernels():
            return keras.initializers.HeNormal(next(seeds) if seeds else None)

        channels = 2 * filters
        self.pyramid = pyramid(filters, policy, kernels)
        self.proposal_head = proposal_head(channels, policy, kernels)
        self.box_head = box_head(channels, BOX_BINS, policy, kernels)
        self.mask_head = mask_head(channels, mask_size // 2, mask_convolutions, policy, kernels)
        self.built = True

    def get_config(self):
        """Return the arguments, for saving."""
        return {**self.options, "name": self.name}

    def call(self, images, training=None):
        """Return the probability of crack; in training, the maps from which the losses are computed."""
        maps = self._maps(images)
        return maps if training else self._merged(maps)

    def compute_output_spec(self, images, training=None):
        """Return the shape and dtype of the output, as Keras asks for it."""
        if training:
            return super().compute_output_spec(images, training=training)
        return keras.KerasTensor(images.shape, dtype="float32")

    def multiply_adds(self, size):
        """Return the number of multiply-adds of the kernels for one picture of `size` (height, width) [px].

        Cutting out boxes and pasting masks is not counted. The heads always process the largest number of boxes.
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
        """Return the training data: the pipeline's batches, with the connected cracks of each mask numbered.

        Parameters
        ----------
        dataset : tf.data.Dataset of (image, mask)
            float32, shape (batch, height, width, 1).
        seed : int
            Not used, because nothing here is random.

        Returns
        -------
        tf.data.Dataset of (image, dict)
            `mask` unchanged; `ids` (batch, height, width) int32, 0 for background, 1, 2, … for the cracks; `boxes`
            (batch, CRACKS, 4); `valid` (batch, CRACKS) int32, 0 or 1: which of the boxes exist.
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
                "valid": tf.cast(tf.ensure_shape(valid, (batch, CRACKS)), tf.int32),  # integers, because devices sum it
            }

        return dataset.map(number, num_parallel_calls=cores()).prefetch(1)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the sum of the five losses; for a plain mask, the binary cross-entropy of the merged probability.

        Raises
        ------
        ValueError
            If `sample_weight` is given, or the masks have no numbered cracks in training.
        """
        if sample_weight is not None:
            raise ValueError("sample_weight is not used by mask_rcnn")
        if isinstance(y_pred, dict):
            if not isinstance(y, dict):
                raise ValueError("mask_rcnn needs the numbered cracks of masks: fit it on training_data(dataset, seed)")
            return sum(self.five_losses(y_pred, y).values())
        mask = ops.cast(_mask(y), "float32")
        entropy = keras.losses.binary_crossentropy(mask, y_pred)
        return _mean(entropy, ops.ones_like(entropy))

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Return the metrics of the merged probability, compared with the whole mask."""
        probability = self._merged(y_pred) if isinstance(y_pred, dict) else y_pred
        return super().compute_metrics(x, _mask(y), probability)

    def five_losses(self, maps, true):
        """Return the losses of a batch (Ren et al. 2015, He et al. 2017).

        Parameters
        ----------
        maps : dict
            The model's output in training.
        true : dict
            From `training_data`.

        Returns
        -------
        dict of float32 scalars
            `objectness` and `proposals` (corrections) of the proposal head, `crack` and `boxes` of the box head, and
            `masks`. They are means over the samples of the whole batch. As in the papers, the sums for boxes are
            divided by the number of all samples, not only of cracks.
        """
        # The optimizer counts the steps, and this count survives an interruption of the training.
        optimizer = getattr(self, "optimizer", None)
        step = 0 if optimizer is None else optimizer.iterations
        true = true | {"valid": true["valid"] > 0}
        losses = self._proposal_losses(maps, true, step)
        sample, boxes = self._sampled(maps, true, step)
        crack, corrections = self._score(maps, boxes)
        cracks = boxes[:, : sample.positives]
        matched = box.take(true["boxes"], sample.matched)
        is_crack = ops.arange(boxes.shape[1]) < sample.positives
        good = sample.valid[:, : sample.positives]
        wanted = box.encode(_if_valid(matched, good), _if_valid(cracks, good), SPREAD)
        losses["crack"] = _mean(_cross_entropy(is_crack, crack), sample.valid)
        losses["boxes"] = _mean(_smooth(corrections[:, : sample.positives] - wanted), good, sample.valid)
        losses["masks"] = self._mask_loss(maps, true, cracks, sample.matched, good)
        return losses

    def _maps(self, images):
        """Return the feature maps of pictures, and the output of the proposal head."""
        padded = pad_to_stride(images, STRIDE)
        levels = self.pyramid(padded)
        outputs = [self.proposal_head(level) for level in levels[1:]]
        batch = ops.shape(images)[0]
        return {
            "levels": levels[:-1],
            "anchors": anchor.anchors(*ops.shape(padded)[1:3]),
            "objectness": ops.concatenate([ops.reshape(crack, (batch, -1)) for crack, _ in outputs], axis=1),
            "corrections": ops.concatenate([ops.reshape(boxes, (batch, -1, 4)) for _, boxes in outputs], axis=1),
            "images": images,  # for their size: boxes are clipped there
        }

    def _propose(self, maps):
        """Return the best proposals (batch, PROPOSALS, 4), and which of them exist; without a gradient."""
        scores, best = ops.top_k(ops.sigmoid(ops.stop_gradient(maps["objectness"])), CANDIDATES)
        corrections = box.take(ops.stop_gradient(maps["corrections"]), best)
        proposals = box.decode(corrections, ops.take(maps["anchors"], best, axis=0))
        proposals = box.clip(proposals, *ops.shape(maps["images"])[1:3])
        sides = proposals[..., 2:] - proposals[..., :2]
        scores = ops.where(ops.all(sides >= 1, axis=-1), scores, -1.0)  # (almost) outside the picture
        chosen, exists = box.non_maximum_suppression(proposals, scores, PROPOSAL_OVERLAP, PROPOSALS)
        return box.take(proposals, chosen), exists

    def _score(self, maps, boxes):
        """Return the box head's logits (batch, K) and corrections (batch, K, 4)."""
        cuts = pyramid_align(maps["levels"][1:], anchor.STRIDES[:-1], boxes, BOX_BINS)
        crack, corrections = self.box_head(_joined(cuts))
        batch, number = ops.shape(boxes)[:2]
        return ops.reshape(crack, (batch, number)), ops.reshape(corrections, (batch, number, 4))

    def _mask_logits(self, maps, boxes):
        """Return the mask head's logits (batch, K, mask_size, mask_size)."""
        size = self.options["mask_size"]
        cuts = roi_align(maps["levels"][0], boxes / 2, size // 2, samples=1)
        return ops.reshape(self.mask_head(_joined(cuts)), (*ops.shape(boxes)[:2], size, size))

    def _detect(self, maps):
        """Return the detected cracks: boxes (batch, CRACKS, 4), scores (batch, CRACKS), 0 for unused entries, and mask
        probabilities (batch, CRACKS, mask_size, mask_size)."""
        proposals, exists = self._propose(maps)
        crack, corrections = self._score(maps, proposals)
        boxes = box.clip(box.decode(corrections, proposals, SPREAD), *ops.shape(maps["images"])[1:3])
        scores = ops.sigmoid(crack)
        scores = ops.where(ops.logical_and(exists, scores >= LEAST_SCORE), scores, -1.0)
        chosen, valid = box.non_maximum_suppression(boxes, scores, CRACK_OVERLAP, CRACKS)
        boxes, scores = box.take(boxes, chosen), ops.where(valid, box.take(scores, chosen), 0.0)
        return boxes, scores, ops.sigmoid(self._mask_logits(maps, boxes))

    def _merged(self, maps):
        """Return the probability of crack (batch, height, width, 1)."""
        boxes, scores, masks = self._detect(maps)
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
        """Return the proposals that a step uses, and their boxes. As usual, the true boxes are among them; otherwise
        the first steps would have no cracks to learn from."""
        proposals, exists = self._propose(maps)
        proposals = ops.concatenate([true["boxes"], proposals], axis=1)
        exists = ops.concatenate([true["valid"], exists], axis=1)
        priority = self._chance(ops.shape(exists), step, 1)
        sample = targets.sample_proposals(proposals, exists, true["boxes"], true["valid"], priority, SHARED)
        return sample, box.take(proposals, sample.indices)

    def _mask_loss(self, maps, true, boxes, matched, valid):
        """Return binary cross-entropy plus Dice, computed per mask, for the boxes that contain a crack."""
        masks = ops.cast(ops.equal(true["ids"][:, None], ops.cast(matched, "int32")[..., None, None] + 1), "float32")
        wanted = crop_masks(masks, boxes, self.options["mask_size"])
        logits = self._mask_logits(maps, boxes)
        entropy = ops.mean(_cross_entropy(wanted, logits), axis=(-2, -1))
        probability = ops.sigmoid(logits)
        common, total = (ops.sum(part, axis=(-2, -1)) for part in (wanted * probability, wanted + probability))
        return _mean(entropy + 1 - (2 * common + 1) / (total + 1), valid)

    def _chance(self, shape, step, use):
        """Return uniform numbers in [0, 1) that depend only on seed, step and use, so that an interrupted training
        continues exactly."""
        import tensorflow as tf

        seed = tf.stack([tf.cast(self.options["seed"] or 0, tf.int64) * 2 + use, tf.cast(step, tf.int64)])
        return tf.random.stateless_uniform(shape, seed, alg="philox")  # the same numbers on every device


def _mask(y):
    return y["mask"] if isinstance(y, dict) else y


def _joined(cuts):
    """Return the regions of all pictures as one list."""
    return ops.reshape(cuts, (-1, *cuts.shape[2:]))


def _if_valid(boxes, valid):
    """Return boxes; entries that are not valid become a fixed box, so that its logarithms are finite."""
    return ops.where(valid[..., None], boxes, ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0]))


def _cross_entropy(true, logits):
    true = ops.cast(true, "float32")
    return ops.maximum(logits, 0) - logits * true + ops.log1p(ops.exp(-ops.abs(logits)))


def _smooth(difference):
    """Return the smooth L1 loss (Girshick 2015) of corrections (..., 4), summed over the four."""
    size = ops.abs(difference)
    return ops.sum(ops.where(size < BEND, 0.5 * size**2 / BEND, size - 0.5 * BEND), axis=-1)


def _mean(values, counted, of=None):
    """Return the sum of the counted values, divided by the number of counted entries (or of `of`) on all replicas.

    Each replica thus returns its part of the loss of the whole batch, and the gradients of the parts are added.
    """
    counted = ops.cast(counted, "float32")
    number = ops.sum(counted if of is None else ops.cast(of, "float32"))
    return ops.sum(values * counted) / ops.maximum(sum_over_replicas([number])[0], 1.0)
