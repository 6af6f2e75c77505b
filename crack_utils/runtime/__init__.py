"""Basics for all other folders: paths, atomic files, locks, provenance, hardware, devices. Nothing about cracks."""
