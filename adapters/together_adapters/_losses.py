"""The former module of `Loss`, which pickles of version 0.1.0 import. To be removed in 1.0."""

from .openai_format import Loss as Loss
