"""What docs/models.md shows as a manifest is one."""

import re
from pathlib import Path

from pgduet.encoding.architecture import DECODERS, ENCODERS
from pgduet.encoding.manifest import parse_manifest
from pgduet.encoding.sources import FolderSource, HubSource

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "models.md"


def blocks() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


def test_the_manifest_in_the_document_is_one() -> None:
    manifest = parse_manifest(blocks()[0], "docs/models.md")
    assert isinstance(manifest.code.source, FolderSource)
    assert isinstance(manifest.text.source, HubSource)
    assert (manifest.text.attention, manifest.text.end) == ("causal", "<|endoftext|>")


def test_the_keys_for_the_onnx_file_make_a_slot_of_it() -> None:
    whole, onnx = blocks()
    head, text = whole.split("[text]\n")
    lines = text.split("[text.source]")[0].replace('attention = "causal"', "#").replace('end = "<|endoftext|>"', "#")
    manifest = parse_manifest(f"{head}[text]\n{lines}\n{onnx}", "docs/models.md")
    assert manifest.text.source.format == "onnx"
    assert len(manifest.text.adapter) == 2


def test_every_architecture_is_named() -> None:
    said = DOCUMENT.read_text(encoding="utf-8").casefold()
    words = {"jina_embeddings_v3": "jina v3", "xlm-roberta": "xlm-r"}
    assert [kind for kind in (*ENCODERS, *DECODERS) if words.get(kind, kind) not in said] == []
