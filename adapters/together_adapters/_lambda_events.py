"""Where pickles of 0.1.0 look for `HttpEvent`; removed in 1.0."""

from .aws_lambda import HttpEvent as HttpEvent
