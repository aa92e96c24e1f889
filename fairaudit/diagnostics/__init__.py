"""Gradient disparity: how clipping and noise affect each group, and what moved the bias.

Research finds a cause of bias amplification under differential privacy in gradients that converge
at different speed for different groups (Esipova 2022; Srivastava 2024). Here a checkpoint, a series
of checkpoints or a running training is asked about it: records of probe text belong to *groups*
(stereotyped, anti-stereotyped and neutral sentences, or a column of the user's file) and to
*templates* (what is resampled together).

``records`` and ``texts`` say what is asked, ``encoding`` turns it into rows, ``measure`` runs the
engine of `fairaudit.gradients` over them, ``moments`` and ``decomposition`` hold the formulas,
``inference`` tells a difference between groups from chance, ``assembly`` puts all into a
`DiagnosticsResult`. No per-record gradient is ever kept for all records.

With Adam these are properties of the private gradient query (Σ clip(g_i, C) + noise)/B, not of the
update that the optimiser makes of it.
"""
