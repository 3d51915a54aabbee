"""Which files make the package: the sample case lies beside it and travels inside it."""

from setuptools import find_packages, setup

DATA = ["napari.yaml", "py.typed", "protocols/*.toml", "models/weights/*/*", "models/weights/*/*/*"]

setup(
    packages=[
        *find_packages(include=["napari_mmseg", "napari_mmseg.*"]),
        "napari_mmseg.sample_data",
    ],
    package_dir={"napari_mmseg.sample_data": "sample_data"},
    package_data={"napari_mmseg": DATA, "napari_mmseg.sample_data": ["*/*"]},
)
