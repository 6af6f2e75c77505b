"""How well the default model finds cracks in photographs, of which it has seen none in its training.

    python -m crack_utils.study.zero_shot

measures it on all photographs of CrackForest, and on those that `study.photographs` keeps for testing alone. It writes
`results/photographs/zero_shot.json`, which the page *Real photographs* reads.
"""

from crack_utils.data import find_pairs, sources
from crack_utils.data.split import split_pairs
from crack_utils.evaluation import native
from crack_utils.models import shipped
from crack_utils.runtime import paths, provenance
from crack_utils.study.photographs import DATA, TEST, VALIDATION

NAME = "results/photographs/zero_shot.json"
DIGITS = 4


def _rounded(found):
    return {name: round(value, DIGITS) for name, value in found.items()}


def main():
    """Measure the default model and write the file."""
    from crack_utils.inference.predictor import load_trained
    from crack_utils.training.run import read_experiment

    trained, experiment = load_trained(shipped.DEFAULT), read_experiment(shipped.PLACE / "experiment.json")
    pairs = find_pairs(*sources.folders(DATA))
    kept = split_pairs(pairs, VALIDATION, TEST, seed=0).test  # as `photographs.split_of_labels`
    rows = {row["name"]: row for row in native.measure_pairs(trained, pairs)}
    values = {
        "data": DATA,
        "model": shipped.DEFAULT,
        "network": trained.digest[:16],
        "threshold": trained.threshold,
        **_rounded(native.summary(rows.values())),
        "test": _rounded(native.summary([rows[pair.name] for pair in kept])),
        "updates": experiment.updates,
        "crops": experiment.updates * experiment.batch,
    }
    provenance.write_json(paths.root() / NAME, values)
    print(values)


if __name__ == "__main__":
    main()
