"""The two networks of a conditional GAN, built of residual blocks (CERN-THESIS-2024-108, 4.2)."""

from __future__ import annotations

import torch
from torch import nn


class Residual(nn.Module):
    """x + LeakyReLU(W x + b)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + nn.functional.leaky_relu(self.dense(x), 0.1)


def blocks(n_in: int, width: int, depth: int, n_out: int) -> nn.Sequential:
    first = nn.Sequential(nn.Linear(n_in, width), nn.LeakyReLU(0.1))
    return nn.Sequential(first, *(Residual(width) for _ in range(depth)), nn.Linear(width, n_out))


class Generator(nn.Module):
    """Features and standard normal numbers to answers."""

    def __init__(self, n_in: int, n_noise: int, n_out: int, width: int, depth: int) -> None:
        super().__init__()
        self.net = blocks(n_in + n_noise, width, depth, n_out)

    def forward(self, features: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return self.net(torch.cat([features, noise], dim=1))


class Discriminator(nn.Module):
    """Features and answers to a score: real or generated. It sees the answers through some noise."""

    def __init__(self, n_in: int, n_out: int, width: int, depth: int, blur: float) -> None:
        super().__init__()
        self.net, self.blur = blocks(n_in + n_out, width, depth, 1), blur

    def forward(self, features: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        return self.net(torch.cat([features, answers + self.blur * torch.randn_like(answers)], dim=1))
