"""Fine-tuning of the models under audit, and what may be claimed about their privacy.

A *record* is what one person contributed: a row of text, or all rows of a person. A record and its
counterfactual twins are one *unit*; its gradient is that of the mean loss over its rows, clipped
as a whole. A *draw* takes every record with probability q = B/n. A *step* adds up the gradients of
a draw, adds noise where the arm is private, divides by B and updates the parameters. An *arm* is
plain, CDA, DP or both; all run the same loop on the same loss, so that they differ in one thing.

What a step costs in privacy is worked out in `accounting`; what a checkpoint may claim is its
`PrivacyStatement`, whose ε is recomputed from what was done. Everything that was computed on the
text itself and is not covered by ε lies in ``private/``.

Sources: Abadi et al. 2016 (arXiv:1607.00133) for DP-SGD; Li et al. 2022 (arXiv:2110.05679) for
language models; Gopi, Lee and Wutschitz 2021 (arXiv:2106.02848) for the accountant.
"""
