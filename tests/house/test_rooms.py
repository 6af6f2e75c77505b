"""The plan of the house: thirteen rooms, each using only rooms below it, and no circle among modules."""

import ast
import graphlib

import crack_utils
from crack_utils.runtime import paths

# From top to bottom: a room may use what stands after it.
ROOMS = ("cli", "report", "study", "evaluation", "inference", "training", "labelling", "losses", "models", "data")
ROOMS += ("runtime", "metrics", "geometry")
ALLOWED = {"crack_utils.runtime.imports": {"crack_utils"}}  # it reads the list of public names, and loads none
PACKAGE = paths.package()
FILES = {file for file in PACKAGE.rglob("*.py") if file.parent != PACKAGE}


def module_name(file):
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in FILES}


def imported(file, everywhere=True):
    """Return the modules of this package that a file imports, inside functions too or at its top level only."""
    package = module_name(file).split(".") if file.name == "__init__.py" else module_name(file).split(".")[:-1]
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names}
    return {name for name in names if name.split(".")[0] == "crack_utils"}


def test_no_module_lies_beside_the_rooms():
    assert sorted(path.name for path in PACKAGE.glob("*.py")) == ["__init__.py"]
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ROOMS)


def test_a_room_uses_only_rooms_below_it():
    wrong = []
    for file in sorted(FILES):
        room = file.relative_to(PACKAGE).parts[0]
        for name in imported(file) - ALLOWED.get(module_name(file), set()):
            parts = name.split(".")
            if len(parts) < 2:  # the package itself: its public names lead to every room
                wrong.append(f"{module_name(file)} imports public names of the package; name the room")
            elif ROOMS.index(parts[1]) < ROOMS.index(room):
                wrong.append(f"{module_name(file)} imports {name}, which stands above it")
    assert not wrong


def test_no_circle():
    graph = {name: imported(file, everywhere=False) & MODULES.keys() - {name} for name, file in MODULES.items()}
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError with the circle in it


def test_public_names_can_be_imported():
    for name in crack_utils.__all__:
        assert callable(getattr(crack_utils, name))


def test_tests_follow_the_same_tree():
    tests = paths.root() / "tests"
    loose = {file.name for file in tests.glob("*.py")}
    folders = {path.name for path in tests.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert loose == {"conftest.py"} and folders <= {*ROOMS, "helpers", "house", "benchmarks", "slurm"}
