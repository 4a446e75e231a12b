"""What a hub answers about a repository, and telling it from the answer of something else."""

import json

from huggingface_hub import HfApi, ModelInfo
from huggingface_hub.hf_api import RepoSibling

from pgduet.encoding.errors import StoreError
from pgduet.encoding.sources import HubSource
from pgduet.encoding.store.hub_errors import no_hub
from pgduet.encoding.store.hub_settings import endpoint
from pgduet.encoding.store.listing import Listing, RemoteFile


def ask(source: HubSource) -> Listing:
    """Ask once which files the repository holds at its commit.

    Raises StoreError when the answer is about another commit, or none of a hub; and whatever the hub client raises.
    """
    hub = HfApi(endpoint=endpoint() or None)
    try:
        info = hub.model_info(source.repo, revision=source.revision, files_metadata=True)
    # How the client tells of an answer that is no JSON, or not about a model.
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise no_hub(source, f"it answered something else ({type(error).__name__})") from error
    if not info.siblings or info.sha is None:
        raise no_hub(source, "it listed no files")
    if info.sha != source.revision:
        raise StoreError(f"the hub answered with commit {info.sha} of {source.repo} instead of {source.revision}")
    return Listing(tuple(_remote_file(source, each) for each in info.siblings), _licence(info))


def _remote_file(source: HubSource, told: RepoSibling) -> RemoteFile:
    size = told.lfs.size if told.lfs else told.size
    sha256, blob = told.lfs.sha256 if told.lfs else "", told.blob_id or ""
    if size is None or not (sha256 or blob):
        raise no_hub(source, f"it told no size or no hash of {told.rfilename}")
    return RemoteFile(told.rfilename, size, sha256, blob)


def _licence(info: ModelInfo) -> str:
    """Read the licence off a repository's card; one that the hub has no word for is `other`, with a name beside it."""
    tagged = [tag.removeprefix("license:") for tag in info.tags or [] if tag.startswith("license:")]
    named = info.card_data.get("license_name") if info.card_data else None
    if tagged and tagged[0] != "other":
        return tagged[0]
    return str(named or "")
