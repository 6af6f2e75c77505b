"""What every room stands on: places, whole files, locks, provenance, hardware, devices. Nothing of cracks."""
