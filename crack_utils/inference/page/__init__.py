"""The page of ``crack-utils serve``: drop photographs, see their cracks outlined and measured, correct, download."""
