"""The sizes that a model is looked at with, where its file leaves some of them open."""
