"""Which device a run uses, and what is said where it is not there."""

import pytest
import torch

from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.processes import device_for


def cards(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let torch say that it sees so many cards, whatever this machine has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_a_device_that_is_unknown_is_refused() -> None:
    with pytest.raises(TuningError, match="device is 'tpu'") as caught:
        Plan(device="tpu")
    assert caught.value.hint == "device must be cpu, cuda or auto"


def test_without_a_card_auto_is_the_cpu_and_cuda_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch, 0)
    assert [device_for(asked).type for asked in ("cpu", "auto")] == ["cpu", "cpu"]
    with pytest.raises(TuningError, match="no CUDA device here") as caught:
        device_for("cuda")
    assert "nvidia-smi" in caught.value.hint


def test_each_process_has_a_card_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch, 2)
    assert device_for("cpu") == torch.device("cpu")
    assert device_for("cuda") == device_for("auto") == torch.device("cuda", 0)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert device_for("auto") == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(TuningError, match="3 processes share 2 CUDA devices"):
        device_for("cuda")
