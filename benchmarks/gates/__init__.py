"""What the experiments on gates share: their records, their tables, and how each gate is run."""
