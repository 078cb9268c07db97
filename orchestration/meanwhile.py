"""Import a module in a thread while the interpreter has nothing to do.

Belongs here: that one function. Does not belong here: which module a step needs.
"""

from importlib import import_module
from threading import Thread


def import_meanwhile(module: str) -> None:
    """Start to import a module that a later step needs; call it before native code takes over.

    scikit-learn takes 2.6 s to import and matplotlib 0.8: a tenth of a run over 26 M ratings.
    """
    Thread(target=import_module, args=(module,), daemon=True).start()
