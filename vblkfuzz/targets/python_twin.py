"""The source of our classes, for checks of a user's class that replaces parts of them.

Those checks read signatures, annotations and code. Methods of a compiled build have none, but the
source lies beside the library.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from types import ModuleType


@cache
def python_twin(owner: type) -> type:
    """Return a class as Python makes it of its source; the class itself if it is not compiled.

    Nothing but its methods and attributes may be looked at: it is another class.
    """
    file = getattr(sys.modules.get(owner.__module__), "__file__", None) or ""
    source = Path(file).parent / f"{owner.__module__.rpartition('.')[2]}.py"
    if not file.endswith(".so") or not source.exists():
        return owner
    module = ModuleType(owner.__module__)
    exec(compile(source.read_bytes(), str(source), "exec", dont_inherit=True), vars(module))
    twin: type = getattr(module, owner.__name__)
    return twin
