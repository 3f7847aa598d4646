"""The former module of `Timeout`, which pickles of version 0.1.0 import. To be removed in 1.0."""

from .http import Timeout as Timeout
