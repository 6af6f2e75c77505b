"""The audit of published numbers: masks that exist are never called impossible; the page's script says the same."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from crack_utils.cli import main
from crack_utils.metrics.masks import Confusion
from crack_utils.runtime import paths
from crack_utils.study import audit
from crack_utils.study.published import TABLE_1

SCRIPT = paths.root() / "book" / "_static" / "audit.js"
HEAD = "name,set,mean_iou,accuracy,loss,loss_name,precision,recall,crack_share\n"


NOTHING_FOUND = "mean_iou,accuracy,precision,recall\n.49,.98,0,0\n0.495,0.99,,"
HARDLY_FOUND = "mean_iou,accuracy,precision\n0.495,0.99,0.5"


def table_1():
    """Return the report's validation numbers as a pasted table."""
    known = ("bce", "focal")
    rows = [
        f"{loss},report,{row['val_miou']:.5f},{row['val_accuracy']:.5f},"
        f"{row['val_loss']:.5f},{loss if loss in known else ''},,,"
        for loss, row in TABLE_1.items()
    ]
    return HEAD + "\n".join(rows)


def of_masks(count=25, seed=0):
    """Return rows of masks that exist, printed with three or four digits, each a set of its own."""
    generator, rows = np.random.default_rng(seed), []
    for number in range(count):
        crack = int(generator.integers(500, 8000))
        missed, false = (int(crack * generator.uniform(0.01, 0.4)) for _ in range(2))
        counts = Confusion(crack - missed, false, missed, 100_000 - crack - false)
        accuracy = (counts.accuracy, counts.mean_class_accuracy)[number % 2]
        cells = [f"{counts.mean_iou:.3f}", f"{accuracy:.4f}", "", ""]
        cells += [f"{counts.precision:.3f}", f"{counts.recall:.3f}", f"{crack / 1e5:.4f}"]
        for place in generator.choice([4, 5, 6], int(generator.integers(0, 4)), replace=False):
            cells[place] = ""
        rows.append(",".join([f"m{number}", f"s{number}", *cells]))
    return HEAD + "\n".join(rows)


class TestReading:
    def test_powers_of_ten_count_as_digits(self):
        (row,) = audit.read_table("mean_iou,loss\n0.8,5e-4\n")
        assert row["loss"] == pytest.approx((0.0005, 0.00005))

    def test_rounding_follows_the_digits(self):
        (row,) = audit.read_table("name\tmean_iou\taccuracy\tloss\nA\t81.3%\t0.9882\t–\n")
        assert row["mean_iou"] == pytest.approx((0.813, 0.0005))
        assert row["accuracy"] == pytest.approx((0.9882, 0.00005))
        assert row["loss"] is None and row["precision"] is None

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("name,accuracy\nA,0.9", "no column mean_iou"),
            ("mean_iou,miou\n0.9,1", "unknown column 'miou'; valid are name"),
            ("mean_iou\n81.3", "line 2, mean_iou: '81.3' must lie between 0 and 1"),
            ("mean_iou\nhigh", "line 2, mean_iou: 'high' is not a number"),
            ("mean_iou,loss\n0,81,0.3", "line 2: more cells than columns"),
            ("mean_iou,loss\n0.8,inf", "'inf' must lie between 0 and 1"),
            ("mean_iou,loss_name\n0.8,dice", "unknown loss_name 'dice'; valid are bce, focal"),
            ("mean_iou,mean_iou\n0.9,0.6", "column mean_iou is there twice"),
            ("name,mean_iou\n", "no row below the column names"),
            ("mean_iou\n1.7\nabc", "line 2, mean_iou: '1.7' must .*; line 3, mean_iou: 'abc' is not a number"),
        ],
    )
    def test_what_is_no_table_is_refused(self, text, message):
        with pytest.raises(ValueError, match=message):
            audit.read_table(text)


