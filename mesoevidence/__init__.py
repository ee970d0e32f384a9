"""Record study claims with their evidence as plain text, check them, pool them, judge them and draw them.

>>> import mesoevidence as me
>>> evidence = me.load()
>>> evidence.table("claims").columns[0]
'id'
"""

import lazy_loader

# What `__init__.pyi` names is imported when first asked for: `check` needs neither pandas nor matplotlib.
_load, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["NOTICE", "__version__"]


def __getattr__(name: str) -> object:
    """Return a public name, imported now; say what there is where there is no such name."""
    if name not in __all__:
        raise AttributeError(f"mesoevidence has no {name!r}; it has {', '.join(sorted(__all__))}")
    return _load(name)


def __dir__() -> list[str]:
    return sorted(__all__)


__version__ = "0.1.0"

NOTICE = (
    "Not medical advice. Not a systematic review: no protocol, no exhaustive search. Records were drafted by "
    "the project, mostly from abstracts, and have not been reviewed by a domain expert. No funding, and no "
    "interest in any treatment or product."
)
