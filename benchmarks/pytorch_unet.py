"""The same U-Net in PyTorch, where that is installed: ``.venv/bin/pip install -e '.[benchmark]'``."""

import importlib.util

HINT = "PyTorch is not installed and was left out: `.venv/bin/pip install -e '.[benchmark]'` adds it."
# Name, whether in bfloat16, and the matrix product that it is held against.
CONTENDERS = (
    ("PyTorch (float32)", False, "float32"),
    ("PyTorch (bfloat16 autocast, channels-last)", True, "bfloat16"),
)


def is_installed():
    """Return whether PyTorch can be imported."""
    return importlib.util.find_spec("torch") is not None


def build(filters=64):
    """Return the report's U-Net (R30–R35) as a PyTorch module: (batch, 1, height, width) → probabilities."""
    import torch
    from torch import nn

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            f = filters
            self.encoder = nn.ModuleList([_pair(1, f, f), _pair(f, f, f), _pair(f, 2 * f, 2 * f)])
            self.bridge = _pair(2 * f, 4 * f, 2 * f)
            wide, skips = (2 * f, f, f), (2 * f, f, f)
            before, narrow = (2 * f, f, f), (f, f, f)
            self.up = nn.ModuleList(
                nn.ConvTranspose2d(b, w, 3, stride=2, padding=1, output_padding=1)
                for b, w in zip(before, wide, strict=True)
            )
            self.decoder = nn.ModuleList(_pair(w + s, w, n) for w, s, n in zip(wide, skips, narrow, strict=True))
            self.output = nn.Conv2d(f, 1, 3, padding=1)

        def forward(self, x):
            skips = []
            for level in self.encoder:
                x = level(x)
                skips.append(x)
                x = nn.functional.max_pool2d(x, 2)
            x = self.bridge(x)
            for up, level in zip(self.up, self.decoder, strict=True):
                x = level(torch.cat([torch.relu(up(x)), skips.pop()], dim=1))
            return torch.sigmoid(self.output(x).float())

    return UNet()


def training(size, batch, steps, filters, half):
    """Return a turn of training, Adam and the Dice loss without metrics, and its pictures.

    Parameters
    ----------
    size : (height, width) [px]
    batch, steps, filters : int
    half : bool
        In bfloat16, channels last.
    """
    import torch

    network, x = _prepared(size, batch, filters, half)
    y = (x > 0.97).float()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

    def run():
        for _ in range(steps):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                predicted = network(x)
            loss = 1 - (2 * (y * predicted).sum() + 2) / ((y + predicted).sum() + 2)
            loss.backward()
            optimizer.step()

    return run, steps * batch


def prediction(size, at_once, calls, filters, half, stride_and_reach):
    """Return a turn of prediction and its pictures.

    Parameters
    ----------
    size, at_once, calls, filters
        As of `benchmarks.networks.prediction`; large pictures are cut into the same tiles.
    half : bool
        As of `training`.
    stride_and_reach : (int, float) [px]
        Of the network, see `engine.stride_and_reach`.
    """
    import torch

    from benchmarks.networks import calling, noise
    from crack_utils.inference.engine import Engine

    torch.manual_seed(0)
    order = torch.channels_last if half else torch.contiguous_format
    network = build(filters).to(memory_format=order).eval()

    def on_batch(images):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            given = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=order)
            return network(given).float().permute(0, 2, 3, 1).numpy()

    ready = Engine(None, on_batch, "PyTorch")
    ready.stride_and_reach = stride_and_reach  # there is no network in Keras to read it from
    return calling(ready, noise(at_once, *size), calls), at_once * calls


def _prepared(size, batch, filters, channels_last):
    import torch

    torch.manual_seed(0)
    order = torch.channels_last if channels_last else torch.contiguous_format
    return build(filters).to(memory_format=order), torch.rand(batch, 1, *size).contiguous(memory_format=order)


def _pair(before, first, second):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(before, first, 3, padding=1), nn.ReLU(), nn.Conv2d(first, second, 3, padding=1), nn.ReLU()
    )
