"""RMS norms: y = w·x̂ with x̂ = x / √(mean x² + ε). Their classes differ, their formula does not.

Gemma's y = (1 + w)·x̂ has the same gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fairaudit.gradients.factors import Dense, Factor
from fairaudit.gradients.rules.base import Rule, summed


def factor(module: nn.Module, _name: str, inputs: Tensor, grads: Tensor) -> Factor:
    """Scale w [d]: Σ_t grad_t · x̂_t."""
    if inputs.dtype in (torch.float16, torch.bfloat16):
        inputs = inputs.float()
    mean_square = inputs.square().mean(dim=-1, keepdim=True)
    normal = inputs * torch.rsqrt(mean_square + _epsilon(module, inputs.dtype))
    return Dense(summed(normal * grads, grads.shape[-1:]))


def _epsilon(module: nn.Module, dtype: torch.dtype) -> float:
    """`variance_epsilon` in transformers; `eps` in PyTorch, where None means the dtype's own."""
    epsilon = getattr(module, "variance_epsilon", None)
    if epsilon is None:
        epsilon = getattr(module, "eps", None)
    return float(torch.finfo(dtype).eps if epsilon is None else epsilon)


RMS_NORM = Rule(
    (
        "torch.nn.modules.normalization.RMSNorm",
        "transformers.models.gemma.modeling_gemma.GemmaRMSNorm",
        "transformers.models.gemma2.modeling_gemma2.Gemma2RMSNorm",
        "transformers.models.gemma3.modeling_gemma3.Gemma3RMSNorm",
        "transformers.models.granite.modeling_granite.GraniteRMSNorm",
        "transformers.models.llama.modeling_llama.LlamaRMSNorm",
        "transformers.models.mistral.modeling_mistral.MistralRMSNorm",
        "transformers.models.mixtral.modeling_mixtral.MixtralRMSNorm",
        "transformers.models.olmo2.modeling_olmo2.Olmo2RMSNorm",
        "transformers.models.phi3.modeling_phi3.Phi3RMSNorm",
        "transformers.models.qwen2.modeling_qwen2.Qwen2RMSNorm",
        "transformers.models.qwen2_moe.modeling_qwen2_moe.Qwen2MoeRMSNorm",
        "transformers.models.qwen3.modeling_qwen3.Qwen3RMSNorm",
        "transformers.models.qwen3_moe.modeling_qwen3_moe.Qwen3MoeRMSNorm",
        "transformers.models.smollm3.modeling_smollm3.SmolLM3RMSNorm",
    ),
    ("weight",),
    factor,
)
