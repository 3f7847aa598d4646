"""Where pickles of 0.1.0 look for `Unmerged`; removed in 1.0."""

from .accumulate import Unmerged as Unmerged
