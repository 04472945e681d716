"""How size, speed and quality of a model go with its share of zeros, beside its dense rivals."""
