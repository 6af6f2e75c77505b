"""The same U-Net in PyTorch, where that is installed: ``.venv/bin/pip install -e '.[benchmark]'``."""

import importlib.util

from benchmarks.timing import Contender

HINT = "PyTorch is not installed and was left out: `.venv/bin/pip install -e '.[benchmark]'` adds it."
FLOAT32, BFLOAT16 = "PyTorch (float32)", "PyTorch (bfloat16 autocast, channels-last)"


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


def trainings(model, images, masks, steps):
    """Return PyTorch's contenders for training: Adam and the Dice loss, without metrics; none if it is not installed.

    Parameters
    ----------
    model : keras.Model
        Whose number of filters is taken.
    images, masks : ndarray, float32, shape (batch, H, W, 1)
    steps : int
        Batches of a turn.
    """
    if not is_installed():
        return []

    def contender(name, half):
        import torch

        network, x = _prepared(model, images, half)
        y = torch.from_numpy(masks).permute(0, 3, 1, 2)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

        def run():
            for _ in range(steps):
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16, enabled=half):
                    predicted = network(x)
                loss = 1 - (2 * (y * predicted).sum() + 2) / ((y + predicted).sum() + 2)
                loss.backward()
                optimizer.step()

        return Contender(name, run, steps * len(images), "bfloat16" if half else "float32")

    return [contender(FLOAT32, False), contender(BFLOAT16, True)]


def predictions(model, images, steps):
    """Return PyTorch's contenders for prediction, as `trainings` does."""
    if not is_installed():
        return []

    def contender(name, half):
        import torch

        network, x = _prepared(model, images, half)

        def run():
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                for _ in range(steps):
                    network(x)

        return Contender(name, run, steps * len(images), "bfloat16" if half else "float32")

    return [contender(FLOAT32, False), contender(BFLOAT16, True)]


def _prepared(model, images, channels_last):
    import torch

    network = build(model.get_layer("encoder1_conv1").filters)
    x = torch.from_numpy(images).permute(0, 3, 1, 2)
    order = torch.channels_last if channels_last else torch.contiguous_format
    return network.to(memory_format=order), x.contiguous(memory_format=order)


def _pair(before, first, second):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(before, first, 3, padding=1), nn.ReLU(), nn.Conv2d(first, second, 3, padding=1), nn.ReLU()
    )
