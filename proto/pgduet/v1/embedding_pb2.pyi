from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_DOCUMENT: _ClassVar[Role]
    ROLE_QUERY: _ClassVar[Role]

class Part(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PART_BOTH: _ClassVar[Part]
    PART_CODE: _ClassVar[Part]
    PART_TEXT: _ClassVar[Part]

class EmbedErrorKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EMBED_ERROR_KIND_UNSPECIFIED: _ClassVar[EmbedErrorKind]
    EMBED_ERROR_KIND_BLANK: _ClassVar[EmbedErrorKind]
    EMBED_ERROR_KIND_TOO_LONG: _ClassVar[EmbedErrorKind]
    EMBED_ERROR_KIND_NOT_FINITE: _ClassVar[EmbedErrorKind]
    EMBED_ERROR_KIND_FAILED: _ClassVar[EmbedErrorKind]
ROLE_UNSPECIFIED: Role
ROLE_DOCUMENT: Role
ROLE_QUERY: Role
PART_BOTH: Part
PART_CODE: Part
PART_TEXT: Part
EMBED_ERROR_KIND_UNSPECIFIED: EmbedErrorKind
EMBED_ERROR_KIND_BLANK: EmbedErrorKind
EMBED_ERROR_KIND_TOO_LONG: EmbedErrorKind
EMBED_ERROR_KIND_NOT_FINITE: EmbedErrorKind
EMBED_ERROR_KIND_FAILED: EmbedErrorKind

class EmbedRequest(_message.Message):
    __slots__ = ("model", "role", "texts", "expected_fingerprint", "part")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    model: str
    role: Role
    texts: _containers.RepeatedScalarFieldContainer[str]
    expected_fingerprint: str
    part: Part
    def __init__(self, model: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ..., texts: _Optional[_Iterable[str]] = ..., expected_fingerprint: _Optional[str] = ..., part: _Optional[_Union[Part, str]] = ...) -> None: ...

class EmbedResponse(_message.Message):
    __slots__ = ("fingerprint", "width", "embeddings", "sketches", "results")
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    SKETCHES_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    fingerprint: str
    width: int
    embeddings: bytes
    sketches: bytes
    results: _containers.RepeatedCompositeFieldContainer[EmbedResult]
    def __init__(self, fingerprint: _Optional[str] = ..., width: _Optional[int] = ..., embeddings: _Optional[bytes] = ..., sketches: _Optional[bytes] = ..., results: _Optional[_Iterable[_Union[EmbedResult, _Mapping]]] = ...) -> None: ...

class EmbedStreamRequest(_message.Message):
    __slots__ = ("id", "request", "timeout_ms")
    ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    id: int
    request: EmbedRequest
    timeout_ms: int
    def __init__(self, id: _Optional[int] = ..., request: _Optional[_Union[EmbedRequest, _Mapping]] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class EmbedStreamResponse(_message.Message):
    __slots__ = ("id", "response", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: int
    response: EmbedResponse
    error: EmbedStreamError
    def __init__(self, id: _Optional[int] = ..., response: _Optional[_Union[EmbedResponse, _Mapping]] = ..., error: _Optional[_Union[EmbedStreamError, _Mapping]] = ...) -> None: ...

class EmbedStreamError(_message.Message):
    __slots__ = ("code", "message", "retry_after_ms")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    retry_after_ms: int
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...

class EmbedResult(_message.Message):
    __slots__ = ("code_tokens", "text_tokens", "truncated", "error", "code_truncated", "text_truncated")
    CODE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CODE_TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    TEXT_TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    code_tokens: int
    text_tokens: int
    truncated: bool
    error: EmbedError
    code_truncated: bool
    text_truncated: bool
    def __init__(self, code_tokens: _Optional[int] = ..., text_tokens: _Optional[int] = ..., truncated: _Optional[bool] = ..., error: _Optional[_Union[EmbedError, _Mapping]] = ..., code_truncated: _Optional[bool] = ..., text_truncated: _Optional[bool] = ...) -> None: ...

class EmbedError(_message.Message):
    __slots__ = ("kind", "message")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    kind: EmbedErrorKind
    message: str
    def __init__(self, kind: _Optional[_Union[EmbedErrorKind, str]] = ..., message: _Optional[str] = ...) -> None: ...

class ChunkRequest(_message.Message):
    __slots__ = ("content", "language", "path")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    content: str
    language: str
    path: str
    def __init__(self, content: _Optional[str] = ..., language: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class ChunkResponse(_message.Message):
    __slots__ = ("chunks",)
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    chunks: _containers.RepeatedCompositeFieldContainer[CodeChunk]
    def __init__(self, chunks: _Optional[_Iterable[_Union[CodeChunk, _Mapping]]] = ...) -> None: ...

class CodeChunk(_message.Message):
    __slots__ = ("symbol", "kind", "language", "start_line", "end_line", "content")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    START_LINE_FIELD_NUMBER: _ClassVar[int]
    END_LINE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    kind: str
    language: str
    start_line: int
    end_line: int
    content: str
    def __init__(self, symbol: _Optional[str] = ..., kind: _Optional[str] = ..., language: _Optional[str] = ..., start_line: _Optional[int] = ..., end_line: _Optional[int] = ..., content: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "version")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    version: str
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., version: _Optional[str] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "fingerprint", "width", "encoders", "max_texts", "max_characters")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    ENCODERS_FIELD_NUMBER: _ClassVar[int]
    MAX_TEXTS_FIELD_NUMBER: _ClassVar[int]
    MAX_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    fingerprint: str
    width: int
    encoders: _containers.RepeatedCompositeFieldContainer[Encoder]
    max_texts: int
    max_characters: int
    def __init__(self, name: _Optional[str] = ..., fingerprint: _Optional[str] = ..., width: _Optional[int] = ..., encoders: _Optional[_Iterable[_Union[Encoder, _Mapping]]] = ..., max_texts: _Optional[int] = ..., max_characters: _Optional[int] = ...) -> None: ...

class Encoder(_message.Message):
    __slots__ = ("slot", "name", "width", "max_tokens", "weight", "dtype")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    slot: str
    name: str
    width: int
    max_tokens: int
    weight: float
    dtype: str
    def __init__(self, slot: _Optional[str] = ..., name: _Optional[str] = ..., width: _Optional[int] = ..., max_tokens: _Optional[int] = ..., weight: _Optional[float] = ..., dtype: _Optional[str] = ...) -> None: ...

class RecentQueriesRequest(_message.Message):
    __slots__ = ("model", "expected_fingerprint", "most")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    model: str
    expected_fingerprint: str
    most: int
    def __init__(self, model: _Optional[str] = ..., expected_fingerprint: _Optional[str] = ..., most: _Optional[int] = ...) -> None: ...

class RecentQueriesResponse(_message.Message):
    __slots__ = ("fingerprint", "width", "embeddings", "sketches")
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    SKETCHES_FIELD_NUMBER: _ClassVar[int]
    fingerprint: str
    width: int
    embeddings: bytes
    sketches: bytes
    def __init__(self, fingerprint: _Optional[str] = ..., width: _Optional[int] = ..., embeddings: _Optional[bytes] = ..., sketches: _Optional[bytes] = ...) -> None: ...

class LoadModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class LoadModelResponse(_message.Message):
    __slots__ = ("model", "loaded")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    model: Model
    loaded: bool
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ..., loaded: _Optional[bool] = ...) -> None: ...

class UnloadModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class UnloadModelResponse(_message.Message):
    __slots__ = ("served",)
    SERVED_FIELD_NUMBER: _ClassVar[int]
    served: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, served: _Optional[_Iterable[str]] = ...) -> None: ...

class TimingsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TimingsResponse(_message.Message):
    __slots__ = ("since", "stages", "slowest")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    SLOWEST_FIELD_NUMBER: _ClassVar[int]
    since: float
    stages: _containers.RepeatedCompositeFieldContainer[StageTimes]
    slowest: _containers.RepeatedCompositeFieldContainer[SlowQuery]
    def __init__(self, since: _Optional[float] = ..., stages: _Optional[_Iterable[_Union[StageTimes, _Mapping]]] = ..., slowest: _Optional[_Iterable[_Union[SlowQuery, _Mapping]]] = ...) -> None: ...

class StageTimes(_message.Message):
    __slots__ = ("stage", "lane", "bounds", "counts", "total_seconds")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    lane: str
    bounds: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    total_seconds: float
    def __init__(self, stage: _Optional[str] = ..., lane: _Optional[str] = ..., bounds: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ..., total_seconds: _Optional[float] = ...) -> None: ...

class SlowQuery(_message.Message):
    __slots__ = ("at", "request_id", "seconds", "tokens")
    AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    at: float
    request_id: str
    seconds: float
    tokens: int
    def __init__(self, at: _Optional[float] = ..., request_id: _Optional[str] = ..., seconds: _Optional[float] = ..., tokens: _Optional[int] = ...) -> None: ...
