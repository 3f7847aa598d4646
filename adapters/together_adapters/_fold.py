"""The former module of `Unmerged`, which pickles of version 0.1.0 import. To be removed in 1.0."""

from .accumulate import Unmerged as Unmerged
