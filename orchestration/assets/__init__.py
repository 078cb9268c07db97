"""Assets that are not a segmentation: landing, dbt, the tables of ML output, publishing."""
