"""Where pickles of 0.1.0 look for `Loss`; removed in 1.0."""

from .openai_format import Loss as Loss
