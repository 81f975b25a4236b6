"""Puts the app on Hugging Face as a Gradio Space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.files import SpaceFile


@dataclass(frozen=True)
class Target:
    """The Space that is made or updated, and its settings."""

    space: str  # owner/name
    private: bool = False
    hardware: str | None = None  # None: what the hub gives
    dataset: str | None = None  # owner/name of the repository that answers are pushed to
    answers_token: str = ""  # with which the Space pushes them: its secret HF_TOKEN


def publish(target: Target, files: Sequence[SpaceFile], message: str, force: bool = False) -> str:
    """The Space's address, once it holds exactly `files`. With `force` also one that is there already.

    Errors: ValueError without a token, for a Space that is there already, and for whatever the hub refuses.
    """
    from huggingface_hub import HfApi, get_token

    if get_token() is None:
        raise ValueError("no token for the hub: run `hf auth login`, or set HF_TOKEN to one that may write")
    api = HfApi()
    try:
        exists = api.repo_exists(target.space, repo_type="space")
        if exists and not force:
            raise ValueError(f"the Space {target.space} exists already; --force replaces its files")
        _prepare(api, target, exists)
        _commit(api, target.space, files, message)
    except ValueError:
        raise
    except Exception as error:  # the client raises a dozen kinds, down to those of its HTTP library
        raise ValueError(f"{target.space}: {error}") from error
    return f"{api.endpoint}/spaces/{target.space}"


def _prepare(api, target: Target, exists: bool) -> None:
    """Everything the app needs, before the first build sees its files."""
    if not exists:
        api.create_repo(
            target.space,
            repo_type="space",
            space_sdk="gradio",
            space_hardware=target.hardware,
            private=target.private or None,
        )
    else:
        if target.private:
            api.update_repo_settings(target.space, repo_type="space", private=True)
        if target.hardware:
            api.request_space_hardware(target.space, target.hardware)
    if target.dataset:
        api.create_repo(target.dataset, repo_type="dataset", private=True, exist_ok=True)
        api.add_space_secret(target.space, "HF_TOKEN", target.answers_token)
        api.add_space_variable(target.space, "LISTENING_DATASET", target.dataset)


def _commit(api, space: str, files: Sequence[SpaceFile], message: str) -> None:
    """One commit: no build in between sees half of them."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    kept = {file.path for file in files}
    gone = set(api.list_repo_files(space, repo_type="space")) - kept
    operations = [CommitOperationAdd(file.path, file.content) for file in files]
    operations += [CommitOperationDelete(path) for path in sorted(gone)]
    api.create_commit(space, operations, commit_message=message, repo_type="space")
