"""What pyproject.toml cannot say: the sample case lies beside the package and travels inside it."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["napari_mmseg", "napari_mmseg.*"]), "napari_mmseg.sample_data"],
    package_dir={"napari_mmseg.sample_data": "sample_data"},
    package_data={"napari_mmseg.sample_data": ["*/*"]},
)
