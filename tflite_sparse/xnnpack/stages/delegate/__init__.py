"""The delegate stage: which operators XNNPACK takes."""
