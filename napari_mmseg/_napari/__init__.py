"""The only room that knows napari and Qt.

Widgets emit intentions and know no layers; `layers` knows layers; `coordinator` joins the two.
Importing this package imports neither napari nor Qt.
"""
