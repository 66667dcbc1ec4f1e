"""Hook of PyInstaller: collects vblkfuzz as source, and the modules that it finds by a search."""

from pkgutil import iter_modules

from vblkfuzz.dataplane import defects
from vblkfuzz.oracle import rules

module_collection_mode = "py"
hiddenimports = [
    f"{package.__name__}.{module.name}"
    for package in (defects, rules)
    for module in iter_modules(package.__path__)
]
