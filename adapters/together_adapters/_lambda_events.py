"""The former module of `HttpEvent`, which pickles of version 0.1.0 import. To be removed in 1.0."""

from .aws_lambda import HttpEvent as HttpEvent
