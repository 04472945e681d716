"""Sparse forms: how XNNPACK's sparse layout takes each kind of operator."""
