"""Fine-tuning that was asked for in SQL or by schedule.

A `trainer` takes one run at a time and follows its `course`: it mines, trains and, where asked for, has the new
generation promoted (`promotion`). The work is done by `child` processes, so that memory is given back and a crash ends
no trainer. Nothing here loads torch.
"""
