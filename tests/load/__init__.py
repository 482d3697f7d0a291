"""Loads that no person makes and every program meets: floods, giants, depths, storms."""
