"""What the hub's refusals mean and what to do about them."""

import textwrap

import httpx2
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
from pgduet.encoding.store.hub_settings import endpoint, without_secrets

_TOKEN = "set HF_TOKEN to a token that may read it"  # noqa: S105
_MAY_PASS = (408, 425, 429)
# What no request can be made of: a setting of the user, not the weather.
UNUSABLE = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, ValueError)


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
    return StoreError(
        f"could not fetch {what} of {source.repo} in {tries} tries: {said(error)}",
        hint="check the network and HF_ENDPOINT, then repeat the command: what has been fetched is kept",
    )


def said(error: BaseException) -> str:
    """Return what an error says in one line, without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return without_secrets(": ".join([type(error).__name__, *lines[:1]]))


def briefly(error: BaseException) -> str:
    """Return why something is tried again, in a few words."""
    if isinstance(error, HfHubHTTPError):
        return f"the hub answered {error.response.status_code}"
    return textwrap.shorten(said(error), 100)


def unusable(error: BaseException) -> StoreError:
    """Return the error for a request that cannot even be made."""
    # These two show the token, whole or in part.
    if isinstance(error, UnicodeError | httpx2.LocalProtocolError):
        return StoreError(
            "HF_TOKEN or HF_ENDPOINT cannot be used: it holds a letter that no request may hold",
            hint="unset it, or copy it again from where you got it",
        )
    return StoreError(
        f"the hub cannot be asked: {said(error)}",
        hint="check HF_ENDPOINT, the proxy settings (HTTPS_PROXY) and the source in the manifest",
    )


def no_hub(source: HubSource, why: str) -> StoreError:
    """Return the error for an answer that is none of a hub, such as the login page of a network."""
    return StoreError(
        f"what answers at HF_ENDPOINT is not a model hub: asked for {source.repo}, {why}"
        if endpoint()
        else f"what answers is not the model hub: asked for {source.repo}, {why}",
        hint="check HF_ENDPOINT and the proxy; a network may also want you to log in first, in a browser",
    )
