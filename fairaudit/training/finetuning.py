"""`finetune`: a base model and text in, the model under audit out."""

from __future__ import annotations

from fairaudit.options import verb
from fairaudit.ranks import ranks
from fairaudit.training.finetune_options import FinetuneOptions
from fairaudit.training.jobs import make_job
from fairaudit.training.running import FineTuned, run_job


@verb(FinetuneOptions)
def finetune(options: FinetuneOptions) -> FineTuned:
    r"""Fine-tune a language model: plain, with CDA, with differential privacy, or with both.

    All arms run the same loop on the same loss, \(\sum_{u \in \text{draw}} \ell_u / B\): the
    token mean of each row, the mean over the rows (and twins) of a record, the sum over the
    records drawn, divided by the expected number B of them. Each record is drawn into each step
    with probability q = B/n (Poisson sampling). A private arm clips the gradient of every record
    to norm C and adds Gaussian noise of standard deviation σC to each coordinate of the sum
    (DP-SGD, Abadi et al. 2016).

    Returns
    -------
    FineTuned
        The folder, its training record and its privacy statement.

    Raises
    ------
    UsageError
        If a value is out of range, or the batch is larger than the data.
    DataError
        If the training text cannot be read or holds no record.
    ModelError
        If the model cannot be loaded, or has a trainable layer without a gradient rule.
    ResultError
        If the output cannot be written, or holds a model or another run.
    """
    return run_job(ranks().together(lambda: make_job(options)), on_step=options.on_step)
