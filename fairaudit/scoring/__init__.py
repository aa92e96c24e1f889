"""How a model answers requests: loading, batching, causal and masked scoring."""
