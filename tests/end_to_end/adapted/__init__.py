"""Whole models, adapted: what the runtime does with them, computes and takes, before and after."""
