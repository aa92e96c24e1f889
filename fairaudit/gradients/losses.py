"""The loss of a row, and its gradient with respect to the logits, in closed form.

The loss of a row is the mean of −log p over its label tokens; a row without label tokens has
loss 0 and gradient 0. The gradient with respect to the logits is (p − one-hot)/n, so that no
autograd graph of a softmax over the vocabulary needs to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

IGNORED = -100


@dataclass(frozen=True, slots=True)
class RowLosses:
    """Losses of rows.

    Attributes
    ----------
    losses : Tensor
        [R], mean over label tokens, nats, fp64.
    tokens : Tensor
        [R], number of label tokens.
    grads : Tensor
        [R, T, V], gradient of each row's loss with respect to its logits, in their dtype.
    """

    losses: Tensor
    tokens: Tensor
    grads: Tensor


def aligned(labels: Tensor, *, causal: bool) -> Tensor:
    """Target of each position [R, T]; a causal model predicts the label of the next one."""
    if not causal:
        return labels
    return torch.cat([labels[:, 1:], torch.full_like(labels[:, :1], IGNORED)], dim=1)


@torch.no_grad()
def row_losses(logits: Tensor, targets: Tensor) -> RowLosses:
    """Losses and their gradients; logits [R, T, V], targets [R, T] with `IGNORED` left out."""
    read = targets != IGNORED
    tokens = read.sum(dim=1)
    if logits.dtype in (torch.float32, torch.float64):
        log_probs = torch.log_softmax(logits, dim=-1)
        losses, grads = _of_log_probs(log_probs, targets, read, tokens)
        return RowLosses(losses, tokens, grads)
    # Row by row, so that no fp32 copy of all logits is held.
    grads, parts = torch.empty_like(logits), []
    for row in range(len(logits)):
        place = slice(row, row + 1)
        log_probs = torch.log_softmax(logits[place], dim=-1, dtype=torch.float32)
        loss, grad = _of_log_probs(log_probs, targets[place], read[place], tokens[place])
        grads[place] = grad
        parts.append(loss)
    return RowLosses(torch.cat(parts), tokens, grads)


def _of_log_probs(
    log_probs: Tensor, targets: Tensor, read: Tensor, tokens: Tensor
) -> tuple[Tensor, Tensor]:
    """Losses [R] and gradients, which take the place of the log-probabilities."""
    index = targets.where(read, 0)[:, :, None]
    share = read.double() / tokens.clamp(min=1)[:, None]
    chosen = log_probs.gather(2, index).squeeze(2)
    losses = -(chosen.double() * share).where(read, 0.0).sum(dim=1)
    share = share.to(log_probs.dtype)[:, :, None]
    # Multiplying by 0 would turn infinite logits at unread positions into NaN; autograd does too.
    grads = log_probs.exp_().mul_(share)
    return losses, grads.scatter_add_(2, index, -share)


def differentiable_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Compute the same losses [R] by PyTorch's own cross-entropy: what the self-check trusts."""
    losses = nn.functional.cross_entropy(
        logits.float().flatten(0, 1) if logits.dtype != torch.float64 else logits.flatten(0, 1),
        targets.flatten(),
        ignore_index=IGNORED,
        reduction="none",
    ).view(targets.shape)
    return losses.sum(dim=1) / (targets != IGNORED).sum(dim=1).clamp(min=1)
