"""The extension of Model Explorer: `model-explorer --extensions=tflite_sparse.model_explorer`."""
