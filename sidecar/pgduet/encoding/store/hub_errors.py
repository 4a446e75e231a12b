"""What the hub's refusals mean and what to do about them."""

from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from pgduet.encoding.errors import StoreError
from pgduet.encoding.sources import HubSource

_TOKEN = "set HF_TOKEN to a token that may read it"  # noqa: S105
_MAY_PASS = (408, 425, 429)


def explain(error: BaseException, source: HubSource) -> StoreError | None:
    """Return the error for a refusal that no repetition helps against; None where it may pass."""
    repo, revision = source.repo, source.revision
    if isinstance(error, RevisionNotFoundError):
        return StoreError(
            f"{repo} has no commit {revision} on the hub",
            hint="set `revision` in the manifest to the full hash of a commit of this repository",
        )
    if isinstance(error, GatedRepoError):
        return StoreError(
            f"{repo} is gated: its owner wants to know who uses it",
            hint=f"accept its terms on its page on the hub, then {_TOKEN}",
        )
    if isinstance(error, DisabledRepoError):
        return StoreError(f"{repo} was disabled on the hub by its owner", hint="choose another repository")
    if isinstance(error, RepositoryNotFoundError):
        return StoreError(
            f"there is no {repo} on the hub, or it is private", hint=f"check its name; if it is private, {_TOKEN}"
        )
    if isinstance(error, EntryNotFoundError) and isinstance(error, HfHubHTTPError):
        return StoreError(f"{repo} at {revision} lacks a file of its own listing", hint="repeat the command later")
    if isinstance(error, HfHubHTTPError):
        return _refused(error.response.status_code, source)
    return None


def _refused(status: int, source: HubSource) -> StoreError | None:
    if status >= 500 or status in _MAY_PASS:
        return None
    hint = _TOKEN if status in (401, 403) else "check HF_ENDPOINT and the source in the manifest"
    return StoreError(f"the hub refused {source.repo} with status {status}", hint=hint)


def gave_up(error: BaseException, source: HubSource, what: str, tries: int) -> StoreError:
    """Return the error for something that did not pass in all the tries."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    said = f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__
    return StoreError(
        f"could not fetch {what} of {source.repo} in {tries} tries: {said}",
        hint="check the network and HF_ENDPOINT, then repeat the command: what has been fetched is kept",
    )
