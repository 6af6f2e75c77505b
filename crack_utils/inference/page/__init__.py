"""The page of ``crack-utils serve``: drop photographs, see their cracks outlined and measured, correct, download."""

PORT = 8866  # of the page's address on this machine
MEGABYTES = 100  # [MB] largest photograph that the page takes, if the command does not say otherwise
