"""Policies as data: their shape, loading, packs, conditions and three-valued evaluation."""
