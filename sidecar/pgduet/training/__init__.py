"""Judging duets: retrieval scores with intervals, weights of the halves, and the probe of attention and end token.

Everything here works on vectors and cosines; loading encoders is left to `pgduet.encoding`.
"""
