"""Where pickles of 0.1.0 look for `Timeout`; removed in 1.0."""

from .http import Timeout as Timeout
