"""The parts of Mask R-CNN against plain NumPy implementations and hand-computed values."""

import numpy as np
import pytest
import tensorflow as tf

from crack_utils.models.mask_rcnn import anchors, boxes, instances, network, roi_align, targets
from tests.helpers.boxes import chosen, mask_ceiling, plain_iou, random_boxes


class TestInstances:
    MASK = np.zeros((12, 20), bool)
    MASK[1:3, 1:3] = MASK[3, 3] = True  # five pixels, the last one touches at a corner
    MASK[8, 10:19] = True  # nine

    def test_cracks_are_numbered_the_largest_first(self):
        ids, found, valid = instances.label(self.MASK, most=3)
        assert (ids[8, 10:19] == 1).all() and (ids[[1, 2, 3], [1, 2, 3]] == 2).all()
        assert np.bincount(ids.ravel()).tolist() == [240 - 14, 9, 5]
        np.testing.assert_array_equal(found, [[6, 8, 11, 20], [0, 0, 6, 6], [0, 0, 0, 0]])  # cut at the border
        assert valid.tolist() == [True, True, False]

    def test_the_smallest_are_left_out(self):
        ids, found, valid = instances.label(self.MASK, most=1)
        assert set(ids.ravel()) == {0, 1} and found.shape == (1, 4) and valid.all()
        assert (ids[:4] == 0).all()

    def test_no_crack(self):
        ids, found, valid = instances.label(np.zeros((4, 5)), most=2)
        assert not ids.any() and not found.any() and not valid.any()

    def test_the_cells_of_a_mask_set_a_ceiling(self):
        mask = np.zeros((104, 104))
        mask[2:102, 2:102][np.eye(100, dtype=bool)] = 1  # a diagonal, one pixel thin; its box is the whole picture
        assert mask_ceiling(mask, 104) == 1  # a cell is a pixel
        assert mask_ceiling(mask, 26) == 0  # a cell is 4×4 pixels, of which the crack takes 4 at most
        assert mask_ceiling(np.zeros((20, 20)), 28) == 1


class TestBoxes:
    def test_iou_by_hand(self):
        one, others = [[[0.0, 0, 4, 4]]], [[[0.0, 0, 4, 4], [2, 2, 6, 6], [4, 0, 8, 4], [1, 1, 2, 3], [0, 0, 0, 0]]]
        np.testing.assert_allclose(boxes.iou(tf.constant(one), tf.constant(others))[0, 0], [1, 4 / 28, 0, 2 / 16, 0])

    def test_iou_equals_a_plain_one(self):
        first, second = random_boxes(2, 5), random_boxes(2, 7, seed=1)
        plain = [[[plain_iou(a, b) for b in bs] for a in each] for each, bs in zip(first, second, strict=True)]
        np.testing.assert_allclose(boxes.iou(tf.constant(first), tf.constant(second)), plain, rtol=1e-5)

    def test_corrections_by_hand(self):
        anchor, box = tf.constant([[0.0, 0, 4, 8]]), tf.constant([[1.0, 0, 9, 4]])
        expected = [(5 - 2) / 4, (2 - 4) / 8, np.log(2), np.log(0.5)]
        np.testing.assert_allclose(boxes.encode(box, anchor), [expected], rtol=1e-6)
        np.testing.assert_allclose(
            boxes.encode(box, anchor, (0.1, 0.1, 0.2, 0.2)), [np.array(expected) * [10, 10, 5, 5]], rtol=1e-6
        )

    def test_decode_is_the_inverse_and_cannot_overflow(self):
        anchor, box = random_boxes(3, 9), random_boxes(3, 9, seed=1)
        for spread in [(1.0, 1.0, 1.0, 1.0), network.SPREAD]:
            again = boxes.decode(boxes.encode(tf.constant(box), tf.constant(anchor), spread), anchor, spread)
            np.testing.assert_allclose(again, box, atol=1e-3)
        wild = boxes.decode(tf.fill((1, 4), 1000.0), tf.constant([[0.0, 0, 16, 16]]))
        assert np.isfinite(wild).all()

    def test_clip(self):
        clipped = boxes.clip(tf.constant([[-3.0, 2, 50, 9], [1, 1, 2, 30]]), 40, 20)
        np.testing.assert_array_equal(clipped, [[0, 2, 40, 9], [1, 1, 2, 20]])


