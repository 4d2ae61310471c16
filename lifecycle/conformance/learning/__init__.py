"""The machine of an implementation, learned by asking it through the same adapters, and compared with its role."""
