"""kernelbench: how close do compute kernels run to what this machine can do, and what holds them back?"""

__version__ = "0.1.0"
