"""The colours of labels: in the editor, in overlays and in the figures of the book (Okabe and Ito, and a yellow)."""

CRACK = "#d55e00"  # the primary crack
SECONDARY = "#56b4e9"  # all other cracks
TIP = "#ffe14d"
