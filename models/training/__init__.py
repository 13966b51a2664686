"""The recipe of our own detectors: gather, label, train, export, quantise, evaluate."""
