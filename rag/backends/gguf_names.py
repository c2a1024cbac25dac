"""What the name of a GGUF model says: which model it is, how its weights are quantised, and the type of its mmproj.

Knows names only; opens no file. The mmproj is the second GGUF of a model that sees, with its vision tower. `rag serve` writes its
type into the served name (`NAME-Q8_0+mmproj-F16`), because llama.cpp itself tells it nobody.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from rag.backends.families import model_name

UNKNOWN = "unknown"
_SUFFIX = ".gguf"
_MMPROJ = "+mmproj-"
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")  # one of the files of a model in several
_TYPE = re.compile(r"[-_.]((?:UD-)?(?:I?Q\d\w*|TQ\d_\d|B?F16|F32|MXFP4\w*))$", re.IGNORECASE)


def is_gguf(model: str) -> bool:
    """Whether a name is that of a GGUF model: a file, or a name with the type of its weights at the end (`…-Q8_0`)."""
    return model.lower().endswith(_SUFFIX) or _MMPROJ in model or bool(_TYPE.search(stem_of(model)))


def stem_of(model: str) -> str:
    """The name of a GGUF model without folder, `.gguf`, number of the file, and mmproj. Other names keep their last part."""
    name = PurePath(model.replace("\\", "/")).name.partition(_MMPROJ)[0]
    if name.lower().endswith(_SUFFIX):
        name = name[: -len(_SUFFIX)]
    return _SHARD.sub("", name)


def is_same(one: str, other: str) -> bool:
    """Whether two names are those of one model, however each was given: a file, a folder, a served name, a name on a hub."""
    if is_gguf(one) and is_gguf(other):
        return stem_of(one) == stem_of(other)
    return model_name(one) == model_name(other)


def quantisation_in(model: str) -> str:
    """The type of the weights in a name, such as Q8_0; "" if it names none."""
    found = _TYPE.search(stem_of(model))
    return found[1].upper() if found else ""


def mmproj_in(model: str) -> str:
    """The type of the mmproj that a served name states; "" if it states none."""
    return model.partition(_MMPROJ)[2]


def served_name(stem: str, mmproj: str) -> str:
    """The name under which `rag serve` serves a model. `mmproj`: the type of its mmproj; "" for a model without one."""
    return f"{stem}{_MMPROJ}{mmproj}" if mmproj else stem


def revision_of(quantisation: str, mmproj: str, *, sees: bool) -> str:
    """What a fingerprint holds of them: vectors of differently quantised weights or vision towers are not the same vectors."""
    shown = f", mmproj {mmproj or UNKNOWN}" if sees else ""
    return f"GGUF {quantisation or UNKNOWN}{shown}"
