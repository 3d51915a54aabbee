"""The architecture: which room may know which, and what no room may do."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "napari_mmseg"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: The screen: only `_napari` may know it.
SCREEN = {"napari", "qtpy", "magicgui", "vispy", "superqt", "PyQt5", "PyQt6", "PySide2", "PySide6"}

#: What takes long to load: never while a module is imported, only when a function needs it.
HEAVY = {"torch", "SimpleITK", "openvino", "monai", "highdicom", "sklearn", "dask"}

#: Modules that run code found in a file.
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}

#: Modules that talk to other machines.
NETWORK = {"socket", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "urllib3"}

#: What every room may know, and what knows no room.
NOUNS = {"errors", "grid", "volume", "case", "annotation", "protocol", "cache", "cores"}

#: Which rooms each room may know beside itself and the nouns. Arrows run downward only.
ARROWS: dict[str, set[str]] = {
    "io": set(),
    "preprocess": set(),
    "models": set(),
    "editing": set(),
    "journal": {"editing", "io"},
    "agreement": set(),
    "inference": {"models", "preprocess"},
    "training": {"agreement", "inference", "io", "models", "preprocess"},
    "study": {"agreement", "editing", "io", "journal"},
    "report": {"agreement", "io", "study"},
    "dataset": {"agreement", "io", "journal", "report", "study"},
    "doctor": {"inference", "models"},
}

#: Rooms that know every other.
TOP = {"_napari", "cli", "__init__", "__main__"}


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(module: Path, *, when_loaded: bool = False) -> Iterator[str]:
    """Absolute names that a module imports; only those run at import time if `when_loaded`."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    parts = ("napari_mmseg", *module.relative_to(PACKAGE).parent.parts)
    for node in _run_at_import(tree) if when_loaded else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level + 1] if node.level else ()
            stem = ".".join((*base, *((node.module or "").split(".") if node.module else ())))
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _run_at_import(child)


def known_rooms(module: Path) -> set[str]:
    own = (name.split(".") for name in imports(module) if name.startswith("napari_mmseg."))
    return {parts[1] for parts in own}


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


each_module = pytest.mark.parametrize("module", MODULES, ids=named)


@each_module
def test_only_the_napari_room_knows_the_screen(module):
    if room_of(module) != "_napari":
        assert not {name.split(".")[0] for name in imports(module)} & SCREEN


@each_module
def test_nothing_heavy_is_loaded_at_import(module):
    # A network is made of torch, and whoever asks for one has decided to pay for it.
    if room_of(module) == "training" or "networks" in module.parts:
        return
    loaded = {name.split(".")[0] for name in imports(module, when_loaded=True)}
    assert not loaded & HEAVY


@each_module
def test_nothing_unpickles(module):
    assert not {name.split(".")[0] for name in imports(module)} & UNPICKLERS
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        assert called != "torch.jit.load"
        assert called != "torch.load" or options.get("weights_only") == "True"
        assert options.get("allow_pickle", "False") == "False"


@each_module
def test_nothing_talks_to_the_network(module):
    names = set(imports(module))
    assert not {name.split(".")[0] for name in names} & NETWORK
    assert not {name for name in names if name.startswith(("urllib.request", "http."))}


@each_module
def test_arrows_run_downward(module):
    room = room_of(module)
    if room in TOP:
        return
    allowed = NOUNS | {room, "__version__"} | ARROWS.get(room, set())
    assert not known_rooms(module) - allowed


def test_every_room_has_its_arrows():
    rooms = {room_of(module) for module in MODULES}
    assert not rooms - TOP - NOUNS - set(ARROWS)


def test_every_folder_of_modules_is_a_package():
    # Otherwise a wheel leaves it out, while the same folder works from a clone.
    assert all((module.parent / "__init__.py").is_file() for module in MODULES)


def _loaded_after(statement: str) -> set[str]:
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in json.loads(done.stdout)}


def test_importing_the_package_loads_nothing_heavy():
    loaded = _loaded_after("import napari_mmseg")
    assert not loaded & (SCREEN | HEAVY)
    assert "numpy" not in loaded


def test_the_command_line_and_the_public_names_load_nothing_heavy():
    loaded = _loaded_after(
        "import napari_mmseg, napari_mmseg.cli.app\n"
        "napari_mmseg.open_case, napari_mmseg.segment, napari_mmseg.export\n"
        "napari_mmseg.evaluate, napari_mmseg.read_annotation"
    )
    assert not loaded & (SCREEN | HEAVY | {"rich"})


def test_every_public_name_is_there():
    import napari_mmseg

    for name in napari_mmseg.__all__:
        assert getattr(napari_mmseg, name) is not None
    assert set(napari_mmseg.__all__) <= set(dir(napari_mmseg))


def test_an_unknown_name_is_an_attribute_error():
    import napari_mmseg

    with pytest.raises(AttributeError, match="no attribute 'segmnet'"):
        napari_mmseg.segmnet  # noqa: B018
