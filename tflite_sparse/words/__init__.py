"""Text for everybody: names made fit to be shown, numbers as people read and write them."""
