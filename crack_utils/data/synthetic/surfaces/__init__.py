"""Surfaces: drawn cracks on drawn textures, to teach a network real photographs of surfaces that it has never seen."""

from crack_utils.data.synthetic.surfaces.folder import generate_surfaces
from crack_utils.data.synthetic.surfaces.picture import INGREDIENTS, VERSION, render_surface

__all__ = ["INGREDIENTS", "VERSION", "generate_surfaces", "render_surface"]
