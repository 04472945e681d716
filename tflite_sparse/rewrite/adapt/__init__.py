"""Makes a stock CNN eligible for sparse inference, without a change to what it computes."""
