"""Definitions that Dagster discovers: one folder per segmentation."""
