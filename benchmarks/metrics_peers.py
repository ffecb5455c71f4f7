"""The worker of `metrics.py` that runs torch-fidelity 0.4 and prdc 0.2."""

import importlib
import sys
import types

import metrics_inputs
from workers import run_for, serve


def torch_fidelity(name: str) -> types.ModuleType:
    """Imports a module of torch-fidelity, without torchvision.

    The package imports torchvision for data sets and for other networks; nothing here needs it.
    """
    for part in ("", ".datasets", ".transforms", ".transforms.functional"):
        module = sys.modules[f"torchvision{part}"] = types.ModuleType(f"torchvision{part}")
        module.__path__ = []
        for data_set in ("CIFAR10", "CIFAR100", "STL10"):
            setattr(module, data_set, type(data_set, (), {}))
    return importlib.import_module(f"torch_fidelity.{name}")


class FID:
    """torch-fidelity's moments of two sets of features, and its distance."""

    def __init__(self, **sizes: int):
        import torch

        self.peer = torch_fidelity("metric_fid")
        self.features = [torch.from_numpy(x) for x in metrics_inputs.features(**sizes)]

    def about(self) -> dict[str, str]:
        return {"version": f"torch-fidelity {_version('torch_fidelity')}"}

    def run(self) -> dict[str, object]:
        """Returns what the run took, and its score."""
        return metrics_inputs.measured(self._scores)

    def _scores(self) -> list[float]:
        statistics = [self.peer.fid_features_to_statistics(x) for x in self.features]
        found = self.peer.fid_statistics_to_metric(*statistics, verbose=False)
        return [found[self.peer.KEY_METRIC_FID]]


class PRDC:
    """The package prdc."""

    def __init__(self, **sizes: int):
        import prdc

        self.peer = prdc.compute_prdc
        self.real, self.fake = metrics_inputs.features(**sizes)

    def about(self) -> dict[str, str]:
        return {"version": f"prdc {_version('prdc')}"}

    def run(self) -> dict[str, object]:
        """Returns what the run took, and its scores."""
        return metrics_inputs.measured(self._scores)

    def _scores(self) -> list[float]:
        return list(self.peer(self.real, self.fake, nearest_k=metrics_inputs.K).values())


class Inception:
    """torch-fidelity's resize and network, with random weights."""

    def __init__(self, *, batch_size: int, image_size: int):
        import torch

        peer = torch_fidelity("feature_extractor_inceptionv3")
        peer.load_state_dict_from_url = lambda *args, **options: None  # no download

        class Random(peer.FeatureExtractorInceptionV3):
            def load_state_dict(self, state: None) -> None:
                """Keeps the weights that the layers were made with."""

        network = Random("inception", ["2048", "logits_unbiased"], verbose=False)
        images = metrics_inputs.images(batch_size, image_size)
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
        self.network = network
        self.versions = f"torch-fidelity {_version('torch_fidelity')}, PyTorch {torch.__version__}"
        self.step()

    def about(self) -> dict[str, str]:
        return {"version": self.versions}

    def step(self) -> None:
        """Runs one batch, without gradients."""
        import torch

        with torch.no_grad():
            self.network(self.images)

    def run(self, *, seconds: float) -> dict[str, float]:
        """Runs batches for some time; returns `steps` and `seconds`."""
        return run_for(self.step, seconds)


class Missing:
    """Stands for a peer that cannot be imported."""

    def __init__(self, module: str):
        self.module = module

    def about(self) -> dict[str, str]:
        return {"missing": self.module}


def _version(package: str) -> str:
    from importlib import metadata

    return metadata.version(package.replace("_", "-"))


def make(*, task: str, **options: int) -> object:
    """Returns the object that runs a task, or says what it lacks."""
    try:
        return {"fid": FID, "prdc": PRDC, "inception": Inception}[task](**options)
    except ImportError as error:
        return Missing(error.name or str(error))


if __name__ == "__main__":
    serve(make)
