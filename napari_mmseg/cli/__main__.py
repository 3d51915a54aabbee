"""`python -m napari_mmseg.cli`: the command line where the script is not on the path."""

from . import main

main()
