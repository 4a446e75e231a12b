"""Cuts source files into chunks by their syntax tree, or by lines where no grammar is known."""

from pgduet.chunking.chunk import Chunk
from pgduet.chunking.chunker import chunk_code
from pgduet.chunking.languages import UnknownLanguageError, detect_language, find_language, known_languages

__all__ = ["Chunk", "UnknownLanguageError", "chunk_code", "detect_language", "find_language", "known_languages"]