class TestVerdicts:
    def test_masks_that_exist_are_never_impossible(self):
        for found in audit.audit(audit.read_table(of_masks(count=6))):
            assert found["verdict"] in (audit.CONSISTENT, audit.STRAINED), found

    def test_the_report(self):
        found = {row["name"]: row for row in audit.audit(audit.read_table(table_1()))}
        assert found["focal"]["verdict"] == audit.STRAINED and found["focal"]["area_ratio"][0] > 5
        assert {found[loss]["verdict"] for loss in ("bce", "dice", "tversky")} == {audit.CONSISTENT}
        cast, both = audit.READINGS["cast, mean class"], audit.READINGS["global"]
        assert all(cast in row["fits"] and both not in row["fits"] for row in found.values())
        assert audit.READINGS["cast, global"] not in found["bce"]["fits"]

    def test_by_hand(self):
        # tp 30, fp 10, fn 10 of 1,000: IoUs 0.6 and 950 / 970, precision and recall 3/4, crack share 0.04.
        text = "mean_iou,precision,recall,crack_share\n0.78969,0.75,0.75,0.04\n0.78969,0.75,0.75,0.20"
        right, wrong = audit.audit(audit.read_table(text.replace("0.20", "0.20000")))
        assert right["verdict"] == audit.CONSISTENT and wrong["verdict"] == audit.IMPOSSIBLE
        low, high = right["crack_share"]
        assert low <= 0.04 <= high

    def test_three_times_the_crack_is_strained(self):
        # tp 10, fp 20, fn 0 of 1,000: IoUs 1/3 and 970 / 990.
        mean_iou = (1 / 3 + 970 / 990) / 2
        text = f"mean_iou,accuracy,recall,crack_share\n{mean_iou:.5f},0.98000,1.000,0.0100"
        (found,) = audit.audit(audit.read_table(text))
        assert found["verdict"] == audit.STRAINED and found["area_ratio"] == pytest.approx((3, 3), abs=0.06)

    def test_rows_of_one_set_must_share_its_crack(self):
        shares = [Confusion(tp, 100, 100, 9800 - tp) for tp in (200, 2000)]
        rows = "\n".join(f"same,{each.mean_iou:.5f},{each.accuracy:.5f}" for each in shares)
        together = audit.audit(audit.read_table("set,mean_iou,accuracy\n" + rows))
        assert all(audit.READINGS["global"] not in found["fits"] for found in together)
        apart = audit.audit(audit.read_table("set,mean_iou,accuracy\n" + rows.replace("same", "a", 1)))
        assert all(audit.READINGS["global"] in found["fits"] for found in apart)

    def test_a_network_that_finds_nothing_can_be_true(self):
        for found in audit.audit(audit.read_table(NOTHING_FOUND)):
            assert found["verdict"] == audit.CONSISTENT and 0 <= found["area_ratio"][0] < 0.001

    def test_too_few_numbers(self):
        (found,) = audit.audit(audit.read_table("mean_iou\n0.8"))
        assert found["verdict"] == audit.TOO_FEW


def test_the_page_says_the_same():
    node = shutil.which("node")
    if not node:
        pytest.skip("needs node, which runs the page's script outside a browser")
    program = (
        f"const audit = require({json.dumps(str(SCRIPT))});"
        "const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(texts.map((text) => audit.audit(audit.readTable(text)))));"
    )
    texts = [
        table_1(),
        of_masks(count=6),
        "mean_iou,precision,recall\n0.79,0.75,0.75\n0.9,,\n0.6,0.9,0.9",
        NOTHING_FOUND,
        HARDLY_FOUND,
    ]
    run = subprocess.run([node, "-e", program], input=json.dumps(texts), capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    for text, answers in zip(texts, json.loads(run.stdout), strict=True):
        for own, other in zip(audit.audit(audit.read_table(text)), answers, strict=True):
            assert (own["name"], own["verdict"], own["fits"]) == (other["name"], other["verdict"], other["fits"])
            for quantity in ("crack_share", "area_ratio"):
                assert (own[quantity] is None) == (other[quantity] is None)
                if own[quantity]:
                    assert own[quantity] == pytest.approx(other[quantity], abs=1e-9)


def test_the_page_opens_with_the_report():
    page = (paths.root() / "book" / "audit.md").read_text(encoding="utf-8")
    pasted = page.partition('spellcheck="false">\n')[2].partition("</textarea>")[0]
    for row, published in zip(audit.read_table(pasted), TABLE_1.values(), strict=True):
        assert row["mean_iou"][0] == pytest.approx(published["val_miou"], abs=1e-5)
        assert row["accuracy"][0] == published["val_accuracy"]
        assert row["loss"] is None or row["loss"][0] == published["val_loss"]


def test_from_a_shell(tmp_path, capsys):
    file, picture = tmp_path / "published.csv", tmp_path / "region.png"
    file.write_text(table_1(), encoding="utf-8")
    assert main.main(["audit", str(file), "--plot", str(picture)]) == 0
    printed = capsys.readouterr().out
    assert "focal: strained" in printed and picture.stat().st_size > 10_000
    file.write_text("mean_iou\nx", encoding="utf-8")
    assert main.main(["audit", str(file)]) == 1
    assert "published.csv: line 2, mean_iou: 'x' is not a number" in capsys.readouterr().err
