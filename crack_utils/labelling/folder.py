"""A folder of photographs with labels; when all are labelled, it is a data set for training.

``images/`` contains the photographs. Labelling adds ``recipes/<name>.json``, the resulting ``masks/<name>.png`` and
``parts/<name>.png``, and a row of ``metadata.csv`` with the tip.
"""

import math
import unicodedata
from functools import cached_property
from pathlib import Path

from crack_utils.data.digests import common_bits
from crack_utils.data.images import SUFFIXES, read_image
from crack_utils.data.metadata import METADATA, read_table, with_row
from crack_utils.data.names import normal, printable, problem_of
from crack_utils.data.pairs import refuse
from crack_utils.data.stored import DataError
from crack_utils.geometry.arguments import check_position, check_scale
from crack_utils.labelling.arrays import as_mask
from crack_utils.labelling.files import encode_mask, encode_parts, read_digest, read_photo
from crack_utils.labelling.recipe import Recipe
from crack_utils.labelling.steps import RecipeError
from crack_utils.runtime.atomic import write_together

KEEP = object()  # leaves the value in `metadata.csv` unchanged


class LabelFolder:
    """The photographs of a folder, with their recipes, masks and tips.

    Parameters
    ----------
    path : path-like
        Contains ``images/``.

    Raises
    ------
    DataError
        If there is no ``images/``, no picture in it, or two with the same stem.
    """

    def __init__(self, path):
        self.path = Path(path)
        images = self.path / "images"
        if not images.is_dir():
            raise DataError(f"{self.path}: no folder images/; put the photographs to label there")
        self.images, self._sizes = {}, {}  # sizes of the photographs that were read
        for file in sorted(images.iterdir()):
            if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
                continue
            if (other := self.images.setdefault(normal(file.stem), file)) is not file:
                raise DataError(f"{printable(file)}: {other.name} has the same name")
        if not self.images:
            raise DataError(f"{images}: no picture ({', '.join(SUFFIXES)})")

    @property
    def names(self):
        """The names of the photographs, without file endings, in order."""
        return list(self.images)

    def recipe_path(self, name):
        """Return the path of a photograph's recipe, existing or not."""
        return self.path / "recipes" / f"{self.images[self._known(name)].stem}.json"

    def mask_path(self, name):
        """Return the path of a photograph's mask, existing or not: a PNG file, unless another tool made a mask."""
        name = self._known(name)
        ours = self.path / "masks" / f"{self.images[name].stem}.png"
        stems = dict.fromkeys([ours.stem, name, unicodedata.normalize("NFD", name)])  # a Mac writes ü as u and ¨
        endings = [spelt for suffix in SUFFIXES for spelt in (suffix, suffix.upper(), suffix.title())]
        others = (ours.with_name(stem + ending) for stem in stems for ending in endings)
        return ours if ours.exists() else next((file for file in others if file.exists()), ours)

    def check_table(self):
        """Raise a `DataError` before any work if a row of ``metadata.csv`` would be lost."""
        self._metadata()

    def photo(self, name):
        """Read a photograph; see `read_photo`.

        Raises
        ------
        DataError
            If the photograph cannot be used.
        """
        file = self.images[self._known(name)]
        if problem := problem_of(file):
            raise DataError(f"{printable(file)}: {problem}")
        image = read_photo(file)
        self._sizes[name] = image.shape[:2]
        return image

    def gray(self, name):
        """Read a photograph as a network sees it: float32 (H, W) in [0, 1]."""
        return read_image(self.images[self._known(name)], self._bits)

    @cached_property
    def _bits(self):
        return common_bits(self.images.values())

    def recipe(self, name):
        """Read the recipe of a photograph; return an empty one if there is none yet.

        Raises
        ------
        RecipeError
            If the file is damaged. The file is not changed.
        """
        path = self.recipe_path(name)
        return Recipe.load(path) if path.exists() else Recipe()

    def tip(self, name):
        """Return the labelled tip of a photograph as (row, column) [px]; None if there is none."""
        return self._point(name, "tip")

    def second_tip(self, name):
        """Return the labelled second tip of a photograph as (row, column) [px]; None if there is none."""
        return self._point(name, "tip2")

    def scale(self, name):
        """Return the scale of a photograph [mm/px]; None if it is not known."""
        text = self._metadata()[1].get(self._known(name), {}).get("mm_per_px")
        return float(text) if text and _is_number(text) and float(text) > 0 else None

    def _point(self, name, which):
        row = self._metadata()[1].get(self._known(name), {})
        texts = row.get(f"{which}_row"), row.get(f"{which}_column")
        if not all(texts):
            return None
        if not all(map(_is_number, texts)):
            tip = ", ".join(map(repr, texts))
            raise DataError(f"{self.path / 'metadata.csv'}: the tip of {name!r} must be two numbers, not {tip}")
        return tuple(map(float, texts))

    def save(self, name, recipe, labels, tip=KEEP, tip2=KEEP, mm_per_px=KEEP):
        """Write recipe, mask, parts, tips and scale of a photograph, atomically: all of them or none.

        Parameters
        ----------
        name : str
        recipe : Recipe
        labels : Labels
            The result of the recipe on the photograph.
        tip, tip2 : (row, column) [px], optional
            None removes a tip; without a first tip the second is removed too. By default both stay unchanged.
        mm_per_px : float, optional

        Raises
        ------
        DataError
            If there is a mask without a recipe, because it would be lost.
        ValueError
            If the labels have another size, a tip lies outside the photograph, or the scale is not above 0.
        OSError
            If a file cannot be written; all files are then unchanged.
        """
        self._refuse_foreign(name)
        size = self._sizes.get(name) or self.photo(name).shape[:2]
        for part in (labels.primary, labels.secondary):
            if as_mask(part).shape != size:
                raise ValueError(f"labels of {part.shape} do not fit {name!r} of {size} px")
        _check_points(size, tip=tip, tip2=tip2)
        if mm_per_px is not KEEP:
            check_scale(mm_per_px)
        write_together(
            {
                self.recipe_path(name): recipe.to_json().encode(),
                self.path / "metadata.csv": self._metadata_with(name, tip, tip2, mm_per_px).encode(),
                **self._pictures(name, recipe, labels),
            }
        )

    def save_draft(self, name, recipe):
        """Write the recipe that a network has drafted; there is no mask until a person has checked the draft.

        Raises
        ------
        DataError
            If there is a recipe or a mask already.
        """
        if self.state(name) != "new":
            raise DataError(f"{self.recipe_path(name)}: {name!r} has a recipe or a mask already")
        recipe.save(self.recipe_path(name))

    def replay(self, name):
        """Make the mask and the parts of a photograph again from its recipe.

        Returns
        -------
        str
            "made" if there was no mask, "unchanged" if both files already have the same bytes, else "changed"; "draft"
            if the recipe is a draft that nobody has checked, so that no mask is made.

        Raises
        ------
        RecipeError
            If there is no recipe, or it cannot be used.
        DataError
            If there is a mask without a recipe.
        """
        path = self.recipe_path(name)
        if not path.exists():
            raise RecipeError(f"{path}: no such file")
        self._refuse_foreign(name)
        recipe = Recipe.load(path)
        if self.state(name) == "draft":
            return "draft"
        try:
            labels = recipe.apply(self.photo(name))
        except RecipeError as error:
            raise RecipeError(f"{path}: {error}") from error
        pictures = self._pictures(name, recipe, labels)
        before = [file.read_bytes() if file.exists() else None for file in pictures]
        if before == list(pictures.values()):
            return "unchanged"
        write_together(pictures)
        return "made" if before[-1] is None else "changed"

    def state(self, name):
        """Return the state of a photograph.

        Returns
        -------
        str
            "labelled"; "stale" if its mask differs from the result of its recipe; "new" without mask and recipe;
            "draft" with a network's draft that nobody has corrected or saved; "foreign" with a mask from another tool.
        """
        recipe, mask = self.recipe_path(name), self.mask_path(name)
        if mask.suffix != ".png":
            return "foreign"  # also with a recipe, because recipes write PNG files
        if not recipe.exists():
            return "foreign" if mask.exists() else "new"
        try:
            steps = Recipe.load(recipe)
        except RecipeError:
            return "stale"
        if mask.exists():
            return "labelled" if read_digest(mask) == steps.digest else "stale"
        return "draft" if len(steps) and all(step.tool == "draft" for step in steps.steps) else "stale"

    def _refuse_foreign(self, name):
        if self.state(name) == "foreign":
            raise DataError(f"{self.mask_path(name)}: made without a recipe; move it away to label this photograph")

    def _known(self, name):
        if name not in self.images:
            raise DataError(f"{self.path}/images: no photograph {name!r}; there are {', '.join(self.images)}")
        return name

    def _pictures(self, name, recipe, labels):
        """Return the contents of the files of parts and mask by path; the mask is last, as `state` depends on it."""
        return {
            self.path / "parts" / f"{self.images[name].stem}.png": encode_parts(labels.parts, recipe.digest),
            self.mask_path(name): encode_mask(labels.mask, recipe.digest),
        }

    def _metadata(self):
        """Return the columns of ``metadata.csv`` and its rows by name; raise an error for rows that cannot be kept."""
        path = self.path / "metadata.csv"
        table = read_table(path)
        refuse([(path, problem) for problem in table.problems])
        return list(table.columns or METADATA), table.rows

    def _metadata_with(self, name, tip, tip2, mm_per_px):
        """Return the text of ``metadata.csv`` with tips and scale of one photograph set; nothing else changes."""
        columns, rows = self._metadata()
        new = _point_fields("tip", tip) | _point_fields("tip2", None if tip is None else tip2)
        if mm_per_px is not KEEP:
            new["mm_per_px"] = "" if mm_per_px is None else f"{mm_per_px:.8g}"
        if name not in rows and "source" in columns:
            new["source"] = self.path.name
        return with_row(columns, rows, name, new)


def _check_points(size, **points):
    """Raise a ValueError for tips that are not inside a photograph of this size."""
    for name, point in points.items():
        if point is KEEP or point is None:
            continue
        position = check_position(name, point)
        if not all(-0.5 <= value <= side - 0.5 for value, side in zip(position, size, strict=True)):
            raise ValueError(f"{name}={tuple(point)}: outside the photograph of {size[0]}×{size[1]} px")


def _point_fields(which, point):
    """Return the two fields of a point in `metadata.csv`; none if it stays as it is."""
    if point is KEEP:
        return {}
    texts = ("", "") if point is None else (f"{value:.2f}" for value in point)
    return dict(zip((f"{which}_row", f"{which}_column"), texts, strict=True))


def _is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