class TestSuppression:
    @staticmethod
    def plain(all_boxes, scores, threshold, count):
        kept = []
        for number in np.argsort(-scores, kind="stable"):
            if scores[number] >= 0 and all(plain_iou(all_boxes[number], all_boxes[k]) <= threshold for k in kept):
                kept.append(number)
        return kept[:count]

    @pytest.mark.parametrize("threshold", [0.1, 0.3, 0.6])
    @pytest.mark.parametrize("count", [4, 40])
    def test_equals_the_greedy_way(self, threshold, count):
        all_boxes = random_boxes(3, 40, side=30)
        scores = np.random.default_rng(1).uniform(-0.3, 1, (3, 40)).astype(np.float32)
        function = tf.function(boxes.non_maximum_suppression)
        indices, valid = map(np.asarray, function(tf.constant(all_boxes), tf.constant(scores), threshold, count))
        for each in range(3):
            assert indices[each][valid[each]].tolist() == self.plain(all_boxes[each], scores[each], threshold, count)
            assert (np.diff(valid[each].astype(int)) <= 0).all()  # what is there comes first

    def test_a_box_that_is_suppressed_suppresses_none(self):
        chain = np.float32([[[0, step, 10, 10 + step] for step in (0, 4, 8, 12)]])  # neighbours overlap by 6/14
        scores = np.float32([[0.9, 0.8, 0.7, 0.6]])
        indices, valid = boxes.non_maximum_suppression(tf.constant(chain), tf.constant(scores), 0.4, 4)
        assert np.asarray(indices)[0, :2].tolist() == [0, 2] and np.asarray(valid).tolist() == [
            [True, True, False, False]
        ]


class TestAnchors:
    def test_number_and_first_ones(self):
        found = np.asarray(anchors.anchors(64, 96))
        places = 16 * 24 + 8 * 12 + 4 * 6 + 2 * 3 + 1 * 2
        assert found.shape == (5 * places, 4)
        np.testing.assert_allclose(found[0], [2 - 4, 2 - 16, 2 + 4, 2 + 16])  # 8×32 around (2, 2)
        np.testing.assert_allclose(found[2], [2 - 8, 2 - 8, 2 + 8, 2 + 8])
        np.testing.assert_allclose(found[5 * 24 + 4], [6 - 16, 2 - 4, 6 + 16, 2 + 4])  # the second row of places
        np.testing.assert_allclose(found[-3], [32 - 128, 96 - 128, 32 + 128, 96 + 128])


