"""Drawn pictures of cracked surfaces of many materials, to train networks for real photographs."""

from crack_utils.data.synthetic.surfaces.folder import generate_surfaces
from crack_utils.data.synthetic.surfaces.picture import INGREDIENTS, VERSION, render_surface

__all__ = ["INGREDIENTS", "VERSION", "generate_surfaces", "render_surface"]
