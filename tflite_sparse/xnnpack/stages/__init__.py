"""The stages of the runtime: delegate, define, fuse, roles, clusters, profit, layout, kernels.

That is the order in which the runtime goes through them; `pipeline` says who calls whom.
"""