class TestRoIAlign:
    @staticmethod
    def plain(features, box, bins, samples):
        """One point after the other, of its four neighbours."""
        height, width, channels = features.shape
        found = np.zeros((bins, bins, channels))
        for row, column, i, j in np.ndindex(bins, bins, samples, samples):
            y = box[0] + (row + (i + 0.5) / samples) * (box[2] - box[0]) / bins - 0.5
            x = box[1] + (column + (j + 0.5) / samples) * (box[3] - box[1]) / bins - 0.5
            y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
            above = features[y0, x0] * (x0 + 1 - x) + features[y0, x1] * (x - x0)
            below = features[y1, x0] * (x0 + 1 - x) + features[y1, x1] * (x - x0)
            found[row, column] += (above * (y0 + 1 - y) + below * (y - y0)) / samples**2
        return found

    @pytest.mark.parametrize("samples", [1, 2, 3])
    def test_equals_a_plain_one(self, samples):
        features = np.random.default_rng(0).random((2, 9, 13, 3)).astype(np.float32)
        where = random_boxes(2, 4, side=11) - 2  # some reach beyond the map
        found = roi_align.roi_align(tf.constant(features), tf.constant(where), 4, samples)
        plain = [[self.plain(f, box, 4, samples) for box in each] for f, each in zip(features, where, strict=True)]
        np.testing.assert_allclose(found, plain, atol=1e-5)

    def test_a_slope_is_cut_exactly(self):
        slope = np.float32(np.add.outer(2 * np.arange(10), np.arange(12)))[None, ..., None]
        cut = roi_align.roi_align(tf.constant(slope), tf.constant([[[1.5, 2.0, 7.5, 8.0]]]), 3)[0, 0, ..., 0]
        centres = np.array([2.5, 4.5, 6.5]) - 0.5, np.array([3.0, 5, 7]) - 0.5
        np.testing.assert_allclose(cut, np.add.outer(2 * centres[0], centres[1]), atol=1e-5)

    def test_boxes_go_to_the_level_of_their_size(self):
        sides = tf.constant([[[0.0, 0, side, side] for side in (10, 56, 111, 112, 223, 224, 448, 2000)]])
        assert roi_align.level_of(sides, (4, 8, 16, 32))[0].numpy().tolist() == [0, 0, 0, 1, 1, 2, 3, 3]
        levels = [tf.fill((1, 512 // stride, 512 // stride, 1), float(stride)) for stride in (4, 8, 16, 32)]
        cuts = roi_align.pyramid_align(levels, (4, 8, 16, 32), sides[:, :-1], 2)
        np.testing.assert_allclose(cuts[0, :, 0, 0, 0], [4, 4, 4, 8, 8, 16, 32], rtol=1e-5)
        np.testing.assert_allclose(cuts[0, :, 1, 1, 0], [4, 4, 4, 8, 8, 16, 32], rtol=1e-5)

    def test_cells_are_shares_of_crack(self):
        mask = np.zeros((1, 1, 6, 8), np.float32)
        mask[0, 0, 1, 2:6] = 1
        cells = roi_align.crop_masks(tf.constant(mask), tf.constant([[[0.0, 1, 4, 7]]]), 2)
        np.testing.assert_allclose(cells[0, 0], [[2 / 6, 2 / 6], [0, 0]], atol=1e-6)
        fine = roi_align.crop_masks(tf.constant(mask), tf.constant([[[0.0, 0, 6, 8]]]), 24)
        assert np.sum(fine) * (6 / 24) * (8 / 24) == pytest.approx(4, rel=1e-5)

    def test_what_is_pasted_is_where_it_was(self):
        mask = np.random.default_rng(0).integers(0, 2, (1, 1, 8, 8)).astype(np.float32)
        box = tf.constant([[[3.0, 2, 11, 10]]])
        pasted = np.array(roi_align.paste_masks(tf.constant(mask), box, 16, 12))[0, 0]
        np.testing.assert_allclose(pasted[3:11, 2:10], mask[0, 0], atol=1e-6)
        pasted[3:11, 2:10] = 0
        assert not pasted.any()


class TestTargets:
    BOXES = np.float32([[[10, 10, 30, 20], [0, 0, 0, 0]], [[5, 5, 9, 40], [30, 30, 50, 50]]])
    VALID = np.array([[True, False], [True, True]])

    @staticmethod
    def plain(sort, candidates, priority, count, share):
        """Choose one after the other; `sort` says of each candidate crack, background or neither (None)."""
        kinds = [sort(number) for number in range(len(candidates))]
        by_chance = np.argsort(-priority, kind="stable")
        cracks = [number for number in by_chance if kinds[number] is True][: int(count * share)]
        return cracks, [number for number in by_chance if kinds[number] is False][: count - len(cracks)]

    @pytest.mark.parametrize(("count", "share"), [(16, 0.5), (8, 0.25), (64, 0.5)])
    def test_anchors_equal_a_plain_choice(self, count, share):
        candidates = np.concatenate([random_boxes(100), np.float32([[11, 10, 30, 20], [10, 11, 30, 20]])])
        priority = np.random.default_rng(1).random((2, 102)).astype(np.float32)
        arrays = map(tf.constant, (candidates, self.BOXES, self.VALID, priority))
        sample = targets.sample_anchors(*arrays, count, share)
        for each in range(2):
            true = self.BOXES[each][self.VALID[each]]
            overlap = np.array([[plain_iou(candidate, box) for box in true] for candidate in candidates])

            def sort(number, overlap=overlap):
                if overlap[number].max() >= 0.7 or (overlap[number] == overlap.max(axis=0)).any():
                    return True
                return False if overlap[number].max() < 0.3 else None

            cracks, others = self.plain(sort, candidates, priority[each], count, share)
            found = chosen(sample, each)
            assert found == (cracks, others, overlap[cracks].argmax(axis=1).tolist())
            assert len(cracks) >= 1

    def test_proposals_equal_a_plain_choice(self):
        proposals = np.stack([random_boxes(40), random_boxes(40, seed=1)])
        proposals[:, :4] = self.BOXES[:, [0, 1, 0, 1]] + np.float32([0, 0, 1, 2])
        there = np.random.default_rng(2).random((2, 40)) < 0.8
        priority = np.random.default_rng(1).random((2, 40)).astype(np.float32)
        sample = targets.sample_proposals(*map(tf.constant, (proposals, there, self.BOXES, self.VALID, priority)), 10)
        for each in range(2):
            true = self.BOXES[each][self.VALID[each]]
            overlap = np.array([[plain_iou(proposal, box) for box in true] for proposal in proposals[each]])

            def sort(number, each=each, overlap=overlap):
                return bool(overlap[number].max() >= 0.5) if there[each, number] else None

            cracks, others = self.plain(sort, proposals[each], priority[each], 10, 0.5)
            assert chosen(sample, each) == (cracks, others, overlap[cracks].argmax(axis=1).tolist())

    def test_without_a_crack_all_is_background(self):
        nothing = tf.zeros((1, 3, 4)), tf.zeros((1, 3), bool)
        sample = targets.sample_anchors(tf.constant(random_boxes(20)), *nothing, tf.random.uniform((1, 20)), 8)
        assert np.asarray(sample.valid).tolist() == [[False] * 4 + [True] * 8]
